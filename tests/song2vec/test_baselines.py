import math

import numpy as np

from song2vec.baselines import neighbour_songs, popular_songs
from song2vec.corpus import Ragged


def ragged(*lists: list[int]) -> Ragged:
    return Ragged(
        np.array([item for items in lists for item in items], dtype=np.int64), np.cumsum([0, *map(len, lists)])
    )


def test_popular_songs_without_the_shown_ones_ties_by_lower_row() -> None:
    found = popular_songs(np.array([5, 9, 5, 1]), ragged([1], [0, 3], []), 3)
    assert found.tolist() == [[0, 2, 3], [1, 2, -1], [1, 0, 2]]


def test_popular_songs_run_out() -> None:
    assert popular_songs(np.array([2, 1]), ragged([0]), 4).tolist() == [[1, -1, -1, -1]]


def test_item_knn_by_hand() -> None:
    # song 0 shares 2 of its 2 playlists with 1 (which has 3), and one with 2 (which has 1)
    training = ragged([0, 1, 2], [0, 1], [1, 3])
    assert 2 / math.sqrt(2 * 3) > 1 / math.sqrt(2 * 1)
    assert neighbour_songs(training, 5, ragged([0]), 4).tolist() == [[1, 2, -1, -1]]


def test_item_knn_counts_a_repeated_song_once() -> None:
    training = ragged([0, 1, 1, 1, 1], [0, 2], [0, 2])
    assert neighbour_songs(training, 3, ragged([0]), 2).tolist() == [[2, 1]]


def test_item_knn_leaves_the_playlists_as_they_are() -> None:
    training, shown = ragged([3, 1, 1, 0], [2, 1]), ragged([2, 0, 0], [1])
    before = training.flat.tolist(), shown.flat.tolist()
    neighbour_songs(training, 4, shown, 2)
    assert (training.flat.tolist(), shown.flat.tolist()) == before


def test_item_knn_adds_up_over_the_shown_songs() -> None:
    training = ragged([0, 2], [1, 2], [0, 3], [0, 4], [1, 5])
    assert neighbour_songs(training, 6, ragged([0, 1]), 1).tolist() == [[2]]


def test_item_knn_of_a_playlist_that_shows_nothing_known() -> None:
    assert neighbour_songs(ragged([0, 1]), 2, ragged([], [0]), 2).tolist() == [[-1, -1], [1, -1]]
