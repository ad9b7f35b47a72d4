"""EASE: songs predicted from the other songs of a playlist by one ridge regression (Steck 2019).

Of *Embarrassingly Shallow Autoencoders for Sparse Data*: ``B = I - P / diag(P)`` with ``P = (X'X + λI)^-1`` and ``X``
the table of playlists × songs; a playlist ``q`` (0 and 1) is continued by ``q B``. That is an inverse as large as there
are songs. Where there are fewer playlists, the same ``B`` follows from one as large as there are playlists, by
Woodbury's identity: ``P = (I - X'KX) / λ`` with ``K = (XX' + λI)^-1``. For songs that ``q`` does not hold::

    (q B)_j  =  -(q P)_j / P_jj  =  (q X' K X)_j / (1 - x_j' K x_j),    x_j: column j of X

Where both are more than `MOST`, only the `MOST` most popular songs are known to it.
"""

from itertools import pairwise
from typing import Any

import numpy as np
from benchmarks.quality.data import Score
from numpy.typing import NDArray

from song2vec.model import Floats

MOST = 30_000  # rows of the inverse: 3.6 GB
BLOCK = 1_024


def known_songs(table: Any) -> int:
    """How many songs of the table (playlists, songs) EASE knows: the first ones."""
    playlists, songs = table.shape
    return songs if min(playlists, songs) <= MOST else MOST


def train(table: Any, regularisation: float) -> Score:
    """Train on `table`.

    Args:
        table: sparse float32 (playlists, songs), 1 where a playlist holds a song, the most popular songs first.
        regularisation: λ.

    Returns:
        What scores all songs for each playlist it is asked of; those of the shown songs mean nothing.
    """
    songs = known_songs(table)
    known = table[:, :songs].tocsr()
    score = (dual if known.shape[0] < songs else primal)(known, regularisation)

    def score_all(asked: Any) -> Floats:
        scores = np.full(asked.shape, -np.inf, np.float32)
        scores[:, :songs] = score(asked[:, :songs])
        return scores

    return score_all


def primal(table: Any, regularisation: float) -> Score:
    """By the inverse over songs; arguments as for `train`."""
    weights = _inverse(table.T.tocsr(), regularisation)
    weights /= -np.diag(weights)
    return lambda asked: asked @ weights


def dual(table: Any, regularisation: float) -> Score:
    """By the inverse over playlists; arguments as for `train`."""
    inverse, by_song = _inverse(table, regularisation), table.T.tocsr()
    holders = (by_song.indices[start:stop] for start, stop in pairwise(by_song.indptr))
    explained = np.array([inverse[playlists[:, None], playlists].sum() for playlists in holders], np.float32)
    return lambda asked: (by_song @ (inverse @ (table @ asked.T).toarray())).T / (1 - explained)


def _inverse(table: Any, regularisation: float) -> NDArray[np.float32]:
    """The inverse of ``table @ table.T + λI``, float32 (rows, rows), by Cholesky, in the place of the product."""
    from scipy.linalg.lapack import spotrf, spotri

    rows = table.shape[0]
    product = np.empty((rows, rows), np.float32)
    for start in range(0, rows, BLOCK):
        product[start : start + BLOCK] = (table[start : start + BLOCK] @ table.T).toarray()
    product[np.diag_indices(rows)] += regularisation
    factor, failed = spotrf(product.T, lower=True, overwrite_a=True, clean=False)
    inverse, failed = spotri(factor, lower=True, overwrite_c=True) if not failed else (factor, failed)
    if failed:
        raise ValueError(f"EASE: no inverse with a regularisation of {regularisation}: raise it")
    for start in range(0, rows, BLOCK):  # only one triangle is worked out
        stop = start + BLOCK
        square = np.tril(inverse[start:stop, start:stop])
        inverse[start:stop, start:stop] = square + np.tril(square, -1).T
        inverse[start:stop, stop:] = inverse[stop:, start:stop].T
    return np.asarray(inverse)
