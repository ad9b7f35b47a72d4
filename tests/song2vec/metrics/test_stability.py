"""How much of a model is kept: figures that are known by construction, and laws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from song2vec.metrics.stability import sample_songs, stability
from song2vec_client.model import SongModel


def circle(songs):
    """A model in which a song's nearest are those before it in the list, the last one first; then those after it."""
    angles = 2.0 ** np.arange(1 - len(songs), 1)
    vectors = np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32)
    return SongModel(np.array(songs, np.int64), np.ones(len(songs), np.int64), vectors, vectors)


def random_model(seed, songs=300, dimensions=8):
    numbers = np.random.default_rng(seed).permutation(10 * songs)[:songs]
    vectors = np.random.default_rng(seed).standard_normal((songs, dimensions)).astype(np.float32)
    return SongModel(numbers, np.ones(songs, np.int64), vectors, vectors)


def turned(model, seed):
    """The same model in another space: turned, stretched, its rows in another order."""
    order = np.random.default_rng(seed).permutation(len(model))
    turn, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((model.dimensions, model.dimensions)))
    vectors = (2.5 * model.vectors[order] @ turn).astype(np.float32)
    return SongModel(model.songs[order], model.counts[order], vectors, vectors)


def test_a_model_keeps_everything_of_itself_however_its_space_is_turned():
    model = random_model(1)

    for other in (model, turned(model, 2)):
        assert stability(model, other, sample=100, seed=1).to_json() == {
            "at": 10,
            "sampled": 100,
            "neighbours_kept": 1.0,
            "songs_kept": 300,
            "songs_new": 0,
            "songs_gone": 0,
        }


def test_neighbours_and_songs_by_hand():
    old = circle([1, 2, 3, 4, 5, 6])
    new = circle([3, 2, 9, 1, 7])  # of 3 and 2 the nearest is the other one; of 1 it is 9

    assert [old.similar(song, 1)[0].item() for song in (1, 2, 3)] == [2, 1, 2]
    assert stability(old, new, sample=10, seed=1, at=1).to_json() == {
        "at": 1,
        "sampled": 3,
        "neighbours_kept": pytest.approx(1 / 3),
        "songs_kept": 3,
        "songs_new": 2,
        "songs_gone": 3,
    }


def test_a_neighbour_that_is_gone_is_one_that_was_not_kept():
    old, new = circle([1, 2, 3, 4]), circle([1, 2, 3, 5])

    # All three others are neighbours: of each of the three shared songs 4 is gone.
    assert stability(old, new, sample=10, seed=1).neighbours_kept == pytest.approx(2 / 3)


def test_nothing_to_compare_is_told_from_nothing_kept():
    alone = circle([1])

    assert stability(circle([1, 2]), circle([3, 4]), sample=10, seed=1).neighbours_kept is None
    assert stability(alone, circle([1, 2]), sample=10, seed=1).neighbours_kept is None
    assert stability(alone, alone, sample=10, seed=1).sampled == 1


def test_the_figure_of_a_sample_is_near_that_of_all_songs():
    old = random_model(3, songs=2000)
    rng = np.random.default_rng(4)
    vectors = (old.vectors + 0.3 * rng.standard_normal(old.vectors.shape)).astype(np.float32)
    new = SongModel(old.songs, old.counts, vectors, vectors)

    everything = stability(old, new, sample=2000, seed=1).neighbours_kept

    assert everything is not None
    assert 0.1 < everything < 0.9
    for seed in range(5):
        assert stability(old, new, sample=500, seed=seed).neighbours_kept == pytest.approx(everything, abs=0.05)


songs_of = st.lists(st.integers(-(2**63), 2**63 - 1), unique=True, min_size=1, max_size=50)


@given(songs=songs_of, sample=st.integers(0, 60), seed=st.integers(0, 2**63 - 1), data=st.data())
def test_the_sample_is_fixed_by_seed_and_songs_and_hardly_changes_when_a_song_comes(songs, sample, seed, data):
    chosen = sample_songs(np.array(songs), sample, seed).tolist()
    shuffled = sample_songs(np.array(data.draw(st.permutations(songs))), sample, seed).tolist()
    one_less = sample_songs(np.array(songs[1:], np.int64), sample, seed).tolist()

    assert chosen == shuffled == sorted(set(chosen))
    assert set(chosen) <= set(songs)
    assert len(chosen) == min(sample, len(songs))
    assert len(set(chosen) - set(one_less)) <= 1


def test_another_seed_chooses_other_songs_and_each_song_as_often():
    songs = np.arange(100)

    times = sum(np.isin(songs, sample_songs(songs, 10, seed)) for seed in range(500))

    assert times.sum() == 5000
    assert 20 < times.min() <= times.max() < 90  # 50 on average; a standard deviation is 6.7
