from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rig.genres import write_playlists

from song2vec.evaluate.baselines import Holdings, neighbour_songs, popular_songs
from song2vec.playlists.corpus import Ragged, Vocabulary
from song2vec.playlists.playlist_file import open_playlists
from song2vec.playlists.similarity import Exponents


def ragged(*lists: list[int]) -> Ragged:
    return Ragged(
        np.array([item for items in lists for item in items], dtype=np.int64), np.cumsum([0, *map(len, lists)])
    )


def test_popular_songs_without_the_shown_ones_ties_by_lower_row() -> None:
    found = popular_songs(np.array([5, 9, 5, 1]), ragged([1], [0, 3], []), 3)
    assert found.tolist() == [[0, 2, 3], [1, 2, -1], [1, 0, 2]]


def test_popular_songs_run_out() -> None:
    assert popular_songs(np.array([2, 1]), ragged([0]), 4).tolist() == [[1, -1, -1, -1]]


@pytest.fixture
def holdings(tmp_path: Path) -> Callable[..., Holdings]:
    """What playlists of the songs 0, 1, 2, … hold, as `Holdings` with a song's number as its row."""

    def of(*playlists: list[int]) -> Holdings:
        found = Holdings.of(open_playlists(write_playlists(tmp_path / "playlists.parquet", playlists)))
        order = np.argsort(found.songs.songs)
        return Holdings(Vocabulary(found.songs.songs[order], found.songs.counts[order]), found.table[:, order])

    return of


PLAYLISTS = st.lists(st.lists(st.integers(0, 7), min_size=1, max_size=6), min_size=1, max_size=8)
EXPONENT = st.floats(0, 1)


def similarity(playlists: Sequence[set[int]], shown: int, candidate: int, exponents: Exponents) -> float:
    """As it is defined, a playlist at a time."""
    together = sum(len(held) ** -exponents.length for held in playlists if {shown, candidate} <= held)
    holders = [sum(song in held for held in playlists) for song in (shown, candidate)]
    return together / (holders[0] ** exponents.shown * holders[1] ** exponents.candidate) if together else 0.0


@given(PLAYLISTS, st.lists(st.integers(0, 7), max_size=5), st.builds(Exponents, EXPONENT, EXPONENT, EXPONENT))
def test_item_knn_is_what_it_is_defined_as(playlists: list[list[int]], shown: list[int], exponents: Exponents) -> None:
    from scipy.sparse import csr_array

    sets = [set(songs) for songs in playlists]
    table = csr_array(np.array([[song in held for song in range(8)] for held in sets], np.float32))
    scores = {
        song: sum(similarity(sets, one, song, exponents) for one in set(shown)) for song in set(range(8)) - set(shown)
    }

    found = [row for row in neighbour_songs(table, ragged(shown), 8, exponents)[0].tolist() if row >= 0]

    assert set(found) == {song for song, score in scores.items() if score > 0}
    ranked = [scores[song] for song in found]  # those that tie may be rounded either way
    assert ranked == pytest.approx(sorted(ranked, reverse=True), rel=1e-5)


def test_a_short_playlist_says_more_than_a_long_one(holdings: Callable[..., Holdings]) -> None:
    training = holdings([0, 1], [0, 2, 3, 4, 5])
    assert neighbour_songs(training.table, ragged([0]), 1).tolist() == [[1]]


def test_item_knn_by_hand(holdings: Callable[..., Holdings]) -> None:
    # song 0 shares 2 of its 2 playlists with 1 (which has 3), and one with 2 (which has 1)
    training = holdings([0, 1, 2], [0, 1], [1, 3])
    assert 3**-0.5 + 2**-0.5 > 3**0.45 * 3**-0.5
    assert neighbour_songs(training.table, ragged([0]), 4).tolist() == [[1, 2, -1, -1]]


def test_a_repeated_song_counts_once_a_playlist(holdings: Callable[..., Holdings]) -> None:
    training = holdings([0, 1, 1, 1, 1], [0, 2], [0, 2])
    assert training.songs.counts.tolist() == [3, 1, 2]
    assert neighbour_songs(training.table, ragged([0]), 2).tolist() == [[2, 1]]


def test_item_knn_leaves_what_it_is_given_as_it_is(holdings: Callable[..., Holdings]) -> None:
    training, shown = holdings([3, 1, 1, 0], [2, 1]), ragged([2, 0, 0], [1])
    before = training.table.toarray().tolist(), shown.flat.tolist()
    neighbour_songs(training.table, shown, 2)
    assert (training.table.toarray().tolist(), shown.flat.tolist()) == before


def test_item_knn_adds_up_over_the_shown_songs(holdings: Callable[..., Holdings]) -> None:
    training = holdings([0, 2], [1, 2], [0, 3], [0, 4], [1, 5])
    assert neighbour_songs(training.table, ragged([0, 1]), 1).tolist() == [[2]]


def test_item_knn_of_a_playlist_that_shows_nothing_known(holdings: Callable[..., Holdings]) -> None:
    assert neighbour_songs(holdings([0, 1]).table, ragged([], [0]), 2).tolist() == [[-1, -1], [1, -1]]


def test_holdings_are_most_popular_first_and_equal_ones_as_they_first_appear(tmp_path: Path) -> None:
    playlists = [[5, 1, 9, 5, 5], [7, 8, 2], [7, 9], [7]]
    found = Holdings.of(open_playlists(write_playlists(tmp_path / "playlists.parquet", playlists)))
    assert found.songs.songs.tolist() == [7, 9, 5, 1, 8, 2]
    assert found.songs.counts.tolist() == [3, 2, 1, 1, 1, 1]
    assert found.table.sum(axis=0).tolist() == found.songs.counts.tolist()
    assert found.seen(2).table.toarray().tolist() == [[0, 1], [1, 0], [1, 1], [1, 0]]
