"""The hot loop of training: skip-gram with negative sampling, one passage of a playlist at a time.

Import it where training begins, not before: it loads numba, which compiles it once and keeps the result on disk.

A passage is a piece of one playlist, of L songs. With the input vectors A (L, d) and the output vectors P (L, d)
of its songs, and the output vectors N (K, d) of K noise songs that the whole passage shares, it adds to the loss
of skip-gram with negative sampling (Mikolov et al. 2013, equation 4)::

    sum over i, j of  w_ij · -log σ(A_i · P_j)   +   negative / K · sum over i, k of  -log σ(-A_i · N_k)

    w_ij = max(far_weight, 1 - (|i - j| - 1) / window), 0 where both are the same song, each row scaled to sum 1

The first term of the weight is what gensim's windows of random size come to on average; ``far_weight`` lets the rest
of the playlist count too. Every song that is read counts 1, so that long playlists do not outweigh short ones, and the
expected gradient is that of ``negative`` noise songs a pair, although only K are drawn a passage: sharing them turns
all scores and all gradients into six matrix products (Ji et al. 2016, "Parallelizing Word2Vec in Shared and Distributed
Memory"), which BLAS does near the speed of the processor.

A row r of either matrix moves by AdaGrad (Duchi et al. 2011) with one step size a row::

    h_r += mean of g²;    row_r += alpha · (g - weight_decay · row_r) / sqrt(h_r)

A song that was seen a few times moves far each time, a frequent one hardly any more: that is why a few passes are
enough where plain gradient descent takes a hundred. The decay, outside h as in AdamW (Loshchilov and Hutter 2019),
keeps the few playlists of a rare song from being learnt by heart.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.linalg import cython_blas  # noqa: F401 - what np.dot becomes: loaded now, so that its threads can be limited

from song2vec.corpus import Ints
from song2vec.model_files import Floats

PASSAGE = 64
"""Most songs of a passage."""

Rows = NDArray[np.int32]

_compiled = njit(nogil=True, fastmath=True, cache=True, error_model="numpy")
_F = np.float32


@_compiled
def train_passages(
    songs: Rows, starts: Ints, ends: Ints,
    vectors: Floats, context: Floats, vector_steps: Floats, context_steps: Floats,
    keep: Floats, chance: Floats, alias: Rows, rng: np.random.Generator,
    window: np.float32, far_weight: np.float32, negative: np.float32, shared: int,
    alpha: np.float32, weight_decay: np.float32,
) -> int:  # fmt: skip
    """Read passages in the order given and move the rows of both matrices. Several threads may run it on the same ones.

    Args:
        songs: int32 (words,), the playlists end to end, as rows of the matrices.
        starts: int64 (passages,), where each begins in `songs`.
        ends: int64 (passages,), where it ends; at most `PASSAGE` later.
        vectors: float32 (songs, d), C order; the input vectors.
        context: float32 (songs, d), C order; the output vectors.
        vector_steps: float32 (songs,), the h of each input row.
        context_steps: float32 (songs,), the h of each output row.
        keep: float32 (songs,), the probability that an occurrence of a song is read.
        chance: float32 (songs,), with `alias` the distribution of the noise songs; see `alias_table`.
        alias: int32 (songs,).
        rng: numpy Generator; each thread has its own.
        window: as above.
        far_weight: as above.
        negative: as above.
        shared: K, the noise songs a passage.
        alpha: as above.
        weight_decay: as above.

    Returns:
        How many songs were read, after down-sampling.
    """
    d = vectors.shape[1]
    rows, noise = np.empty(PASSAGE, np.int32), np.empty(shared, np.int32)
    A, P, N = np.empty((PASSAGE, d), _F), np.empty((PASSAGE, d), _F), np.empty((shared, d), _F)
    gA, gP, gN = np.empty((PASSAGE, d), _F), np.empty((PASSAGE, d), _F), np.empty((shared, d), _F)
    more = np.empty((PASSAGE, d), _F)
    near, far = np.empty(PASSAGE * PASSAGE, _F), np.empty((PASSAGE, shared), _F)
    read = 0
    for passage in range(len(starts)):
        L = _draw_songs(songs[starts[passage] : ends[passage]], keep, rng, rows)
        if L < 2:
            continue
        _draw_noise(chance, alias, rng, noise)
        _gather(vectors, rows[:L], A)
        _gather(context, rows[:L], P)
        _gather(context, noise, N)
        a, p, positive, negatives = A[:L], P[:L], near[: L * L].reshape(L, L), far[:L]
        np.dot(a, p.T, positive)
        np.dot(a, N.T, negatives)
        _errors(positive, negatives, rows[:L], noise, window, far_weight, negative)
        np.dot(positive, p, gA[:L])
        np.dot(negatives, N, more[:L])
        _add(more[:L], gA)
        np.dot(positive.T, a, gP[:L])
        np.dot(negatives.T, a, gN)
        _move(vectors, vector_steps, rows[:L], gA, alpha, weight_decay)
        _move(context, context_steps, rows[:L], gP, alpha, weight_decay)
        _move(context, context_steps, noise, gN, alpha, weight_decay)
        read += L
    return read


@_compiled
def _errors(
    positive: Floats, negatives: Floats, rows: Rows, noise: Rows,
    window: np.float32, far_weight: np.float32, negative: np.float32,
) -> None:  # fmt: skip
    """Turn products into what the gradients are made of: for each pair its weight times (label - σ(product))."""
    L, K = negatives.shape
    for i in range(L):
        total = _F(0)
        for j in range(L):
            total += _weight(i, j, rows, window, far_weight)
        scale = _F(1) / total if total > 0 else _F(0)
        for j in range(L):
            positive[i, j] = scale * _weight(i, j, rows, window, far_weight) * _sigmoid(-positive[i, j])
        weight = negative / _F(K) if total > 0 else _F(0)
        for k in range(K):
            error = -weight * _sigmoid(negatives[i, k])
            negatives[i, k] = error if noise[k] != rows[i] else _F(0)


@_compiled
def _weight(i: int, j: int, rows: Rows, window: np.float32, far_weight: np.float32) -> np.float32:
    weight = max(far_weight, _F(1) - _F(abs(i - j) - 1) / window)
    return weight if rows[i] != rows[j] else _F(0)


@_compiled
def _sigmoid(x: np.float32) -> np.float32:
    """1 / (1 + exp(-x)) to 1e-6 for all x, by a rational approximation of tanh that compiles to vector instructions.

    The coefficients are those of Eigen's ``ptanh``; beyond ±7.9 it stays at what it is there.
    """
    t = min(max(_F(0.5) * x, _F(-7.9)), _F(7.9))
    s = t * t
    p = s * _F(-2.76076847742355e-16) + _F(2.00018790482477e-13)
    p = p * s + _F(-8.60467152213735e-11)
    p = p * s + _F(5.12229709037114e-08)
    p = p * s + _F(1.48572235717979e-05)
    p = p * s + _F(6.37261928875436e-04)
    p = p * s + _F(4.89352455891786e-03)
    q = s * _F(1.19825839466702e-06) + _F(1.18534705686654e-04)
    q = q * s + _F(2.26843463243900e-03)
    q = q * s + _F(4.89352518554385e-03)
    return _F(0.5) + _F(0.5) * t * p / q


@_compiled
def _draw_songs(passage: Rows, keep: Floats, rng: np.random.Generator, rows: Rows) -> int:
    count = 0
    for song in passage:
        if keep[song] >= 1 or rng.random() < keep[song]:
            rows[count] = song
            count += 1
    return count


@_compiled
def _draw_noise(chance: Floats, alias: Rows, rng: np.random.Generator, noise: Rows) -> None:
    for k in range(len(noise)):
        place = rng.random() * len(chance)
        song = int(place)
        noise[k] = song if place - song < chance[song] else alias[song]


@_compiled
def _gather(matrix: Floats, rows: Rows, out: Floats) -> None:
    for i in range(len(rows)):
        row = rows[i]  # read once, or the compiler must fear that `out` overwrites it and copies one by one
        for x in range(matrix.shape[1]):
            out[i, x] = matrix[row, x]


@_compiled
def _add(more: Floats, out: Floats) -> None:
    for i in range(more.shape[0]):
        for x in range(more.shape[1]):
            out[i, x] += more[i, x]


@_compiled
def _move(
    matrix: Floats, steps: Floats, rows: Rows, gradient: Floats, alpha: np.float32, weight_decay: np.float32
) -> None:
    d = matrix.shape[1]
    for i in range(len(rows)):
        row, square = rows[i], _F(0)
        for x in range(d):
            square += gradient[i, x] * gradient[i, x]
        steps[row] += square / _F(d)
        step = alpha / np.sqrt(steps[row] + _F(1e-12))
        for x in range(d):
            matrix[row, x] += step * (gradient[i, x] - weight_decay * matrix[row, x])


@njit(cache=True)
def alias_table(weights: NDArray[np.float64]) -> tuple[Floats, Rows]:
    """Prepare drawing from a distribution in constant time: Walker's alias method, as Vose 1991 builds it.

    To draw: pick a place uniformly; keep it with probability ``chance[place]``, else take ``alias[place]``.

    Args:
        weights: float64 (n,), not negative, with a positive sum.

    Returns:
        chance float32 (n,) and alias int32 (n,).
    """
    n = len(weights)
    scaled = weights * (n / weights.sum())
    chance, alias = np.ones(n, np.float32), np.arange(n).astype(np.int32)
    waiting = np.empty(n, np.int32)  # places with too little from the front, with too much from the back
    small, large = 0, n
    for place in range(n):
        if scaled[place] < 1:
            waiting[small] = place
            small += 1
        else:
            large -= 1
            waiting[large] = place
    while small > 0 and large < n:
        small -= 1
        poor, rich = waiting[small], waiting[large]
        chance[poor], alias[poor] = scaled[poor], rich
        scaled[rich] -= 1 - scaled[poor]
        if scaled[rich] < 1:
            waiting[small] = rich
            small += 1
            large += 1
    return chance, alias
