"""What a model answers to golden songs: on models whose neighbours are known by construction."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rig.golden import entry, must, never, write_golden
from tests.rig.models import SONGS, write_model

from song2vec.evaluate import ask_golden_songs
from song2vec.records import Training
from song2vec_client.model import SongModel

FIRST, SECOND, THIRD, *_, LAST = SONGS.tolist()  # on a quarter circle, in this order


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return SongModel.open(write_model(tmp_path_factory.mktemp("golden") / "model"))


def answers(path, model, *entries):
    """What is asked, who decides, its place, whether that is as wanted."""
    golden = ask_golden_songs(write_golden(path / "golden.toml", *entries), model, None)
    return [(each.asked, each.song, each.place, each.met) for wish in golden.wishes for each in wish.answers]


def test_each_song_that_must_come_is_a_check_of_its_own(model, tmp_path):
    assert answers(tmp_path, model, must([FIRST], [SECOND, LAST], 3)) == [
        ((FIRST,), SECOND, 1, True),
        ((FIRST,), LAST, 5, False),
    ]


def test_of_several_one_is_enough_and_the_nearest_decides(model, tmp_path):
    wish = entry("must", songs=[FIRST], bring_one_of=[LAST, THIRD], within=2, why="x")

    assert answers(tmp_path, model, wish) == [((FIRST,), THIRD, 2, True)]


def test_the_last_place_that_counts_is_that_of_within(model, tmp_path):
    for within, met in ((1, False), (2, True)):
        assert answers(tmp_path, model, must([FIRST], [THIRD], within)) == [((FIRST,), THIRD, 2, met)]
        assert answers(tmp_path, model, never([FIRST], [THIRD], within)) == [((FIRST,), THIRD, 2, not met)]


def test_of_those_that_must_never_come_the_nearest_decides_for_each_song(model, tmp_path):
    assert answers(tmp_path, model, never([FIRST, THIRD], [SECOND, LAST], 2)) == [
        ((FIRST,), SECOND, 1, False),
        ((THIRD,), SECOND, model_place(model, THIRD, SECOND), False),
    ]


def test_a_playlist_is_continued_as_a_whole_and_never_by_a_song_of_its_own(model, tmp_path):
    songs, _ = model.continue_playlist([FIRST, THIRD], len(model))

    wish = entry("must", playlist=[FIRST, THIRD], bring=[SECOND], within=1, why="x")

    assert songs[0] == SECOND
    assert answers(tmp_path, model, wish) == [((FIRST, THIRD), SECOND, 1, True)]


def test_a_playlist_of_one_song_is_continued_not_compared(model, tmp_path):
    songs, _ = model.continue_playlist([THIRD], len(model))
    places = dict(zip(songs.tolist(), range(1, 9), strict=False))

    wish = entry("must", playlist=[THIRD], bring=[FIRST], within=5, why="x")

    assert answers(tmp_path, model, wish) == [((THIRD,), FIRST, places[FIRST], True)]


@pytest.mark.parametrize(
    ("wish", "asked", "song", "met"),
    [
        (must([1], [FIRST], 5), (1,), 1, False),
        (must([FIRST], [1], 5), (FIRST,), 1, False),
        (entry("must", songs=[FIRST], bring_one_of=[1, 2], within=5, why="x"), (FIRST,), 1, False),
        (entry("must", playlist=[1, 2], bring=[FIRST], within=5, why="x"), (1, 2), 1, False),
        (never([1], [FIRST], 5), (1,), 1, None),
        (never([FIRST], [1], 5), (FIRST,), 1, None),
    ],
)
def test_a_song_without_a_vector_misses_what_must_come_and_says_nothing_of_what_must_not(
    model, tmp_path, *, wish, asked, song, met
):
    assert answers(tmp_path, model, wish) == [(asked, song, None, met)]


def test_those_of_several_that_have_no_vector_are_passed_over(model, tmp_path):
    one = entry("must", songs=[FIRST], bring_one_of=[1, SECOND], within=5, why="x")
    playlist = entry("must", playlist=[1, FIRST], bring=[SECOND], within=5, why="x")

    assert [met for *_, met in answers(tmp_path, model, one, playlist, never([FIRST], [1, LAST], 4))] == [True] * 3


def test_why_a_song_has_no_vector_is_what_the_training_says(model, tmp_path):
    path = write_golden(tmp_path / "golden.toml", must([1], [2], 5))
    training = Training(
        trainer="song2vec", settings={"min_count": 3}, songs=6, playlists=1, words=9, epochs=(), finished="", seconds=1
    )

    assert ask_golden_songs(path, model, training).min_count == 3
    for strange in ("?", True, -1, 10**30):
        odd = training.model_copy(update={"settings": {"min_count": strange}})
        assert ask_golden_songs(path, model, odd).min_count is None
    assert ask_golden_songs(path, model, None).min_count is None


@given(
    asked=st.sampled_from(range(30)),
    bring=st.sets(st.integers(0, 29), min_size=1, max_size=4),
    within=st.integers(1, 40),
    seed=st.integers(0, 9),
)
def test_must_and_never_are_what_the_client_finds(tmp_path_factory, asked, bring, within, seed):
    """Against the client itself, asked for just as many songs as count."""
    vectors = np.random.default_rng(seed).normal(size=(30, 4)).astype(np.float32)
    numbers = np.arange(100, 130)
    model = SongModel(numbers, np.ones(30, np.int64), vectors, vectors[::-1].copy())
    wanted = sorted(100 + song for song in bring - {asked}) or [100 + (asked + 1) % 30]
    near = set(model.similar(100 + asked, within)[0].tolist())

    found = answers(
        tmp_path_factory.mktemp("golden"),
        model,
        must([100 + asked], wanted, within),
        entry("must", songs=[100 + asked], bring_one_of=wanted, within=within, why="x"),
        never([100 + asked], wanted, within),
    )

    verdicts = [met for *_, met in found]
    assert verdicts[:-2] == [song in near for song in wanted]
    assert verdicts[-2:] == [bool(near & set(wanted)), not near & set(wanted)]


def model_place(model, song, other):
    return model.similar(song, len(model))[0].tolist().index(other) + 1
