"""The strongest neighbours of each song are those of the definition, at the weight that ranks best."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from song2vec.model import Model
from song2vec.playlists.corpus import Ragged, Vocabulary
from song2vec.train import neighbours
from song2vec.train.measuring import Validation
from song2vec.train.neighbours import EXPONENTS, USUAL, strongest_neighbours, with_neighbours
from song2vec_client.format.layout import TWO_WAY

SONGS = 8
PLAYLISTS = st.lists(st.lists(st.integers(0, SONGS - 1), max_size=6), min_size=1, max_size=8)


def ragged(*lists: list[int]) -> Ragged:
    return Ragged(
        np.array([item for items in lists for item in items], dtype=np.int64), np.cumsum([0, *map(len, lists)])
    )


def similarity(playlists: list[set[int]], shown: int, candidate: int) -> float:
    """As it is defined, a playlist at a time."""
    together = sum(len(held) ** -EXPONENTS.length for held in playlists if {shown, candidate} <= held)
    holders = [sum(song in held for held in playlists) for song in (shown, candidate)]
    return together / (holders[0] ** EXPONENTS.shown * holders[1] ** EXPONENTS.candidate) if together else 0.0


@given(PLAYLISTS, st.integers(1, SONGS + 2))
def test_the_strongest_neighbours_are_those_of_the_definition(playlists: list[list[int]], most: int) -> None:
    rows, weights = strongest_neighbours(ragged(*playlists), SONGS, most, threads=1)

    sets, width = [set(songs) for songs in playlists], min(most, SONGS - 1)
    assert (rows.dtype, weights.dtype, rows.shape, weights.shape) == (np.int32, np.float32, *[(SONGS, width)] * 2)
    for song in range(SONGS):
        alike = {other: similarity(sets, song, other) for other in range(SONGS) if other != song}
        assert weights[song] == pytest.approx(sorted(alike.values(), reverse=True)[:width], rel=1e-5)
        found = rows[song][weights[song] > 0].tolist()  # of those that tie, any
        assert len(set(found)) == len(found)
        assert weights[song][: len(found)] == pytest.approx([alike[other] for other in found], rel=1e-5)


def test_of_neighbours_that_tie_the_more_frequent_come_first() -> None:
    rows, weights = strongest_neighbours(ragged([0, 1, 2, 3]), 4, 2, threads=1)

    assert rows.tolist() == [[1, 2], [0, 2], [0, 1], [0, 1]]
    assert weights == pytest.approx(np.full((4, 2), 0.5))


@pytest.mark.parametrize(("pairs", "threads"), [(1, 1), (100, 1), (1_000, 3), (10**9, 2)])
def test_the_answer_does_not_depend_on_how_the_work_is_cut(
    pairs: int, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(1)
    playlists = ragged(*(rng.integers(0, 60, size).tolist() for size in rng.integers(0, 20, 80)))
    expected = strongest_neighbours(playlists, 64, 5, threads=1)

    monkeypatch.setattr(neighbours, "BLOCK_PAIRS", pairs)
    found = strongest_neighbours(playlists, 64, 5, threads)

    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


NEAR = ragged([0, 1], [0, 1], [2, 3])
"""Playlists by which song 1 is beside song 0."""
FAR = ragged([0, 3], [0, 3], [1, 2])
"""Playlists by which song 3 is."""


def model() -> Model:
    """By its vectors song 2 follows song 0, song 1 half as much, and song 3 not at all."""
    vectors = np.array([[1, 0], [1, 0], [1, 0], [0, 1]], np.float32)
    context = np.array([[1, 0], [0, 1], [1, 0], [0, 1]], np.float32)
    return Model(Vocabulary(np.arange(4), np.ones(4, np.int64)), vectors, context, TWO_WAY)


def test_neighbours_weigh_more_where_they_find_what_vectors_do_not() -> None:
    found, weight = with_neighbours(model(), FAR, 2, Validation(ragged([0]), ragged([3])), threads=1)

    assert weight > USUAL
    assert found.served().continue_playlist([0], 1)[0].tolist() == [3]


def test_neighbours_weigh_less_where_the_vectors_know_better() -> None:
    found, weight = with_neighbours(model(), NEAR, 2, Validation(ragged([0]), ragged([2])), threads=1)

    assert weight < USUAL
    assert found.served().continue_playlist([0], 1)[0].tolist() == [2]


def test_without_playlists_to_choose_on_the_weight_is_the_usual_one() -> None:
    found, weight = with_neighbours(model(), NEAR, 2, None, threads=1)

    assert weight == USUAL
    assert found.neighbours is not None
    assert (found.neighbours.rows.dtype, found.neighbours.weights.dtype) == (np.int32, np.float16)


def test_a_weight_is_never_more_than_the_published_type_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "USUAL", 1e9)

    found, _ = with_neighbours(model(), NEAR, 2, None, threads=1)

    assert found.neighbours is not None
    assert np.isfinite(found.neighbours.weights).all()


def test_songs_that_never_stand_beside_another_have_no_neighbours() -> None:
    found, weight = with_neighbours(model(), ragged([0], [1, 1], [], [2], [3]), 2, None, threads=1)

    assert weight == USUAL
    assert found.neighbours is not None
    assert not found.neighbours.weights.any()


@given(PLAYLISTS, st.integers(1, 3))
def test_a_weight_is_what_the_median_song_adds_to_its_strongest_neighbour(
    playlists: list[list[int]], most: int
) -> None:
    ones = np.ones((SONGS, 2), np.float32)
    plain = Model(Vocabulary(np.arange(SONGS), np.ones(SONGS, np.int64)), ones, ones, TWO_WAY)

    found, weight = with_neighbours(plain, ragged(*playlists), most, None, threads=1)

    assert found.neighbours is not None
    strongest = found.neighbours.weights[:, 0].astype(np.float64)
    assert np.isfinite(found.neighbours.weights).all()
    assert not strongest.any() or np.median(strongest[strongest > 0]) == pytest.approx(weight, rel=1e-3)
