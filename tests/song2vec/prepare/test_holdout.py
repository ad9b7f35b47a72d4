from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from song2vec.playlists.tables import HELDOUT, PLAYLISTS
from song2vec.prepare.holdout import halve, hold_out
from song2vec.settings import HoldoutSettings

PLAYLIST_ROWS = [
    {"source": source, "category": str(category), "songs": list(range(category + 1, category + 9))}
    for source in ("csv", "mariadb")
    for category in range(100)
]


@pytest.fixture
def chosen(tmp_path):
    """The held-out rows of `rows` with these settings."""
    import duckdb

    def choose(rows=PLAYLIST_ROWS, **settings) -> list[dict]:
        playlists, out = tmp_path / "playlists.parquet", tmp_path / "heldout.parquet"
        pq.write_table(pa.Table.from_pylist(rows, PLAYLISTS), playlists)
        with duckdb.connect() as database:
            count = hold_out(database, playlists, out, HoldoutSettings(**settings))
        table = pq.read_table(out)
        assert table.schema.equals(HELDOUT)
        assert len(table) == count
        return table.to_pylist()

    return choose


def identities(rows: list[dict]) -> list[tuple[str, str]]:
    return [(row["source"], row["category"]) for row in rows]


def test_holds_out_the_share_in_the_order_of_source_and_category(chosen):
    rows = chosen(share=0.25)
    assert len(rows) == 50
    assert identities(rows) == sorted(set(identities(rows)))


def test_holds_out_no_more_than_the_most(chosen):
    assert len(chosen(share=0.25, max_playlists=7)) == 7


def test_can_hold_out_none(chosen):
    assert chosen(share=0) == []


def test_the_choice_does_not_depend_on_the_order_of_the_playlists(chosen):
    assert chosen(rows=PLAYLIST_ROWS[::-1], share=0.1) == chosen(share=0.1)


def test_fewer_are_a_part_of_more(chosen):
    assert set(identities(chosen(share=0.1))) < set(identities(chosen(share=0.2)))


def test_another_seed_chooses_others(chosen):
    assert identities(chosen(share=0.1, seed=1)) != identities(chosen(share=0.1, seed=2))


def test_one_category_of_two_sources_is_two_playlists(chosen):
    """Were the source left out of the choice, both or neither of each pair would be chosen."""
    counts = Counter(category for _, category in identities(chosen(share=0.5)))
    assert set(counts.values()) == {1, 2}


def test_a_playlist_of_one_song_is_never_chosen(chosen):
    rows = [{"source": "csv", "category": "one", "songs": [5, 5, 5, 5]}, *PLAYLIST_ROWS]
    assert ("csv", "one") not in identities(chosen(rows=rows, share=1))


@given(st.lists(st.integers(1, 20), min_size=2).filter(lambda songs: len(set(songs)) > 1), st.integers(0, 9))
def test_the_halves_are_the_playlist(songs, seed):
    shown, hidden = halve("csv", "a", songs, seed)
    assert Counter(shown) + Counter(hidden) == Counter(songs)
    assert not set(shown) & set(hidden)
    assert len(set(hidden)) == len(set(songs)) // 2
    assert shown == [song for song in songs if song in set(shown)]
    assert hidden == [song for song in songs if song in set(hidden)]


def test_the_halves_follow_from_the_seed_and_the_playlist():
    songs = list(range(100))
    first = halve("csv", "a", songs, seed=1)
    assert first == halve("csv", "a", songs, seed=1)
    assert first != halve("csv", "a", songs, seed=2)
    assert first != halve("csv", "b", songs, seed=1)


def test_the_choice_is_the_same_in_every_version(chosen):
    """Written down once: models are compared over months on the same held-out playlists."""
    assert identities(chosen(share=0.02)) == [("csv", "33"), ("mariadb", "55"), ("mariadb", "82"), ("mariadb", "98")]
    assert halve("csv", "a", [1, 2, 3, 4, 5, 6], seed=1) == ([1, 3, 5], [2, 4, 6])


def test_a_path_with_signs_that_mean_something_to_a_glob(tmp_path):
    import duckdb

    folder = tmp_path / "what[1]*?"
    folder.mkdir()
    pq.write_table(pa.Table.from_pylist(PLAYLIST_ROWS, PLAYLISTS), folder / "p.parquet")
    with duckdb.connect() as database:
        assert hold_out(database, folder / "p.parquet", folder / "h.parquet", HoldoutSettings(share=0.5)) == 100
