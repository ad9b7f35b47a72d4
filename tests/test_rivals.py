"""The rivals of the quality benchmark are what they are defined as, and are tuned by the same search."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from benchmarks.quality import ease, ials
from benchmarks.quality.data import best_rows
from benchmarks.quality.tuning import climb
from hypothesis import given
from hypothesis import strategies as st

from song2vec.playlists.corpus import Ragged

SEEDS = st.integers(0, 2**32 - 1)


def random_table(seed: int, playlists: int, songs: int, share: float = 0.3) -> Any:
    from scipy.sparse import csr_array

    random = np.random.default_rng(seed)
    return csr_array((random.random((playlists, songs)) < share).astype(np.float32))


@given(SEEDS, st.integers(1, 12), st.integers(2, 12), st.floats(1, 100))
def test_ease_by_playlists_is_ease_by_songs_is_ease(seed: int, playlists: int, songs: int, regularisation: float):
    table, asked = random_table(seed, playlists, songs), random_table(seed + 1, 4, songs)
    dense = table.toarray().astype(np.float64)
    inverse = np.linalg.inv(dense.T @ dense + regularisation * np.eye(songs))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    hidden = asked.toarray() == 0
    expected = (asked.toarray() @ weights)[hidden]

    for by in (ease.primal, ease.dual, ease.train):
        np.testing.assert_allclose(by(table, regularisation)(asked)[hidden], expected, rtol=1e-3, atol=1e-5)


def test_ease_knows_all_songs_unless_playlists_and_songs_are_too_many_for_an_inverse():
    from scipy.sparse import csr_array

    for shape, known in (((50, 10**6), 10**6), ((10**6, 50), 50), ((10**5, 10**6), ease.MOST)):
        assert ease.known_songs(csr_array(shape)) == known


def loss(table: Any, playlists: Any, songs: Any, settings: ials.IalsSettings) -> float:
    held, scores = table.toarray(), (playlists @ songs.T).astype(np.float64)
    weight = settings.unobserved
    penalties = [
        (held.sum(axis=axis) + weight * held.shape[axis]) @ (vectors.astype(np.float64) ** 2).sum(axis=1)
        for axis, vectors in ((1, playlists), (0, songs))
    ]
    fit = (held * (1 - scores) ** 2).sum() + weight * (scores**2).sum()
    return float(fit + settings.regularisation * sum(penalties))


@given(SEEDS, st.integers(1, 5), st.floats(0.01, 1), st.floats(0.001, 0.1))
def test_each_sweep_of_ials_makes_its_loss_less(seed: int, factors: int, unobserved: float, regularisation: float):
    table = random_table(seed, 9, 12)
    settings = ials.IalsSettings(factors, unobserved, regularisation, sweeps=5)
    losses = [loss(table, playlists, songs, settings) for playlists, songs in ials.sweeps(table, settings)]
    assert len(losses) == 5
    assert all(after <= before * (1 + 1e-5) + 1e-6 for before, after in pairwise(losses))


@given(SEEDS, st.integers(1, 12))
def test_ials_solves_the_equations_of_each_row(seed: int, factors: int):
    """Rows that hold fewer songs than there are factors and rows that hold more, which it solves in two ways."""
    table, settings = random_table(seed, 7, 10, 0.5), ials.IalsSettings(factors, 0.1, 0.01, sweeps=1)
    others = np.random.default_rng(seed).normal(size=(10, factors)).astype(np.float32)

    found = ials.solve(table, others, settings)

    for row, held in zip(found, table.toarray() > 0, strict=True):
        theirs = others[held].astype(np.float64)
        penalty = 0.01 * (held.sum() + 0.1 * 10)
        equations = 0.1 * others.T @ others + theirs.T @ theirs + penalty * np.eye(factors)
        np.testing.assert_allclose(row, np.linalg.solve(equations, theirs.sum(axis=0)), rtol=5e-3, atol=5e-4)


def test_ials_finds_the_songs_of_a_taste():
    """Two groups of songs that no playlist mixes."""
    from scipy.sparse import csr_array

    table = np.zeros((40, 20), np.float32)
    random = np.random.default_rng(1)
    for number, playlist in enumerate(table):
        playlist[random.choice(10, 6, replace=False) + 10 * (number % 2)] = 1
    score = ials.train(csr_array(table), ials.IalsSettings(2, 0.5, 0.1, sweeps=8))
    scores = score(csr_array(np.eye(20, dtype=np.float32)[[3, 15]]))
    assert scores[0, :10].min() > scores[0, 10:].max()
    assert scores[1, 10:].min() > scores[1, :10].max()


def test_best_songs_are_those_not_shown_and_then_none():
    shown = Ragged(np.array([2, 2, 0]), np.array([0, 2, 3, 3]))
    best = best_rows(lambda asked: np.tile(np.array([1, 3, 2], np.float32), (asked.shape[0], 1)), shown, 3)
    assert best[:, :4].tolist() == [[1, 0, -1, -1], [1, 2, -1, -1], [1, 2, 0, -1]]


@given(st.lists(st.integers(0, 9), min_size=2, max_size=2), st.lists(st.integers(0, 9), min_size=2, max_size=2))
def test_the_search_climbs_to_the_top_of_a_hill(top: list[int], start: list[int]):
    asked = []

    def height(settings: Mapping[str, float]) -> float:
        asked.append(tuple(settings.values()))
        return -abs(settings["a"] - top[0]) - abs(settings["b"] - top[1])

    axes = {"a": range(10), "b": range(10)}
    assert climb(axes, dict(zip("ab", start, strict=True)), height, 100) == {"a": top[0], "b": top[1]}
    assert len(asked) == len(set(asked))


@pytest.mark.parametrize("trials", [1, 2, 3])
def test_the_search_tries_no_more_than_it_may(trials: int):
    asked = []

    def height(settings: Mapping[str, float]) -> float:
        asked.append(settings["a"])
        return settings["a"]

    assert climb({"a": range(10)}, {"a": 4}, height, trials) == {"a": 3 + trials}
    assert asked == list(range(4, 4 + trials))


def test_what_has_nothing_to_tune_is_measured_once():
    asked = []

    def measure(settings: Mapping[str, float]) -> float:
        asked.append(settings)
        return 0.5

    assert climb({}, {}, measure, 10) == {}
    assert asked == [{}]
