import numpy as np
import pytest

from song2vec.corpus import Vocabulary
from song2vec.model_files import Model
from song2vec.stability import stability


def circle(songs: list[int], turn: float = 0) -> Model:
    """The songs around a circle: each song's neighbours are those beside it."""
    angles = np.linspace(0, 2 * np.pi, len(songs), endpoint=False) + turn
    vectors = np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32)
    return Model(Vocabulary(np.array(songs), np.ones(len(songs), np.int64)), vectors, vectors)


def test_a_turned_model_keeps_every_neighbour() -> None:
    songs = list(range(100, 151))
    assert stability(circle(songs), circle(songs, turn=1), 20) == {
        "at": 10, "sampled": 20, "neighbours_kept": 1, "songs_kept": 51, "songs_new": 0, "songs_gone": 0,
    }  # fmt: skip


def test_songs_that_changed_places_lose_their_neighbours() -> None:
    songs = list(range(101))
    far = [song * 37 % 101 for song in songs]  # no two that were up to 5 places apart still are
    assert stability(circle(songs), circle(far), 101)["neighbours_kept"] == 0


def test_new_songs_push_neighbours_out_and_both_kinds_are_counted() -> None:
    before = list(range(0, 80, 2))
    now = stability(circle(list(range(80))), circle([*before, 1_000, 1_001]), 500)
    assert (now["songs_kept"], now["songs_new"], now["songs_gone"], now["sampled"]) == (40, 40, 2, 40)
    assert now["neighbours_kept"] == pytest.approx(0.5, abs=0.1)  # of ten each way five are even; the ends differ


def test_no_song_in_common() -> None:
    found = stability(circle([1, 2, 3]), circle([4, 5]), 10)
    assert (found["neighbours_kept"], found["sampled"], found["songs_gone"]) == (None, 0, 2)


def test_the_same_songs_are_asked_as_songs_come_and_go() -> None:
    """Were the sample drawn by place, one new song would change all of it, and with it what is kept."""
    songs, before = list(range(400)), circle(list(range(400)))
    few = stability(circle(songs), before, 30)
    more = stability(circle(songs[:-1]), before, 30)
    assert few["neighbours_kept"] == 1
    assert more["neighbours_kept"] > 0.95
