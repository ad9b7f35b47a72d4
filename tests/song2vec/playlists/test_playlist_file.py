"""Reading playlists in batches, against reading them with plain lists."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rig.genres import write_playlists

from song2vec.errors import DataError
from song2vec.playlists.corpus import Vocabulary
from song2vec.playlists.distinct import DistinctNumbers
from song2vec.playlists.playlist_file import BATCH_SONGS, open_playlists
from song2vec.playlists.tables import PLAYLISTS

NUMBERS = st.one_of(st.integers(0, 9), st.integers(-(2**63), 2**63 - 1))
CORPORA = st.lists(st.tuples(st.lists(NUMBERS, max_size=8), st.booleans()), min_size=1, max_size=30)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("playlists")


def count(playlists: Sequence[Sequence[int]]) -> list[tuple[int, int]]:
    return sorted(Counter(song for songs in playlists for song in songs).items(), key=lambda pair: (-pair[1], pair[0]))


@given(corpus=CORPORA, times=st.integers(1, 3))
def test_counts_and_rows_are_those_of_plain_lists(
    corpus: list[tuple[list[int], bool]], times: int, folder: Path
) -> None:
    file = open_playlists(write_playlists(folder / "playlists.parquet", [songs for songs, _ in corpus]))
    chosen = [songs for songs, keep in corpus if keep]
    file = file.only(np.array([keep for _, keep in corpus]))
    assert len(file) == len(chosen)
    assert [songs.tolist() for songs in file.read().lists()] == chosen
    counted = file.count_songs()
    assert list(zip(counted.songs.tolist(), counted.counts.tolist(), strict=True)) == count(chosen)
    vocabulary = counted.seen(times)
    expected = [song for song, seen in count(chosen) if seen >= times]
    assert vocabulary.songs.tolist() == expected
    if expected:
        rows = file.rows(vocabulary)
        assert rows.flat.dtype == np.int32
        known = [[expected.index(song) for song in songs if song in expected] for songs in chosen]
        assert [songs.tolist() for songs in rows.lists()] == known


def test_many_batches_are_one_corpus(tmp_path: Path) -> None:
    """Playlists enough for some batches; the two that are chosen leave whole batches with none."""
    rng = np.random.default_rng(1)
    offsets = np.arange(0, 4 * BATCH_SONGS, 100)
    songs = rng.integers(0, 1_000, offsets[-1])
    lists = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(songs))
    names = pa.array([str(number) for number in range(len(lists))])
    table = pa.table([pa.array(["csv"] * len(lists)), names, lists], schema=PLAYLISTS)
    pq.write_table(table, tmp_path / "playlists.parquet", row_group_size=1_500)
    file = open_playlists(tmp_path / "playlists.parquet")
    assert len(list(file.batches())) > 3
    vocabulary = file.count_songs()
    assert vocabulary.counts.tolist() == sorted(np.bincount(songs).tolist(), reverse=True)
    np.testing.assert_array_equal(vocabulary.songs[file.rows(vocabulary).flat], songs)
    for few in ([0, 1], [0, len(lists) - 1], [len(lists) // 2]):
        only = file.only(np.isin(np.arange(len(lists)), few))
        assert [found.tolist() for found in only.read().lists()] == [lists[number].as_py() for number in few]


def test_what_is_left_after_holding_out_is_chosen_from_what_is_left(tmp_path: Path) -> None:
    path = write_playlists(tmp_path / "playlists.parquet", [[1], [2], [3], [4]])
    heldout = tmp_path / "heldout.parquet"
    pq.write_table(pa.table({"category": ["p1"]}), heldout)
    file = open_playlists(path, without=heldout)
    assert file.only(np.array([False, True, True])).read().flat.tolist() == [3, 4]


@given(parts=st.lists(st.lists(NUMBERS, max_size=20), max_size=12))
def test_distinct_numbers_are_counted_whatever_the_batches(parts: list[list[int]]) -> None:
    distinct = DistinctNumbers()
    for part in parts:
        distinct.add(pa.array(part, pa.int64()))
    numbers, counts = distinct.totals()
    assert dict(zip(numbers.tolist(), counts.tolist(), strict=True)) == Counter(song for part in parts for song in part)
    assert numbers.tolist() == sorted(numbers.tolist()) == distinct.ascending().tolist()


def test_a_file_that_changed_since_it_was_opened_is_refused(tmp_path: Path) -> None:
    file = open_playlists(write_playlists(tmp_path / "playlists.parquet", [[1, 2]]))
    write_playlists(tmp_path / "playlists.parquet", [[1, 2], [3]])
    with pytest.raises(DataError, match="held 1 playlists, now 2"):
        file.read()


def test_more_songs_than_int32_can_tell_apart_are_refused(tmp_path: Path) -> None:
    file = open_playlists(write_playlists(tmp_path / "playlists.parquet", [[1, 2]]))
    many: Any = np.broadcast_to(np.int64(1), 2**31)  # one number, seen so many times: it takes no memory
    with pytest.raises(DataError, match=r"2,147,483,648 songs, expected at most 2,147,483,647.*min_count"):
        file.rows(Vocabulary(many, many))
