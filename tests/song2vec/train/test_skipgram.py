"""The compiled loop against the same formula in plain numpy, in float64."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from song2vec.train.compiled import PASSAGE
from song2vec.train.skipgram import alias_table, cut_passages, train_passages
from song2vec.train.skipgram_trainer import keep_probabilities

ALPHA, DECAY, BEGIN = 0.1, 0.03, 1e-3


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def drawn_inputs(songs: int, share: float, rng: np.random.Generator) -> np.ndarray:
    """S of the docstring, drawn as the loop draws: a row's songs are swapped to the front one after the other."""
    matrix = np.zeros((songs, songs))
    for i in range(songs):
        several = share > 0 and rng.random() < share
        size = 1 + int(rng.random() * (songs // 2)) if several else 1
        order = list(range(songs))
        order[0], order[i] = i, 0
        for j in range(1, size):
            other = j + int(rng.random() * (songs - j))
            order[j], order[other] = order[other], order[j]
        matrix[i, order[:size]] = 1 / np.sqrt(size)
    return matrix


def one_passage(
    songs: list[int], *, window: float, far: float, negative: float, share: float = 0, seed: int = 0
) -> list[np.ndarray]:
    """The four arrays before, as the formula in the docstring moves them, and as the loop moved them.

    Song 0 alone is drawn as noise, so that the formula knows which.
    """
    rng, same = np.random.default_rng(seed), np.random.default_rng(seed)
    vectors, context = (rng.normal(size=(8, 5)).astype(np.float32) for _ in range(2))
    same.normal(size=(2, 8, 5))
    expected = [vectors.astype(np.float64), context.astype(np.float64)]
    steps = [np.full(8, BEGIN, np.float32), np.full(8, BEGIN, np.float32)]
    chance, alias = alias_table(np.eye(8)[0])
    train_passages(
        np.array(songs, np.int32), np.zeros(1, np.uint32), np.array([len(songs)], np.uint8), vectors, context,
        steps[0], steps[1], np.ones(8, np.float32), chance, alias, rng,
        window=window, far_weight=far, subset_share=share, negative=negative, shared=3, alpha=ALPHA,
        weight_decay=DECAY,
    )  # fmt: skip
    sums = [np.full(8, BEGIN), np.full(8, BEGIN)]
    same.random(3)  # the noise songs
    mix = drawn_inputs(len(songs), share, same)
    known = np.array([np.isin(np.arange(8), np.array(songs)[row > 0]) for row in mix])  # (inputs, all songs)
    distance = np.abs(np.subtract.outer(np.arange(len(songs)), np.arange(len(songs))))
    weights = np.maximum(far, 1 - (distance - 1) / window) * np.not_equal.outer(songs, songs)
    total = weights.sum(axis=1, keepdims=True)
    weights = np.divide(weights, total, out=np.zeros_like(weights), where=total > 0) * ~known[:, songs]
    a, p, n = expected[0][songs], expected[1][songs], expected[1][[0, 0, 0]]
    u = mix @ a
    positive = weights * sigmoid(-u @ p.T)
    noise = -negative / 3 * sigmoid(u @ n.T) * (0 not in songs) * weights.sum(axis=1, keepdims=True)
    moves = [(0, songs, mix.T @ (positive @ p + noise @ n)), (1, songs, positive.T @ u), (1, [0, 0, 0], noise.T @ u)]
    for matrix, rows, gradient in moves:
        for row, g in zip(rows, gradient, strict=True):
            sums[matrix][row] += (g**2).mean()
            expected[matrix][row] += ALPHA * (g - DECAY * expected[matrix][row]) / np.sqrt(sums[matrix][row])
    return [*expected, *sums, vectors, context, *steps]


@given(
    songs=st.lists(st.integers(0, 7), min_size=2, max_size=PASSAGE),
    window=st.integers(1, 100),
    far=st.just(0.0) | st.floats(0.001, 1),
    negative=st.floats(0.5, 30),
    share=st.sampled_from([0, 0.5, 1]),
    seed=st.integers(0, 99),
)
def test_a_passage_moves_both_matrices_by_the_gradient(
    songs: list[int], *, window: int, far: float, negative: float, share: float, seed: int
) -> None:
    arrays = one_passage(songs, window=window, far=far, negative=negative, share=share, seed=seed)
    for expected, moved in zip(arrays[:4], arrays[4:], strict=True):
        np.testing.assert_allclose(moved, expected, rtol=2e-3, atol=2e-4)


@pytest.mark.parametrize("songs", [[1, 2], [1, 2, 3]])
def test_songs_of_which_no_half_is_several_predict_each_other_alone(songs: list[int]) -> None:
    alone, together = (one_passage(songs, window=5, far=0.2, negative=5, share=share)[4:] for share in (0, 1))
    assert all(np.array_equal(one, other) for one, other in zip(alone, together, strict=True))


@pytest.mark.parametrize("songs", [[3], [3, 3, 3, 3, 3, 3]])
def test_where_there_is_no_other_song_to_predict_nothing_moves_but_by_decay(songs: list[int]) -> None:
    vectors, context = one_passage(songs, window=5, far=0.2, negative=5, share=1)[4:6]
    rng = np.random.default_rng(0)
    for matrix in (vectors, context):
        before = rng.normal(size=(8, 5)).astype(np.float32)
        kept = (1 - ALPHA * DECAY / np.sqrt(BEGIN)) ** (len(songs) if len(songs) > 1 else 0)
        before[3] *= kept
        if len(songs) > 1 and matrix is context:  # as noise
            before[0] *= (1 - ALPHA * DECAY / np.sqrt(BEGIN)) ** 3
        np.testing.assert_allclose(matrix, before, rtol=1e-4)


@given(weights=st.lists(st.floats(0, 1e6), min_size=1, max_size=60).filter(lambda weights: sum(weights) > 1e-3))
def test_the_alias_table_is_the_distribution(weights: list[float]) -> None:
    chance, alias = alias_table(np.array(weights))
    distribution = np.bincount(np.arange(len(weights)), chance, len(weights)) + np.bincount(
        alias, 1 - chance, len(weights)
    )
    np.testing.assert_allclose(distribution / len(weights), np.array(weights) / sum(weights), atol=1e-5)


@given(playlists=st.lists(st.integers(0, 5 * PASSAGE), max_size=12), seed=st.integers(0, 99))
def test_passages_are_the_playlists_with_nothing_left_out(playlists: list[int], seed: int) -> None:
    offsets = np.cumsum([0, *playlists])
    starts, lengths = cut_passages(offsets, np.random.default_rng(seed))
    ends = starts + lengths
    songs = [song for start, end in zip(starts, ends, strict=True) for song in range(start, end)]
    assert sorted(songs) == list(range(offsets[-1]))
    owners = [np.searchsorted(offsets, [start, end - 1], side="right") for start, end in zip(starts, ends, strict=True)]
    assert all(first == last for first, last in owners)
    assert all(0 < length <= PASSAGE for length in lengths)


def test_passages_come_in_every_order() -> None:
    rng = np.random.default_rng(1)
    orders = [tuple(cut_passages(np.arange(4), rng)[0].tolist()) for _ in range(600)]
    assert len(set(orders)) == 6
    assert min(orders.count(order) for order in set(orders)) > 60


def test_a_long_playlist_is_cut_elsewhere_in_another_epoch() -> None:
    offsets = np.array([0, 1_000])
    cuts = [set(cut_passages(offsets, np.random.default_rng(seed))[0].tolist()) for seed in range(4)]
    assert len(set.intersection(*cuts) - {0}) == 0


def test_frequent_songs_are_read_less_often_as_in_word2vec() -> None:
    keep = keep_probabilities(np.array([900, 99, 1]), 0.01)
    assert keep == pytest.approx([(np.sqrt(90) + 1) / 90, (np.sqrt(9.9) + 1) / 9.9, 1])
    assert keep_probabilities(np.array([5, 1]), 0).tolist() == [1, 1]


def test_all_of_blas_is_loaded_before_its_threads_are_limited() -> None:
    code = """
from threadpoolctl import threadpool_info
from tests.song2vec.train.test_skipgram import one_passage
before = {library["filepath"] for library in threadpool_info()}
one_passage([1, 2], window=5, far=0.2, negative=5)
assert {library["filepath"] for library in threadpool_info()} == before, before
"""
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONPATH": f"include{os.pathsep}."})
