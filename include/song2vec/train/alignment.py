"""Turn a new model onto the live version, so that vectors that services stored stay comparable.

Every training ends in a space of its own: cosines mean the same from day to day, the numbers of a vector do not. This
module turns the new space onto that of the live version by orthogonal Procrustes (Schönemann 1966, "A generalized
solution of the orthogonal Procrustes problem"). With the unit input vectors of the n songs that both models know,
A (n, d) of the new one and B (n, d) of the live version, row by row the same song::

    U S Vᵀ = AᵀB;    Q = U Vᵀ

Q (d, d) is, of all rotations and reflections, the one that minimises ``|A Q - B|²``, which is the one with the
greatest mean cosine between a song's new and old vector. Unit vectors, so that each song counts the same. Input and
output vectors are multiplied by the same Q: all lengths, all cosines and all products of an input and an output vector
stay what they are, to the precision of float32.

Where the shared songs do not span all d dimensions (they are fewer than d, or lie in a subspace), Q is right for what
they span; how the rest is turned makes no difference to them, and is left to the SVD. Where no song is shared, or the
live version has another number of dimensions, the model stays as it is, and the record says why.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import structlog
from numpy.typing import NDArray

from song2vec.errors import DataError
from song2vec.model import Floats, Model
from song2vec.playlists.corpus import Ints
from song2vec.records import HowAligned
from song2vec_client.format.alignment import Alignment, Distances
from song2vec_client.model import SongModel

log = structlog.get_logger(__name__)

BLOCK = 1 << 14
"""Songs that are held in float64 at a time, so that aligning needs no copy of a matrix."""

Doubles = NDArray[np.float64]


def align_to_live(model: Model, live: SongModel | None, *, enabled: bool = True) -> HowAligned:
    """Align `model`, in place, where it can be, and say in plain words what was done.

    Args:
        model: its float32 arrays, in memory, are overwritten.
        live: the live version; None: there is none.
        enabled: the setting ``train.align``.

    Raises:
        DataError: the live version's vectors hold NaN or infinity.
    """
    alignment = align(model, live) if enabled and live else None
    if live is None or alignment is None:
        sentence = f"Not aligned: {_why_not(model, live, enabled=enabled)}."
        log.info(sentence)
        return HowAligned(sentence=sentence, aligned=False)
    songs = f"{alignment.shared_songs:,} shared song{'s' * (alignment.shared_songs != 1)}"
    moved = f"moved by a median cosine distance of {alignment.after.median:.2g}"
    sentence = f"Aligned to {_name(live)}: {songs} {moved}."
    log.info(sentence, before=alignment.before.median)
    return HowAligned(sentence=sentence, aligned=True, **vars(alignment))


def align(model: Model, live: SongModel) -> Alignment | None:
    """Turn `model`, in place, onto `live`; None, and nothing is done, where that is impossible.

    Raises:
        DataError: the live version's vectors hold NaN or infinity.
    """
    shared = _Shared.of(model, live)
    if live.dimensions != model.vectors.shape[1] or not len(shared.rows):
        return None
    turn = rotation(shared.cross_product())
    before = _distances(shared)
    for matrix in (model.vectors, model.context):
        rotate(matrix, turn)
    return Alignment(live.version, len(shared.rows), before, _distances(shared))


def rotation(cross_product: Doubles) -> Doubles:
    """Find the orthogonal Q that turns A onto B best.

    Args:
        cross_product: float64 (d, d), AᵀB.

    Returns:
        float64 (d, d); rows of A are turned by ``A @ Q``.
    """
    u, _, vt = np.linalg.svd(cross_product)
    turn: Doubles = u @ vt
    return turn


def rotate(matrix: Floats, turn: Doubles) -> None:
    """Multiply every row of `matrix`, float32 (songs, d), by `turn`, float64 (d, d), in place."""
    for start in range(0, len(matrix), BLOCK):
        matrix[start : start + BLOCK] = matrix[start : start + BLOCK].astype(np.float64) @ turn


@dataclass(frozen=True)
class _Shared:
    """The songs that a model and the live version both know.

    Attributes:
        rows: int64 (shared,), their rows in `vectors`, float32 (songs, d) of the model.
        live_rows: int64 (shared,), their rows in `live_vectors`, float32 (songs of the live version, d).
    """

    vectors: Floats
    rows: Ints
    live_vectors: Floats
    live_rows: Ints

    @classmethod
    def of(cls, model: Model, live: SongModel) -> "_Shared":
        rows = model.vocabulary.rows_of(np.asarray(live.songs))
        return cls(model.vectors, rows[rows >= 0], live.vectors, np.flatnonzero(rows >= 0))

    def units(self) -> Iterator[tuple[Doubles, Doubles]]:
        """Blocks of A and B."""
        for start in range(0, len(self.rows), BLOCK):
            block = slice(start, start + BLOCK)
            yield _unit(self.vectors[self.rows[block]]), _unit(self.live_vectors[self.live_rows[block]])

    def cross_product(self) -> Doubles:
        d = self.vectors.shape[1]
        total = np.zeros((d, d))
        for ours, theirs in self.units():
            total += ours.T @ theirs
        if not np.isfinite(total).all():
            raise DataError(
                "the vectors of the model to align to hold NaN or infinity: name another one, or set train.align=false"
            )
        return total


def _unit(vectors: Floats) -> Doubles:
    """Rows of length 1; a row of zeros stays one."""
    doubles = vectors.astype(np.float64)
    lengths = np.linalg.norm(doubles, axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):  # infinity becomes NaN here, which `cross_product` refuses
        np.divide(doubles, lengths, out=doubles, where=lengths != 0)
    return doubles


def _distances(shared: _Shared) -> Distances:
    cosines = np.concatenate([np.einsum("nd,nd->n", ours, theirs) for ours, theirs in shared.units()])
    distances = np.clip(1 - cosines, 0, 2)
    figures = (distances.mean(), *np.quantile(distances, (0.5, 0.95)))
    return Distances(*(round(float(figure), 6) for figure in figures))


def _why_not(model: Model, live: SongModel | None, *, enabled: bool) -> str:
    if not enabled:
        return "train.align is off"
    if live is None:
        return "there was no version to align to, or it was not named"
    ours, theirs = model.vectors.shape[1], live.dimensions
    if ours != theirs:
        return f"{_name(live)} has {theirs} dimensions, this model {ours}"
    return f"{_name(live)} shares no song with this model"


def _name(live: SongModel) -> str:
    return live.version or "an unpublished model"
