"""Turning a model onto the live version: it lies as near as it can, and nothing inside it changes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from song2vec.errors import DataError
from song2vec.model import Model
from song2vec.playlists.corpus import Vocabulary
from song2vec.train.alignment import BLOCK, align, align_to_live, rotation
from song2vec_client.format.alignment import Alignment
from song2vec_client.model import SongModel

VERSION = "20260131T040000Z-0123abcd"
sizes = st.integers(1, 30)  # songs: also fewer than dimensions
dimensions = st.integers(2, 12)
seeds = st.integers(0, 2**32 - 1)


def model_of(vectors, context=None, songs=None):
    songs = np.arange(len(vectors)) if songs is None else np.asarray(songs)
    context = vectors if context is None else context
    vectors, context = (np.array(matrix, np.float32) for matrix in (vectors, context))
    return Model(Vocabulary(songs, np.ones(len(songs), np.int64)), vectors, context)


def live_of(vectors, songs=None):
    songs = np.arange(len(vectors)) if songs is None else np.asarray(songs)
    vectors = np.array(vectors, np.float32)
    return SongModel(songs, np.ones(len(songs), np.int64), vectors, vectors, VERSION)


def random_turn(rng, d):
    """Rotations and reflections alike."""
    return np.linalg.qr(rng.normal(size=(d, d)))[0] * rng.choice([-1, 1], d)


@given(dimensions, st.integers(0, 12), seeds)
def test_a_turn_is_orthogonal_whatever_the_rank(d, rank, seed):
    rng = np.random.default_rng(seed)
    turn = rotation(rng.normal(size=(d, rank)) @ rng.normal(size=(rank, d)))

    np.testing.assert_allclose(turn @ turn.T, np.eye(d), atol=1e-12)


@given(sizes, dimensions, seeds)
def test_aligning_changes_no_product_and_no_length_inside_the_model(n, d, seed):
    rng = np.random.default_rng(seed)
    vectors, context = rng.normal(size=(2, n, d)).astype(np.float32)
    model, live = model_of(vectors, context), live_of(rng.normal(size=(n, d)))

    align(model, live)

    for a, b, was_a, was_b in (
        (model.vectors, model.vectors, vectors, vectors),
        (model.vectors, model.context, vectors, context),
        (model.context, model.context, context, context),
    ):
        np.testing.assert_allclose(a @ b.T, was_a @ was_b.T, atol=2e-6 * d, rtol=0)


@given(sizes, dimensions, seeds)
def test_a_turned_copy_comes_back_onto_the_live_version(n, d, seed):
    rng = np.random.default_rng(seed)
    vectors, turn, order = rng.normal(size=(n, d)), random_turn(rng, d), rng.permutation(n)
    model = model_of((vectors @ turn)[order], songs=order)

    alignment = align(model, live_of(vectors))

    np.testing.assert_allclose(model.vectors, vectors[order], atol=1e-5)
    assert (alignment.to, alignment.shared_songs) == (VERSION, n)
    assert alignment.after.p95 <= 1e-6


@given(st.integers(12, 30), dimensions, seeds)
def test_songs_of_one_side_only_are_turned_along(n, d, seed):
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(2 * n, d))  # the live version knows the even songs and some more; the model knows all
    songs = np.arange(2 * n)
    live = live_of(np.vstack([vectors[::2], rng.normal(size=(3, d))]), [*songs[::2], 900, 901, 902])
    model = model_of(vectors @ random_turn(rng, d))

    assert align(model, live).shared_songs == n

    np.testing.assert_allclose(model.vectors, vectors, atol=1e-4)
    np.testing.assert_allclose(model.context, vectors, atol=1e-4)


@given(sizes, dimensions, seeds)
def test_no_other_turn_brings_the_songs_nearer(n, d, seed):
    rng = np.random.default_rng(seed)
    model, live = model_of(rng.normal(size=(n, d))), live_of(rng.normal(size=(n, d)))

    alignment = align(model, live)

    assert alignment.after.mean <= alignment.before.mean + 1e-6
    for _ in range(5):
        assert alignment.after.mean <= mean_distance(model.vectors @ random_turn(rng, d), live.vectors) + 1e-6


def test_the_distances_are_those_of_the_vectors_before_and_after():
    rng = np.random.default_rng(1)
    vectors, live = rng.normal(size=(BLOCK + 3, 4)), live_of(rng.normal(size=(BLOCK + 3, 4)))  # more than a block
    model = model_of(vectors)

    alignment = align(model, live)

    for told, now in ((alignment.before, vectors), (alignment.after, model.vectors)):
        distances = 1 - cosines(now, live.vectors)
        figures = [distances.mean(), np.median(distances), np.quantile(distances, 0.95)]
        np.testing.assert_allclose([told.mean, told.median, told.p95], figures, atol=1e-5)


def test_a_vector_of_zeros_stays_one_and_moves_nobody():
    vectors = np.array([[1, 2], [3, -1], [0, 0]])
    model = model_of(vectors[:, ::-1])

    alignment = align(model, live_of(vectors))

    np.testing.assert_allclose(model.vectors, vectors, atol=1e-6)
    assert alignment.after.median == 0


@pytest.mark.parametrize(
    ("live", "enabled", "words"),
    [
        (None, True, "Not aligned: there was no version to align to, or it was not named."),
        (live_of(np.eye(2)), False, "Not aligned: train.align is off."),
        (live_of(np.eye(3)), True, f"Not aligned: {VERSION} has 3 dimensions, this model 2."),
        (live_of(np.eye(2), [7, 8]), True, f"Not aligned: {VERSION} shares no song with this model."),
    ],
)
def test_a_model_that_cannot_be_aligned_stays_as_it_is_and_the_record_says_why(live, enabled, words):
    model = model_of([[0, 1], [2, 0]])

    record = align_to_live(model, live, enabled=enabled)

    assert record.to_json() == {"sentence": words, "aligned": False}
    assert model.vectors.tolist() == [[0, 1], [2, 0]] == model.context.tolist()


def test_the_record_tells_in_words_and_in_figures():
    model = model_of([[0, 1], [2, 0]])

    record = align_to_live(model, live_of([[0, 1], [1, 1], [1, 0]]))

    assert record.aligned
    assert record.sentence == (
        f"Aligned to {VERSION}: 2 shared songs moved by a median cosine distance of {record.after.median:.2g}."
    )
    assert (
        Alignment.from_json(record.to_json())
        == record.alignment
        == align(model_of([[0, 1], [2, 0]]), live_of([[0, 1], [1, 1], [1, 0]]))
    )


@pytest.mark.parametrize("odd", [np.nan, np.inf])
def test_a_parent_with_what_is_no_number_is_refused_and_the_model_left_alone(odd):
    model = model_of(np.eye(2))

    with pytest.raises(DataError, match="hold NaN or infinity"):
        align(model, live_of([[odd, 1], [1, 0]]))
    assert model.vectors.tolist() == [[1, 0], [0, 1]]


def cosines(a, b):
    return (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


def mean_distance(a, b):
    return (1 - cosines(a, b)).mean()
