"""How alike two songs are by the playlists that hold both: item-kNN recommends by it, and a model's neighbours vote.

A song counts once a playlist, however often it is repeated.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from song2vec.playlists.corpus import Ragged


class Exponents(NamedTuple):
    """How much it counts against two songs that many playlists hold them, and against a playlist that it is long.

    Attributes:
        shown: of the number of playlists that hold the shown song.
        candidate: of the number of playlists that hold the candidate.
        length: of the number of songs in a playlist that holds both.
    """

    shown: float
    candidate: float
    length: float


TUNED = Exponents(shown=0.5, candidate=0.45, length=0.5)
"""Level with cosine (.5, .5, 0) or above it on each of five sets of playlists: docs/evaluation.md."""


@dataclass(frozen=True)
class Similarity:
    """Similarities of a shown song s and a candidate c, as the sparse matrices whose product they are.

    ::

        similarity(s, c) = n_sc / (n_s ^ shown · n_c ^ candidate)
        n_sc = sum over playlists p with s and c of  1 / (songs in p) ^ length,    n_s = playlists with s

    The exponents of n_s and n_c are those of Deshpande and Karypis 2004 (*Item-based top-N recommendation
    algorithms*), who also count long rows for less; (.5, .5, 0) is the cosine of two columns of the table.

    Attributes:
        table: sparse float32 (playlists, songs), 1 where the playlist holds the song: see `table_of`.
        exponents: as above.
    """

    table: Any
    exponents: Exponents = TUNED

    @cached_property
    def counts(self) -> NDArray[np.float32]:
        """float32 (songs,), how many playlists hold each song; at least 1."""
        return np.maximum(np.bincount(self.table.indices, minlength=self.table.shape[1]), 1).astype(np.float32)

    @cached_property
    def shown(self) -> NDArray[np.float32]:
        """float32 (songs,), the factor of a shown song."""
        return np.asarray(self.counts**-self.exponents.shown)

    @cached_property
    def candidates(self) -> NDArray[np.float32]:
        """float32 (songs,), the factor of a candidate."""
        return np.asarray(self.counts**-self.exponents.candidate)

    @cached_property
    def held_by(self) -> Any:
        """Sparse float32 (songs, playlists), how much each playlist that holds the song counts."""
        lengths = np.maximum(np.diff(self.table.indptr), 1).astype(np.float32)
        held_by = self.table.T.tocsr()
        np.take(lengths**-self.exponents.length, held_by.indices, out=held_by.data)  # in place: the table may be large
        return held_by


def table_of(playlists: Ragged, songs: int) -> Any:
    """Sparse float32 (playlists, songs), 1 where the playlist, rows of songs, holds the song."""
    from scipy.sparse import csr_array

    index = np.int32 if len(playlists.flat) < 2**31 else np.int64  # of unlike ones scipy would make int64
    rows, offsets = playlists.flat.astype(index), playlists.offsets.astype(index)  # copies: it sorts them in place
    table = csr_array((np.ones(len(rows), np.float32), rows, offsets), shape=(len(playlists), songs))
    table.sum_duplicates()
    table.data[:] = 1
    return table
