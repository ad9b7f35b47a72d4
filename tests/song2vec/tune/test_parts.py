"""Who trains, who chooses, who confirms; and that the held-out playlists take no part."""

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rig.genres import genre_playlists, write_heldout, write_playlists

from song2vec.errors import DataError
from song2vec.playlists.playlist_file import open_playlists
from song2vec.tune.parts import FEWEST, make_parts

HELD_OUT = range(0, 60)


@pytest.fixture
def playlists(tmp_path):
    return write_playlists(tmp_path / "playlists.parquet", genre_playlists(660))


@pytest.fixture
def heldout(tmp_path):
    return write_heldout(tmp_path / "heldout.parquet", {f"p{number}": ([1], [2]) for number in HELD_OUT})


def whole(part):
    """The songs of each measured playlist, shown and hidden together."""
    pairs = zip(part.shown.lists(), part.hidden.lists(), strict=True)
    return [frozenset(shown.tolist()) | frozenset(hidden.tolist()) for shown, hidden in pairs]


def test_every_playlist_but_the_held_out_ones_is_in_one_part(playlists, heldout, tmp_path):
    parts = make_parts(playlists, heldout, tmp_path / "without.parquet", seed=1)

    songs = [frozenset(songs) for songs in pq.read_table(playlists)["songs"].to_pylist()]
    training = open_playlists(playlists, without=parts.without)
    trained = [frozenset(one.tolist()) for one in training.read().lists()]
    everyone = [*trained, *whole(parts.choose), *whole(parts.confirm)]
    assert (len(parts.choose), len(parts.confirm), parts.training) == (60, 60, 480)
    assert sorted(map(sorted, everyone)) == sorted(map(sorted, songs[len(HELD_OUT) :]))
    assert not training.chosen[: len(HELD_OUT)].any()


def test_half_of_each_measured_playlist_is_hidden(playlists, tmp_path):
    part = make_parts(playlists, None, tmp_path / "without.parquet", seed=1).choose

    assert (part.shown.lengths == 4).all()
    assert (part.hidden.lengths == 4).all()


@settings(max_examples=10)
@given(other=st.lists(st.integers(1, 10**6), min_size=2, max_size=2), absent=st.booleans())
def test_what_held_out_playlists_hold_and_whether_they_are_there_changes_nothing(tmp_path_factory, other, absent):
    folder = tmp_path_factory.mktemp("poisoned")
    lists = genre_playlists(660)
    clean, poisoned = (folder / name for name in ("clean.parquet", "poisoned.parquet"))
    write_playlists(clean, lists)
    write_playlists(poisoned, [other if number in HELD_OUT else songs for number, songs in enumerate(lists)])
    if absent:
        pq.write_table(pq.read_table(poisoned).slice(len(HELD_OUT)), poisoned)
    names = {f"p{number}": ([1], [2]) for number in HELD_OUT}
    others = {f"p{number}": (other[:1], other[1:]) for number in HELD_OUT}

    first = make_parts(clean, write_heldout(folder / "a.parquet", names), folder / "a", seed=1)
    second = make_parts(poisoned, write_heldout(folder / "b.parquet", others), folder / "b", seed=1)

    assert first.digest == second.digest
    assert whole(first.choose) == whole(second.choose)
    assert whole(first.confirm) == whole(second.confirm)
    rows = [open_playlists(one.playlists, without=one.without).read() for one in (first, second)]
    np.testing.assert_array_equal(rows[0].flat, rows[1].flat)


def test_a_playlist_that_confirms_still_does_so_among_more_playlists(tmp_path):
    lists = genre_playlists(12_000)
    few, many = (write_playlists(tmp_path / str(n), lists[:n]) for n in (11_000, 12_000))  # both above the most

    before, after = (make_parts(path, None, tmp_path / "without.parquet", seed=1).confirm for path in (few, many))

    stayed = len(set(whole(before)) & set(whole(after))) / len(before)
    assert 0.85 < stayed < 1


def test_another_seed_gives_other_parts(playlists, tmp_path):
    first, second = (make_parts(playlists, None, tmp_path / "without.parquet", seed) for seed in (1, 2))

    assert whole(first.confirm) != whole(second.confirm)
    assert first.digest != second.digest


def test_a_playlist_of_one_song_is_not_measured_with(tmp_path):
    path = write_playlists(tmp_path / "playlists.parquet", [*genre_playlists(300), *([[7, 7, 7]] * 300)])

    parts = make_parts(path, None, tmp_path / "without.parquet", seed=1)

    assert parts.training == 480
    assert 0 < len(parts.choose) < 60
    assert (parts.choose.hidden.lengths > 0).all()


def test_too_few_playlists_are_refused_with_how_many_there_are_and_are_needed(tmp_path, heldout):
    path = write_playlists(tmp_path / "playlists.parquet", genre_playlists(10 * FEWEST + len(HELD_OUT) - 1))

    with pytest.raises(DataError, match="found 499 playlists that are not held out, expected at least 500"):
        make_parts(path, heldout, tmp_path / "without.parquet", seed=1)
