"""iALS: implicit alternating least squares, with what later work found of it (Rendle et al. 2022).

The loss of *Revisiting the Performance of iALS on Item Recommendation Benchmarks* (RecSys 2022), of playlists' vectors
``w_u`` and songs' vectors ``h_i``, where playlist u holds n_u of all N songs and n_i of all M playlists hold song i::

    sum over songs i of playlists u of (1 - w_u·h_i)²  +  α sum over all u, i of (w_u·h_i)²
      +  λ (sum over u of (n_u + α N) |w_u|²  +  sum over i of (n_i + α M) |h_i|²)

Each sweep solves for all ``w`` with ``h`` as it is, then for all ``h``. A playlist that was not trained on is folded
in: its ``w`` is solved for in the same way.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from benchmarks.quality.data import Score
from numpy.typing import NDArray

from song2vec.model import Floats
from song2vec.playlists.corpus import Ints
from song2vec.plumbing.threads import each

THREADS = 2
BATCH = 2**22  # numbers gathered at a time by a thread: 16 MiB


@dataclass(frozen=True)
class IalsSettings:
    """What is tuned.

    Attributes:
        factors: dimensions.
        unobserved: α, the weight of a pair of playlist and song, whether it was observed or not.
        regularisation: λ.
        sweeps: how often all vectors are solved for.
    """

    factors: int
    unobserved: float
    regularisation: float
    sweeps: int


def train(table: Any, settings: IalsSettings) -> Score:
    """Train on `table`.

    Args:
        table: sparse float32 (playlists, songs), 1 where a playlist holds a song.
        settings: what is tuned.

    Returns:
        What folds in each playlist it is asked of and scores all songs for it.
    """
    for _, songs in sweeps(table, settings):
        trained = songs
    return lambda asked: solve(asked, trained, settings) @ trained.T


def sweeps(table: Any, settings: IalsSettings) -> Iterator[tuple[Floats, Floats]]:
    """After each sweep the vectors of playlists and of songs: float32 (playlists, factors), (songs, factors)."""
    random = np.random.default_rng(1)
    deviation = 0.1 / np.sqrt(settings.factors)
    songs = random.normal(0, deviation, (table.shape[1], settings.factors)).astype(np.float32)
    by_playlist, by_song = table.tocsr(), table.T.tocsr()
    for _ in range(settings.sweeps):
        playlists = solve(by_playlist, songs, settings)
        songs = solve(by_song, playlists, settings)
        yield playlists, songs


def solve(table: Any, others: Floats, settings: IalsSettings) -> Floats:
    """The vector of each row of the table that makes the loss least, `others` being as they are.

    ``x = (α H'H + V'V + penalty I)^-1 V'1``, V being the rows of H that the row holds. In the eigenbasis of H'H the
    first and the last term are a diagonal D, so that a row which holds n songs costs one solution of n equations
    (Woodbury): ``x = D^-1 V' (I + V D^-1 V')^-1 1``, or of as many as there are factors where that is less.

    Args:
        table: sparse (rows, others), what each row holds.
        others: H, float32 (others, factors).
        settings: what is tuned.

    Returns:
        float32 (rows, factors).
    """
    from threadpoolctl import threadpool_limits

    weight, held = settings.unobserved, np.diff(table.indptr)
    penalties = settings.regularisation * (held + weight * len(others))
    solved = np.zeros((len(held), settings.factors), np.float32)
    with threadpool_limits(1, "blas"):  # the threads are ours
        values, basis = np.linalg.eigh((weight * (others.T @ others)).astype(np.float64))
        turned = np.vstack([others @ basis.astype(np.float32), np.zeros((1, settings.factors), np.float32)])

        def solve_rows(rows: Ints) -> None:
            diagonals = (np.maximum(values, 0) + penalties[rows, None]).astype(np.float32)
            solved[rows] = _solve_batch(turned[_padded(table, rows)], diagonals)

        for _ in each(solve_rows, _batches(held, settings.factors), THREADS):
            pass
        return solved @ basis.T.astype(np.float32)


def _solve_batch(vectors: Floats, diagonals: Floats) -> Floats:
    """Solve for several rows: vectors (rows, held, factors), 0 where a row holds fewer; diagonals (rows, factors)."""
    _, held, factors = vectors.shape
    if held < factors:
        scaled = vectors / diagonals[:, None, :]
        equations = vectors @ scaled.transpose(0, 2, 1)
        equations[:, np.arange(held), np.arange(held)] += 1
        ones = np.ones((*equations.shape[:2], 1), np.float32)
        return (np.linalg.solve(equations, ones).transpose(0, 2, 1) @ scaled)[:, 0]
    equations = vectors.transpose(0, 2, 1) @ vectors
    equations[:, np.arange(factors), np.arange(factors)] += diagonals
    return np.asarray(np.linalg.solve(equations, vectors.sum(axis=1)[:, :, None])[:, :, 0])


def _padded(table: Any, rows: Ints) -> NDArray[np.int64]:
    """What each of `rows` holds, int64 (rows, most), filled up with -1."""
    starts, stops = table.indptr[rows], table.indptr[rows + 1]
    places = starts[:, None] + np.arange((stops - starts).max())
    return np.where(places < stops[:, None], table.indices[np.minimum(places, len(table.indices) - 1)], -1)


def _batches(held: NDArray[Any], factors: int) -> Iterator[Ints]:
    """Rows that hold about as much, some `BATCH` numbers at a time; rows that hold nothing are in none."""
    order = np.argsort(-held, kind="stable")[: np.count_nonzero(held)]
    start = 0
    while start < len(order):
        stop = start + max(1, BATCH // (int(held[order[start]]) * factors))
        yield order[start:stop]
        start = stop
