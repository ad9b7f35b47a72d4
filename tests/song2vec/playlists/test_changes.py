from dataclasses import asdict

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from song2vec.errors import DataError
from song2vec.playlists.changes import DataIndex, compare, in_words
from song2vec.playlists.tables import PLAYLISTS

IDENTITIES = st.tuples(st.sampled_from(["csv", "mariadb"]), st.text(st.characters(codec="utf-8"), max_size=3))
SONGS = st.lists(st.integers(1, 2**63 - 1) | st.integers(1, 4), min_size=1, max_size=5)
DATA = st.dictionaries(IDENTITIES, SONGS, max_size=8)


def index(folder, data, order=sorted, rows=1_000):
    path = folder / "playlists.parquet"
    lines = [
        {"source": source, "category": category, "songs": data[source, category]} for source, category in order(data)
    ]
    pq.write_table(pa.Table.from_pylist(lines, PLAYLISTS), path, row_group_size=rows)
    return DataIndex.of(path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("index")


@given(DATA, DATA)
def test_changes_are_those_that_sets_and_dictionaries_find(folder, before, now):
    found = compare(index(folder, before), index(folder, now))

    both = before.keys() & now.keys()
    same = sum(before[name] == now[name] for name in both)
    old, new = (set().union(*data.values()) for data in (before, now))
    assert asdict(found) == {
        "playlists": {
            "new": len(now.keys() - before.keys()),
            "gone": len(before.keys() - now.keys()),
            "changed": len(both) - same,
            "same": same,
        },
        "songs": {"new": len(new - old), "gone": len(old - new), "same": len(old & new)},
    }


@given(DATA)
def test_the_index_is_the_same_bytes_in_any_order_and_in_any_batches(folder, data):
    index(folder, data).write(folder / "one.npz")
    index(folder, data, lambda names: sorted(names, reverse=True), rows=1).write(folder / "two.npz")

    assert (folder / "one.npz").read_bytes() == (folder / "two.npz").read_bytes()
    read = DataIndex.read(folder / "one.npz")
    nothing = compare(read, index(folder, data))
    assert asdict(nothing.playlists) == {"new": 0, "gone": 0, "changed": 0, "same": len(data)}


def test_the_digests_are_what_they_were_on_other_machines_and_in_earlier_releases(folder):
    found = index(folder, {("csv", "모음"): [1, 2, 3], ("mariadb", "7"): [3, 2, 1]})

    assert found.identities.tolist() == [1270802430011650448, 4946493230528935793]
    assert found.contents.tolist() == [8541177218594676465, 13041116711478803063]
    assert found.songs.tolist() == [1, 2, 3]


def test_the_order_of_songs_counts_and_the_source_too(folder):
    before = index(folder, {("csv", "1"): [1, 2], ("csv", "2"): [1, 2]})
    now = index(folder, {("csv", "1"): [2, 1], ("mariadb", "2"): [1, 2]})

    changes = compare(before, now)

    assert asdict(changes.playlists) == {"new": 1, "gone": 1, "changed": 1, "same": 0}
    assert in_words(changes) == "playlists: 1 new, 1 gone, 1 changed, 0 same; songs: 0 new, 0 gone, 2 same"


def test_what_is_no_index_is_said_to_be_none(tmp_path):
    (tmp_path / "text.npz").write_text("nothing")
    np.savez(tmp_path / "other.npz", songs=np.arange(3))
    np.save(tmp_path / "array.npy", np.arange(3))
    np.savez(tmp_path / "pickle.npz", identities=np.array([{}], object), contents=np.arange(1), songs=np.arange(1))

    for name in ("text.npz", "other.npz", "array.npy", "pickle.npz", "nowhere.npz"):
        with pytest.raises(DataError, match="is not an index of playlists"):
            DataIndex.read(tmp_path / name)
