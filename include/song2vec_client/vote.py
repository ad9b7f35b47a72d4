"""What the songs of a playlist say of all others: how a model scores candidates.

Every song ``s`` of the playlist gives each candidate ``c`` a product of their vectors; a negative one counts a tenth::

    score(c) = prior(c) · sum over s of max(product, product / 10)  +  sum over s of neighbour(s, c)

How a model is scored belongs to how it was trained, and its manifest says it:

``one-way``
    ``product = in_s / |in_s| · out_c``, without a prior and without neighbours: for vectors as gensim trains them.
``two-way``
    ``product = in_s / |in_s| · out_c / |out_c|  +  out_s / |out_s| · in_c / |in_c|``, ``prior = count_c ^ 0.1``, and
    the strongest neighbours of each song, as the playlists have them: for vectors of song2vec's own trainer.

Input against output is what skip-gram is trained for: which songs stand beside this one. A song that knows
nothing of a candidate hardly speaks against it, so that a playlist with two tastes is continued within both,
and not by what lies between them, as by the mean of its vectors. The tenth keeps an order among candidates
where all products are negative, as they are when songs are few: a product estimates the pair's pointwise mutual
information less the logarithm of the number of negative samples (Levy and Goldberg 2014).

The lengths of vectors that our trainer makes say more of how often a song was seen than of its company, so that
two-way they do not count, and frequency counts a little, by itself. What few dimensions cannot hold, which songs stand
together however rarely, the neighbours say: item-kNN, published with the model.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]

PRIOR = 0.1  # exponent of how often a candidate was seen, two-way
AGAINST = np.float32(0.1)  # what a vote against a candidate counts


class Neighbours(NamedTuple):
    """The strongest neighbours of each song, strongest first.

    Attributes:
        rows: int32 (songs, neighbours), rows of the neighbours; any row where the weight is 0.
        weights: float16 (songs, neighbours), what a song adds to the score of its neighbour: 0 or more.
    """

    rows: NDArray[np.int32]
    weights: NDArray[np.float16]


class Side(NamedTuple):
    """One direction of the product.

    Attributes:
        voters: float32 (songs, dimensions), what a song votes with; only directions count.
        candidates: float32 (songs, dimensions), what candidates are voted on by.
        lengths: float32 (songs,), what a candidate's product is divided by; None: 1.
    """

    voters: Floats
    candidates: Floats
    lengths: Floats | None = None


@dataclass(frozen=True)
class Vote:
    """How a model scores candidates; `one_way` and `two_way` make one.

    Attributes:
        sides: a product is the sum over them.
        prior: float32 (songs,), a factor of each candidate; None: 1.
        neighbours: what each song adds to a few candidates; None: nothing.
    """

    sides: tuple[Side, ...]
    prior: Floats | None = None
    neighbours: Neighbours | None = None

    @property
    def songs(self) -> int:
        """How many songs the model knows."""
        return len(self.sides[0].candidates)

    def scores(self, playlists: Sequence[Rows], most: int) -> Floats:
        """What the songs of each playlist give every song, their own too.

        A song that several of the playlists hold is multiplied once, and adding up is a product too.

        Args:
            playlists: one int64 array a playlist, the rows of the songs it holds; a repeated song votes again.
            most: how many votes to hold at a time.

        Returns:
            float32 (playlists, songs).
        """
        scores = np.zeros((len(playlists), self.songs), np.float32)
        songs, places = np.unique(np.concatenate(playlists), return_inverse=True)
        holds = np.zeros((len(playlists), len(songs)), np.float32)  # how often
        np.add.at(holds, (owners(playlists), places), 1)
        sides = [side._replace(voters=unit_rows(side.voters[songs])) for side in self.sides]
        for block in blocks(self.songs, len(songs), most):  # candidates, so that each is read only once
            votes = _product(sides, block)
            np.maximum(votes, votes * AGAINST, out=votes)
            scores[:, block] = holds @ votes.T
        if self.prior is not None:
            scores *= self.prior
        if self.neighbours is not None:
            self._add_neighbours(scores, playlists, self.neighbours)
        return scores

    def _add_neighbours(self, scores: Floats, playlists: Sequence[Rows], neighbours: Neighbours) -> None:
        for of_playlist, playlist in zip(scores, playlists, strict=True):
            weights = neighbours.weights[playlist].astype(np.float32)
            np.add.at(of_playlist, neighbours.rows[playlist].ravel(), weights.ravel())


def one_way(vectors: Floats, context: Floats) -> Vote:
    """The vote by input against output vectors.

    Args:
        vectors: float32 (songs, dimensions), the input vectors.
        context: float32 (songs, dimensions), the output vectors as they were trained, not scaled.
    """
    return Vote((Side(vectors, context),))


def two_way(
    vectors: Floats,
    context: Floats,
    counts: NDArray[np.int64],
    neighbours: Neighbours | None = None,
    *,
    unit: bool = True,
) -> Vote:
    """The vote in both directions.

    Args:
        vectors: float32 (songs, dimensions), the input vectors.
        context: float32 (songs, dimensions), the output vectors.
        counts: int64 (songs,), how often each song was seen in training.
        neighbours: of each song.
        unit: whether the vectors are of length 1. If not, products are divided by their lengths, which is slower, and
            takes less memory than unit vectors beside them.
    """
    prior = (counts.astype(np.float64) ** PRIOR).astype(np.float32)
    lengths = (None, None) if unit else (_lengths(vectors), _lengths(context))
    return Vote((Side(vectors, context, lengths[1]), Side(context, vectors, lengths[0])), prior, neighbours)


def unit_rows(vectors: Floats) -> Floats:
    """Scale every row to length 1; a row of zeros stays as it is.

    Args:
        vectors: float32 (songs, dimensions).

    Returns:
        float32 (songs, dimensions).
    """
    return np.asarray(vectors / _lengths(vectors)[:, None], dtype=np.float32)


def owners(playlists: Sequence[Rows]) -> Rows:
    """For every song of the playlists laid end to end, the number of its playlist."""
    return np.repeat(np.arange(len(playlists)), [len(playlist) for playlist in playlists])


def blocks(queries: int, songs: int, most: int, longest: int | None = None) -> list[slice]:
    """Cut `queries` so that a block's scores against all `songs` stay within `most`, and a block within `longest`."""
    size = max(1, min(most // max(1, songs), longest or queries))
    return [slice(start, min(start + size, queries)) for start in range(0, queries, size)]


def _lengths(vectors: Floats) -> Floats:
    """The length of each row, 1 for a row of zeros: float32 (songs,)."""
    lengths = np.sqrt(np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64))
    lengths[lengths == 0] = 1
    return np.asarray(lengths, np.float32)


def _product(sides: Sequence[Side], block: slice) -> Floats:
    """What the candidates of a block get from each voter: float32 (candidates, voters).

    In this order, because BLAS is a third faster where the long side of the product comes first.
    """
    products = (_divided(side.candidates[block] @ side.voters.T, side.lengths, block) for side in sides)
    votes = next(products)
    for product in products:
        votes += product
    return votes


def _divided(product: Floats, lengths: Floats | None, block: slice) -> Floats:
    if lengths is not None:
        product /= lengths[block, None]
    return product
