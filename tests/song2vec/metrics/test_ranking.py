import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from song2vec.metrics.ranking import METRICS, mean_metrics, playlist_metrics
from song2vec.playlists.corpus import Ragged


def ragged(*lists: list[int]) -> Ragged:
    return Ragged(
        np.array([item for items in lists for item in items], dtype=np.int64), np.cumsum([0, *map(len, lists)])
    )


def test_one_playlist_by_hand() -> None:
    recommended = np.array([[7, 3, 9, 4, 5]])
    figures = mean_metrics(recommended, ragged([3, 5, 8]))
    ideal = 1 + 1 / math.log2(3) + 1 / math.log2(4)
    assert figures["ndcg"] == pytest.approx((1 / math.log2(3) + 1 / math.log2(6)) / ideal)
    assert figures["hit_rate"] == 1
    assert figures["r_precision"] == pytest.approx(1 / 3)
    assert figures["recall"] == pytest.approx(2 / 3)


def test_unknown_hidden_songs_are_misses_and_blanks_never_hit() -> None:
    figures = mean_metrics(np.array([[2, -1, -1]]), ragged([2, -1, -1, -1]))
    assert figures["recall"] == pytest.approx(1 / 4)
    assert figures["r_precision"] == pytest.approx(1 / 4)
    assert figures["ndcg"] == pytest.approx(1 / (1 + 1 / math.log2(3) + 1 / 2))


def test_repeats_of_a_hidden_song_count_once() -> None:
    assert mean_metrics(np.array([[2, 3]]), ragged([2, 2]))["recall"] == 1


def test_the_mean_is_over_playlists_and_songs_of_one_are_not_hits_of_another() -> None:
    figures = mean_metrics(np.array([[1, 2], [1, 2]]), ragged([1, 2], [5, 6, 7]))
    assert figures == {"ndcg": 0.5, "hit_rate": 0.5, "r_precision": 0.5, "recall": 0.5, "mrr": 0.5}


def test_a_row_a_playlist_and_a_column_a_metric() -> None:
    figures = playlist_metrics(np.array([[1, 2], [1, 2]]), ragged([2], [5]))
    assert dict(zip(METRICS, figures.T.tolist(), strict=True)) == {
        "ndcg": [pytest.approx(1 / math.log2(3)), 0],
        "hit_rate": [1, 0],
        "r_precision": [0, 0],
        "recall": [1, 0],
        "mrr": [0.5, 0],
    }


def test_the_reciprocal_rank_is_that_of_the_first_hit() -> None:
    assert mean_metrics(np.array([[1, 2, 3, 4]]), ragged([4, 3]))["mrr"] == pytest.approx(1 / 3)


def test_songs_may_have_the_largest_numbers() -> None:
    large = 2**63 - 1
    figures = playlist_metrics(np.array([[large, 5], [large - 1, 5]]), ragged([large], [large, 5]))
    assert figures[:, METRICS.index("recall")].tolist() == [1, 0.5]


def test_the_hit_rate_looks_at_ten() -> None:
    recommended = np.arange(12)[None]
    assert mean_metrics(recommended, ragged([9]))["hit_rate"] == 1
    assert mean_metrics(recommended, ragged([10]))["hit_rate"] == 0


def test_the_ideal_is_cut_at_the_list_s_length() -> None:
    assert mean_metrics(np.array([[1, 2]]), ragged([1, 2, 3, 4]))["ndcg"] == pytest.approx(1)


def test_no_hidden_songs_count_zero() -> None:
    assert set(mean_metrics(np.array([[1, 2]]), ragged([])).values()) == {0.0}


@given(st.lists(st.tuples(st.permutations(range(8)), st.lists(st.integers(-1, 9), max_size=6)), min_size=1))
def test_figures_lie_between_zero_and_one_and_agree_with_a_plain_loop(
    playlists: list[tuple[list[int], list[int]]],
) -> None:
    ranked = [list(order)[:5] for order, _ in playlists]
    figures = mean_metrics(np.array(ranked), ragged(*(hidden for _, hidden in playlists)))
    recalls = []
    for songs, (_, hidden) in zip(ranked, playlists, strict=True):
        size = len({song for song in hidden if song >= 0}) + hidden.count(-1)
        recalls.append(len(set(songs) & set(hidden)) / size if size else 0)
    assert figures["recall"] == pytest.approx(np.mean(recalls))
    assert all(0 <= value <= 1 + 1e-12 for value in figures.values())
