from itertools import pairwise

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from song2vec.prepare.sorting import Sorter


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.lists(st.integers(0, 8), min_size=1, max_size=40), min_size=1, max_size=5),
    st.integers(1, 50),
)
def test_songs_come_out_by_playlist_in_the_order_they_came(tmp_path_factory, batches, part_songs):
    places = np.unique(np.concatenate(batches), return_inverse=True)[1].astype(np.int32)  # each playlist has a song
    songs = np.arange(len(places)) * 1_000
    sorter = Sorter(tmp_path_factory.mktemp("parts"), np.bincount(places), part_songs)
    cuts = np.cumsum([len(batch) for batch in batches])[:-1]
    for some, theirs in zip(np.split(places, cuts), np.split(songs, cuts), strict=True):
        sorter.add(some, theirs)
    assert sorter.parts[0][0] == 0
    assert sorter.parts[-1][1] == places.max() + 1
    assert all(end == first for (_, end), (first, _) in pairwise(sorter.parts))
    for number, (first, end) in enumerate(sorter.parts):
        part = sorter.songs(number)
        mine = (places >= first) & (places < end)
        assert part.tolist() == songs[mine][np.argsort(places[mine], kind="stable")].tolist()
        longest = np.bincount(places)[first:end].max()
        assert len(part) <= part_songs + longest


def test_a_batch_of_no_songs_is_fine(tmp_path):
    sorter = Sorter(tmp_path, np.array([2, 2]), part_songs=2)
    for playlists in ([], [1, 0], [], [0, 1]):
        sorter.add(np.array(playlists, np.int32), np.array(playlists, np.int64))
    assert [sorter.songs(number).tolist() for number in range(2)] == [[0, 0], [1, 1]]
