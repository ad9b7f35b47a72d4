import numpy as np
import pytest

from song2vec.metrics.beyond_accuracy import coverage, popularity_bias, unknown_share
from song2vec.playlists.corpus import Ragged, Vocabulary

DRAWS = 400


def ragged(*lists: list[int]) -> Ragged:
    offsets = np.cumsum([0, *map(len, lists)])
    return Ragged(np.array([song for one in lists for song in one], np.int64), offsets)


def test_coverage_counts_a_song_once_and_blanks_never() -> None:
    assert coverage(np.array([[1, 2, -1], [2, 3, -1]]), 12, DRAWS)[0] == 3 / 12


def test_the_interval_of_coverage_lies_around_it_although_every_resample_covers_less() -> None:
    recommended = np.random.default_rng(1).integers(0, 400, (60, 5))
    figure, (low, high) = coverage(recommended, 1_000, DRAWS)
    assert figure == len(np.unique(recommended)) / 1_000
    assert 0.001 < figure - low < 0.03
    assert 0.001 < high - figure < 0.03


def test_the_same_songs_for_everyone_are_surely_all_that_is_covered() -> None:
    assert coverage(np.tile([4, 9], (30, 1)), 8, DRAWS) == (0.25, (0.25, 0.25))


def test_the_popularity_lift_by_hand() -> None:
    counts = Vocabulary(np.array([1, 2, 3]), np.array([60, 20, 10]))
    recommended = np.array([[1, 2], [3, -1], [-1, -1]])  # means 40 and 10; nothing for the last
    hidden = ragged([2, 3], [3, 99], [])  # means 15 and 5: an unknown song counts 0
    assert popularity_bias(recommended, hidden, counts, DRAWS)[0] == pytest.approx((40 + 10) / (15 + 5) - 1)


def test_a_lift_that_is_the_same_for_every_playlist_is_sure() -> None:
    counts = Vocabulary(np.array([1, 2]), np.array([60, 20]))
    figure, span = popularity_bias(np.full((9, 1), 1), ragged(*[[2]] * 9), counts, DRAWS)
    assert figure == pytest.approx(2)
    assert span == pytest.approx([2, 2])


def test_there_is_no_lift_over_songs_that_nobody_trained_on() -> None:
    counts = Vocabulary(np.array([1]), np.array([5]))
    assert popularity_bias(np.array([[1]]), ragged([99]), counts, DRAWS) == (None, None)


def test_the_share_of_unknown_songs_is_of_songs_not_of_playlists() -> None:
    known = Vocabulary(np.array([1, 2]), np.array([5, 5]))
    figure, (low, high) = unknown_share(ragged([1, 2, 1], [99]), known, DRAWS)
    assert figure == 1 / 4
    assert (low, high) == (0, 1)
    assert unknown_share(ragged([], []), known, DRAWS) == (0, (0, 0))
