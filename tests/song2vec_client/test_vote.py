"""How a model scores candidates, beside its definition, a song and a candidate at a time."""

import math
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from song2vec_client.vote import Neighbours, Vote, one_way, two_way, unit_rows

Matrix = np.ndarray

numbers = st.integers(-3, 3)  # far enough from each other and from 0 that rounding decides nothing


@dataclass
class Made:
    """A small model, and playlists of its rows."""

    vectors: Matrix
    context: Matrix
    counts: Matrix
    neighbours: Neighbours
    playlists: list[Matrix]

    @property
    def two_way(self) -> Vote:
        return two_way(unit_rows(self.vectors), unit_rows(self.context), self.counts, self.neighbours)


@st.composite
def made(draw: st.DrawFn) -> Made:
    songs, dimensions, width = draw(st.integers(1, 8)), draw(st.integers(1, 3)), draw(st.integers(0, 3))
    rows = st.integers(0, songs - 1)
    vectors, context = (draw(arrays(np.float32, (songs, dimensions), elements=numbers)) for _ in range(2))
    neighbours = Neighbours(
        draw(arrays(np.int32, (songs, width), elements=rows)),
        draw(arrays(np.float16, (songs, width), elements=st.integers(0, 8).map(lambda quarters: quarters / 4))),
    )
    playlists = draw(st.lists(st.lists(rows, max_size=6).map(lambda held: np.array(held, np.int64)), min_size=1))
    return Made(vectors, context, draw(arrays(np.int64, songs, elements=st.integers(0, 999))), neighbours, playlists)


def dot(one: Matrix, other: Matrix) -> float:
    return sum(float(a) * float(b) for a, b in zip(one, other, strict=True))


def direction(vector: Matrix) -> Matrix:
    return vector.astype(np.float64) / (math.hypot(*vector) or 1)


def by_definition(model: Made, playlist: Matrix, candidate: int) -> float:
    x, y = ([direction(vector) for vector in matrix] for matrix in (model.vectors, model.context))
    products = [dot(x[song], y[candidate]) + dot(y[song], x[candidate]) for song in playlist]
    votes = sum(max(product, product / 10) for product in products)
    beside = sum(
        float(weight)
        for song in playlist
        for row, weight in zip(model.neighbours.rows[song], model.neighbours.weights[song], strict=True)
        if row == candidate
    )
    return float(model.counts[candidate]) ** 0.1 * votes + beside


@given(made())
def test_two_way_is_what_it_is_defined_as(model: Made) -> None:
    scores = model.two_way.scores(model.playlists, 10**6)

    assert scores.dtype == np.float32
    expected = [
        [by_definition(model, playlist, song) for song in range(len(model.vectors))] for playlist in model.playlists
    ]
    np.testing.assert_allclose(scores, expected, rtol=1e-5, atol=1e-5)


@given(made())
def test_two_way_vectors_need_not_be_of_length_one(model: Made) -> None:
    raw = two_way(model.vectors, model.context, model.counts, model.neighbours, unit=False)

    expected = model.two_way.scores(model.playlists, 10**6)
    np.testing.assert_allclose(raw.scores(model.playlists, 10**6), expected, rtol=1e-4, atol=1e-4)


@given(made())
def test_one_way_is_what_it_is_defined_as(model: Made) -> None:
    scores = one_way(model.vectors, model.context).scores(model.playlists, 10**6)

    for playlist, of_playlist in zip(model.playlists, scores, strict=True):
        for candidate, score in enumerate(of_playlist):
            products = [dot(direction(model.vectors[song]), model.context[candidate]) for song in playlist]
            assert score == pytest.approx(sum(max(one, one / 10) for one in products), rel=1e-5, abs=1e-5)


@given(made(), st.integers(1, 60))
def test_scores_do_not_depend_on_how_the_work_is_cut(model: Made, most: int) -> None:
    together = model.two_way.scores(model.playlists, 10**6)

    np.testing.assert_allclose(model.two_way.scores(model.playlists, most), together, rtol=1e-5, atol=1e-5)
    alone = [model.two_way.scores([playlist], most)[0] for playlist in model.playlists]
    np.testing.assert_allclose(alone, together, rtol=1e-5, atol=1e-5)


@given(made(), st.floats(0.1, 9), st.floats(0.1, 9))
def test_two_way_only_the_directions_of_vectors_count(model: Made, of_vectors: float, of_context: float) -> None:
    scores = model.two_way.scores(model.playlists, 10**6)

    model.vectors = (model.vectors * of_vectors).astype(np.float32)
    model.context = (model.context * of_context).astype(np.float32)

    np.testing.assert_allclose(model.two_way.scores(model.playlists, 10**6), scores, rtol=1e-5, atol=1e-5)


def test_a_song_votes_as_often_as_a_playlist_holds_it_and_so_do_its_neighbours() -> None:
    unit = np.eye(3, dtype=np.float32)
    neighbours = Neighbours(np.array([[1], [2], [0]], np.int32), np.array([[0.5], [4], [8]], np.float16))
    vote = two_way(unit, unit[::-1].copy(), np.ones(3, np.int64), neighbours)

    once, twice = vote.scores([np.array([0]), np.array([0, 0])], 100)

    assert once.tolist() == [0, 0.5, 2]
    assert twice.tolist() == [0, 1, 4]


def test_what_a_song_adds_to_the_same_neighbour_from_several_songs_adds_up() -> None:
    nothing = np.zeros((3, 2), np.float32)
    neighbours = Neighbours(
        np.array([[2, 2], [2, 0], [0, 1]], np.int32), np.array([[1, 0], [2, 0.5], [9, 9]], np.float16)
    )

    scores = two_way(nothing, nothing, np.ones(3, np.int64), neighbours).scores([np.array([0, 1])], 100)

    assert scores.tolist() == [[0.5, 0, 3]]


def test_the_prior_is_not_of_what_neighbours_add() -> None:
    unit, counts = np.ones((2, 1), np.float32), np.array([1, 2**10])
    neighbours = Neighbours(np.array([[1], [0]], np.int32), np.ones((2, 1), np.float16))

    assert two_way(unit, unit, counts, neighbours).scores([np.array([0])], 100).tolist() == [[2, 5]]


@given(
    st.tuples(st.integers(1, 12), st.integers(1, 4)).flatmap(
        lambda shape: arrays(np.float32, shape, elements=st.floats(-4, 4, width=32))
    )
)
def test_unit_rows_have_length_one_and_zeros_stay(vectors: np.ndarray) -> None:
    lengths = np.linalg.norm(unit_rows(vectors).astype(np.float64), axis=1)
    expected = np.where((vectors != 0).any(axis=1), 1, 0)
    tiny = np.linalg.norm(vectors.astype(np.float64), axis=1) < 1e-30
    assert unit_rows(vectors).dtype == np.float32
    np.testing.assert_allclose(lengths[~tiny], expected[~tiny], atol=1e-5)
