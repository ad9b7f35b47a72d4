import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from song2vec_client.scoring import MOST_PLAYLISTS, continue_rows, similar_rows, top
from song2vec_client.vote import one_way, unit_rows


def rows(*numbers: int) -> np.ndarray:
    return np.array(numbers, dtype=np.int64)


@given(arrays(np.float32, st.tuples(st.integers(0, 5), st.integers(1, 90)), elements=st.integers(-9, 9)), st.data())
def test_top_is_a_stable_sort(scores: np.ndarray, data: st.DataObject) -> None:
    k = data.draw(st.integers(0, scores.shape[1]))
    expected = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    columns, values = top(scores, k)
    np.testing.assert_array_equal(columns, expected)
    np.testing.assert_array_equal(values, np.take_along_axis(scores, expected, axis=1))


def test_neighbours_by_angle() -> None:
    angles = np.radians([0, 10, 30, 90])
    unit = unit_rows(np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32) * 7)
    found, cosines = similar_rows(unit, rows(0, 3), 2)
    assert found.tolist() == [[1, 2], [2, 1]]
    np.testing.assert_allclose(cosines[0], np.cos(np.radians([10, 30])), atol=1e-6)


def test_a_song_is_never_its_own_neighbour_and_k_is_capped() -> None:
    unit = np.array([[1, 0], [1, 0], [1, 0]], dtype=np.float32)
    found, _ = similar_rows(unit, rows(0, 1, 2), 10)
    assert found.tolist() == [[1, 2], [0, 2], [0, 1]]


def test_a_song_votes_by_its_input_vector_for_output_vectors() -> None:
    unit = np.eye(4, dtype=np.float32)
    context = np.array([[0, 0, 0, 1], [1, 0, 0, 0], [3, 4, 0, 0], [-2, 1, 0, 0]], dtype=np.float32)
    found, scores = continue_rows(one_way(unit, context), [rows(0)], 3)
    assert found.tolist() == [[2, 1, 3]]
    np.testing.assert_allclose(scores, [[3, 1, -0.2]], rtol=1e-6)


def test_a_playlist_of_two_tastes_is_continued_within_both_and_not_between() -> None:
    unit = unit_rows(np.array([[1, 0], [-1, 1], [0.4, 1], [1, 0.1], [-0.9, 1]], dtype=np.float32))
    playlist = rows(0, 1)
    middle = unit[playlist].mean(axis=0) @ unit.T
    found, _ = continue_rows(one_way(unit, unit), [playlist], 2)
    assert middle[2] > max(middle[3], middle[4])
    assert sorted(found[0].tolist()) == [3, 4]


def test_where_every_vote_is_against_the_least_is_best() -> None:
    unit = np.eye(3, dtype=np.float32)
    context = np.array([[0, 0, 0], [-3, 0, 0], [-1, 0, 0]], dtype=np.float32)
    assert continue_rows(one_way(unit, context), [rows(0)], 2)[0].tolist() == [[2, 1]]


def test_own_and_excluded_songs_are_never_recommended_and_the_rest_is_marked() -> None:
    unit = unit_rows(np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32))
    found, scores = continue_rows(one_way(unit, unit), [rows(0, 1), rows(2)], 4, exclude=[rows(3), rows()])
    assert sorted(found[0, :2].tolist()) == [2, 4]
    assert found[0, 2:].tolist() == [-1, -1]
    assert np.isneginf(scores[0, 2:]).all()
    assert sorted(found[1].tolist()) == [0, 1, 3, 4]


def test_an_empty_playlist_gets_nothing() -> None:
    unit = np.eye(3, dtype=np.float32)
    found, scores = continue_rows(one_way(unit, unit), [rows(), rows(0)], 2)
    assert found.tolist() == [[-1, -1], [1, 2]]
    assert np.isneginf(scores[0]).all()


def test_more_songs_asked_for_than_there_are() -> None:
    unit = np.eye(3, dtype=np.float32)
    found, _ = continue_rows(one_way(unit, unit), [rows(1)], 5)
    assert found.tolist() == [[0, 2, -1, -1, -1]]


def test_no_queries_give_no_answers() -> None:
    unit = np.eye(3, dtype=np.float32)
    assert similar_rows(unit, rows(), 2)[0].shape == (0, 2)
    assert continue_rows(one_way(unit, unit), [], 2)[0].shape == (0, 2)


@pytest.mark.parametrize("most", [1, 90, 200])
def test_the_answer_does_not_depend_on_how_the_work_is_cut(most: int) -> None:
    rng = np.random.default_rng(1)
    unit, context = (unit_rows(rng.integers(-3, 4, size=(30, 6)).astype(np.float32)) for _ in range(2))
    playlists = [rng.choice(30, size, replace=False) for size in (3, 1, 0, 12, 5)]

    whole, cut = (continue_rows(one_way(unit, context), playlists, 7, most=scores) for scores in (10**6, most))
    np.testing.assert_allclose(cut[1], whole[1], rtol=1e-5)
    whole, cut = (similar_rows(unit, np.arange(30), 4, most=scores) for scores in (10**6, most))
    np.testing.assert_allclose(cut[1], whole[1], rtol=1e-5)


@given(st.integers(1, 60), st.integers(1, 12), st.integers(1, 80), st.data())
def test_neighbours_are_those_of_a_plain_sort(songs: int, queries: int, most: int, data: st.DataObject) -> None:
    unit = np.eye(songs, 4, dtype=np.float32)  # many equal cosines, exact however they are summed
    asked = np.array(data.draw(st.lists(st.integers(0, songs - 1), min_size=queries, max_size=queries)))
    k = min(data.draw(st.integers(1, 70)), songs - 1)
    cosines = unit[asked] @ unit.T
    cosines[np.arange(queries), asked] = -np.inf

    found, scores = similar_rows(unit, asked, k, most=most)

    np.testing.assert_array_equal(found, np.argsort(-cosines, axis=1, kind="stable")[:, :k])
    np.testing.assert_array_equal(scores, np.take_along_axis(cosines, found, axis=1))


def test_continuation_is_the_plain_sum_of_votes() -> None:
    rng = np.random.default_rng(2)
    unit = unit_rows(rng.normal(size=(20, 5)).astype(np.float32))
    context = rng.normal(size=(20, 5)).astype(np.float32)
    playlist = rows(3, 8, 11)
    products = unit[playlist] @ context.T
    expected = np.where(products > 0, products, products / 10).sum(axis=0)
    expected[playlist] = -np.inf
    found, scores = continue_rows(one_way(unit, context), [playlist], 6)
    assert found[0].tolist() == np.argsort(-expected, kind="stable")[:6].tolist()
    np.testing.assert_allclose(scores[0], np.sort(expected)[::-1][:6], rtol=1e-5)


def test_many_playlists_at_once_are_continued_as_each_alone() -> None:
    rng = np.random.default_rng(3)
    unit, context = (rng.normal(size=(40, 6)).astype(np.float32) for _ in range(2))
    playlists = [rng.integers(0, 40, size) for size in rng.integers(0, 9, 3 * MOST_PLAYLISTS)]
    found, scores = continue_rows(one_way(unit, context), playlists, 5)
    for playlist, together, values in zip(playlists, found, scores, strict=True):
        alone, alone_values = continue_rows(one_way(unit, context), [playlist], 5)
        assert alone[0].tolist() == together.tolist()
        np.testing.assert_allclose(alone_values[0], values, rtol=1e-4)


def test_a_song_that_a_playlist_holds_twice_votes_twice() -> None:
    unit, context = np.eye(3, dtype=np.float32), np.array([[0, 0, 0], [0, 0, 0], [2, 3, 0]], dtype=np.float32)
    _, scores = continue_rows(one_way(unit, context), [rows(0, 0, 1)], 1)
    assert scores.tolist() == [[7]]
