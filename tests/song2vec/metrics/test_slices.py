import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from song2vec.metrics.slices import Slice, slices
from song2vec.playlists.corpus import Ragged, Vocabulary
from song2vec.playlists.heldout_file import Heldout


def ragged(lists: list[list[int]]) -> Ragged:
    return Ragged(np.array([item for items in lists for item in items], np.int64), np.cumsum([0, *map(len, lists)]))


def parts(shown: list[list[int]], hidden: list[list[int]], sources: list[str] | None = None) -> dict[str, Slice]:
    named = None if sources is None else np.array(sources)
    popularity = Vocabulary(np.arange(10), np.array([20, 20, 10, 10, 10, 10, 5, 5, 5, 5]))  # 0 and 1 are head
    return {part.name: part for part in slices(Heldout(ragged(shown), ragged(hidden), named), popularity)}


def lists(part: Slice) -> list[list[int]]:
    return [songs.tolist() for songs in part.hidden.lists()]


def test_short_and_long_are_cut_at_the_median_and_say_where() -> None:
    slices_by_name = parts([[1], [1, 2], [1, 2, 3]], [[4], [5], [6]])
    assert slices_by_name["short"].playlists.tolist() == [0, 1]
    assert slices_by_name["short"].sentence == "playlists with up to 2 songs shown"
    assert slices_by_name["long"].playlists.tolist() == [2]
    assert lists(slices_by_name["long"]) == [[6]]


def test_equally_long_playlists_are_all_short() -> None:
    assert "long" not in parts([[1], [2]], [[4], [5]])


def test_songs_by_their_share_of_what_was_trained_on_unknown_ones_among_the_rarest() -> None:
    slices_by_name = parts([[], []], [[0, 2, 6, 99], [3]])
    assert lists(slices_by_name["head"]) == [[0]]
    assert lists(slices_by_name["middle"]) == [[2], [3]]
    assert lists(slices_by_name["tail"]) == [[6, 99]]
    assert slices_by_name["head"].playlists.tolist() == [0]  # the other one hides no popular song
    assert slices_by_name["head"].sentence == "songs seen 20 times or more in training"
    assert slices_by_name["tail"].sentence == "songs seen 5 times or less, or never"


def test_each_source_where_the_file_has_them() -> None:
    slices_by_name = parts([[1], [2], [3]], [[4], [5], [6]], ["mariadb", "csv", "mariadb"])
    assert slices_by_name["mariadb"].playlists.tolist() == [0, 2]
    assert lists(slices_by_name["csv"]) == [[5]]
    assert {part.by for part in parts([[1]], [[4]]).values()} == {"playlist length", "song popularity"}


@given(st.lists(st.lists(st.integers(0, 12), min_size=1, max_size=8), min_size=1, max_size=8))
def test_every_hidden_song_is_in_one_class(hidden: list[list[int]]) -> None:
    slices_by_name = parts([[1]] * len(hidden), hidden)
    of_classes = [part for part in slices_by_name.values() if part.by == "song popularity"]
    assert sum(len(part.hidden.flat) for part in of_classes) == sum(map(len, hidden))
    assert all((part.hidden.lengths > 0).all() for part in of_classes)


@given(st.lists(st.integers(1, 30), min_size=1, max_size=40))
def test_classes_never_part_equally_popular_songs_and_their_sentences_are_true(counts: list[int]) -> None:
    songs = np.arange(len(counts))
    popularity = Vocabulary(songs, np.array(counts))
    heldout = Heldout(ragged([[]]), ragged([songs.tolist()]))
    of = {part.name: counts_of(popularity, part) for part in slices(heldout, popularity) if part.name != "short"}
    bounds = [bound for name in ("head", "middle", "tail") if name in of for bound in (max(of[name]), min(of[name]))]
    assert bounds == sorted(bounds, reverse=True)
    assert not any(set(of[a]) & set(of[b]) for a in of for b in of if a != b)


def counts_of(popularity: Vocabulary, part: Slice) -> list[int]:
    counts: list[int] = popularity.counts_of(part.hidden.flat).tolist()
    return counts
