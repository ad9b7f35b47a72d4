"""A model answers rightly where the answer is known by construction, and refuses files that are no model."""

import numpy as np
import pytest
from tests.rig.models import SONGS, write_model

from song2vec_client.errors import CorruptModelError, NotFoundError
from song2vec_client.format.layout import ONE_WAY, SCORINGS, TWO_WAY
from song2vec_client.model import SongModel
from song2vec_client.scoring import continue_rows
from song2vec_client.vote import Neighbours, one_way, two_way, unit_rows


@pytest.fixture(params=SCORINGS)
def folder(request, tmp_path):
    """What a model promises, it promises however it is scored."""
    return write_model(tmp_path / "model", scoring=request.param)


@pytest.fixture
def two_way_folder(tmp_path):
    return write_model(tmp_path / "model", scoring=TWO_WAY)


@pytest.fixture
def model(folder):
    return SongModel.open(folder)


def test_the_nearest_songs_come_first(model):
    songs, scores = model.similar(500, k=3)

    assert songs.tolist() == [3, 42, 7]
    assert (songs.dtype, scores.dtype) == (np.int64, np.float32)
    np.testing.assert_allclose(scores, np.cos(np.pi / 2 * np.array([1, 2, 3]) / 5), rtol=1e-6)


def test_a_batch_answers_as_one_by_one(model):
    songs, scores = model.similar_batch([500, "11", 42], k=2)

    for row, song in enumerate([500, 11, 42]):
        one_songs, one_scores = model.similar(song, k=2)
        assert songs[row].tolist() == one_songs.tolist()
        np.testing.assert_array_equal(scores[row], one_scores)


def test_more_than_there_are_gives_all_others(model):
    assert sorted(model.similar(3, k=100)[0].tolist()) == sorted(set(SONGS.tolist()) - {3})


@pytest.mark.parametrize("song", [42, "42", np.int32(42), np.int64(42)])
def test_a_song_is_a_number_or_its_canonical_text(model, song):
    assert song in model
    assert model.similar(song, 1)[0].tolist() == model.similar(42, 1)[0].tolist()
    np.testing.assert_array_equal(model.vector(song), model.vectors[2])


@pytest.mark.parametrize(
    "song", ["042", "42.0", " 42", "４２", "+42", "1e1", "", "-0", "?", 43, 10**30, "9" * 19, -(2**70)]
)
def test_anything_else_is_not_known(model, song):
    assert song not in model
    for ask in (model.similar, model.vector):
        with pytest.raises(NotFoundError, match="does not know"):
            ask(song)


def test_what_is_no_song_at_all_is_not_in_the_model(model):
    assert 42.0 not in model
    assert None not in model


def test_a_playlist_goes_on_with_other_songs(model):
    songs, scores = model.continue_playlist([500, "3"], k=2)

    assert songs.tolist() == [42, 7]
    assert scores[0] > scores[1]


def test_unknown_songs_of_a_playlist_are_ignored_and_excluded_ones_never_given(model):
    plain = model.continue_playlist([500, 3], k=10)[0].tolist()

    assert model.continue_playlist([500, "?", 999, 3], k=10, exclude=["nonsense"])[0].tolist() == plain
    assert 42 not in model.continue_playlist([500, 3], k=10, exclude=[42, 999])[0]


def test_a_playlist_without_a_known_song_is_an_error_alone_and_empty_in_a_batch(model):
    with pytest.raises(NotFoundError, match="none of the 2 songs"):
        model.continue_playlist([998, 999])

    songs, scores = model.continue_playlists([[998], [500]], k=2)
    assert songs[0].tolist() == [-1, -1]
    assert np.isneginf(scores[0]).all()
    assert songs[1].tolist() == [3, 42]


def test_fewer_songs_than_asked_for_are_given_when_no_more_are_left(model):
    assert sorted(model.continue_playlist([500, 3, 42], k=10, exclude=[7])[0].tolist()) == [11, 10**12]


def test_a_batch_of_playlists_takes_one_exclusion_each(model):
    songs, _ = model.continue_playlists([[500], [500]], k=1, exclude=[[3], []])

    assert songs.tolist() == [[42], [3]]
    with pytest.raises(ValueError, match="1 entries for 2 playlists"):
        model.continue_playlists([[500], [500]], exclude=[[3]])
    with pytest.raises(ValueError, match="at least one"):
        model.similar(500, k=0)


def test_a_prepared_model_answers_as_an_unprepared_one(folder):
    before = SongModel.open(folder)
    unprepared = [before.similar(500, 5), before.continue_playlist([500, 11], 4)]
    SongModel.open(folder).prepare(folder)
    after = SongModel.open(folder)

    for ours, theirs in zip(unprepared, [after.similar(500, 5), after.continue_playlist([500, 11], 4)], strict=True):
        assert ours[0].tolist() == theirs[0].tolist()
        np.testing.assert_array_equal(ours[1], theirs[1])


def test_how_a_playlist_is_continued_follows_from_the_files(folder):
    context = np.random.default_rng(1).normal(size=(len(SONGS), 2)).astype(np.float32)
    np.save(folder / "context.npy", context)
    model = SongModel.open(folder)
    vectors, counts = np.load(folder / "vectors.npy"), np.load(folder / "counts.npy")
    if model.scoring == TWO_WAY:
        neighbours = Neighbours(np.load(folder / "neighbours.npy"), np.load(folder / "neighbour_weights.npy"))
        vote = two_way(unit_rows(vectors), unit_rows(context), counts, neighbours)
    else:
        vote = one_way(vectors, context)
    rows, scores = continue_rows(vote, [np.array([0, 3])], 4)

    songs, served = model.continue_playlists([[500, 7]], 4)

    assert model.scoring == (TWO_WAY if (folder / "neighbours.npy").exists() else ONE_WAY)
    assert songs.tolist() == SONGS[rows].tolist()
    np.testing.assert_array_equal(served, scores)


def test_a_vector_is_a_copy_that_may_be_changed(model):
    model.vector(500)[:] = 0

    assert model.vector(500).any()
    assert (len(model), model.dimensions, model.version) == (len(SONGS), 2, None)


def test_neighbours_are_recommended_where_vectors_know_nothing(two_way_folder):
    for name in ("vectors.npy", "context.npy"):
        np.save(two_way_folder / name, np.zeros((len(SONGS), 2), np.float32))

    songs, scores = SongModel.open(two_way_folder).continue_playlist([3, 7], 4)

    assert songs.tolist() == [42, 500, 10**12, 11]  # between both, beside one, beside one, beside none
    assert scores.tolist() == [1, 0.5, 0.5, 0]


def test_a_prepared_model_is_mapped(folder):
    SongModel.open(folder).prepare(folder)

    vote = SongModel.open(folder).vote

    assert all(isinstance(matrix.base, np.memmap) for side in vote.sides for matrix in side[:2])


@pytest.mark.parametrize("name", ["counts.npy", "neighbours.npy", "neighbour_weights.npy"])
def test_a_missing_file_is_said_so(two_way_folder, name):
    (two_way_folder / name).unlink()

    with pytest.raises(NotFoundError, match=name):
        SongModel.open(two_way_folder)


def _header(shape, kind="<f4"):
    text = repr({"descr": kind, "fortran_order": False, "shape": shape}).encode()
    text += b" " * (118 - len(text) - 1) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not an array",
        b"\x80\x04N.",
        b"PK\x03\x04" + bytes(50),
        _header((6, 2)) + bytes(47),
        _header((2**40, 2**40)) + bytes(48),
        _header((2**62, 2)) + bytes(48),
        _header((-6, -2)) + bytes(48),
        _header((6, 2), "|O") + bytes(96),
        _header((6, 2), "<f8") + bytes(96),
        _header((12,)) + bytes(48),
        _header((6, 0)),
        _header((0, 0)),
        _header((6, 3)) + bytes(72),
        _header((5, 2)) + bytes(40),
    ],
    ids=[
        "empty", "text", "pickle", "zip", "truncated", "absurd", "overflow", "negative", "objects", "float64",
        "one axis", "no dimension", "nothing", "wider", "shorter",
    ],
)  # fmt: skip
def test_a_file_that_is_no_matching_array_is_refused(folder, content):
    (folder / "context.npy").write_bytes(content)

    with pytest.raises(CorruptModelError, match=r"context\.npy"):
        SongModel.open(folder)


NEIGHBOURS_THAT_DO_NOT_FIT = {
    "wide rows": ("neighbours.npy", np.zeros((6, 2), np.int64)),
    "real rows": ("neighbours.npy", np.zeros((6, 2), np.float32)),
    "of fewer songs": ("neighbours.npy", np.zeros((5, 2), np.int32)),
    "of one axis": ("neighbours.npy", np.zeros(6, np.int32)),
    "of three axes": ("neighbours.npy", np.zeros((6, 2, 2), np.int32)),
    "a number": ("neighbours.npy", np.zeros((), np.int32)),
    "in Fortran order": ("neighbours.npy", np.zeros((6, 2), np.int32, order="F")),
    "wide weights": ("neighbour_weights.npy", np.zeros((6, 2), np.float32)),
    "fewer weights": ("neighbour_weights.npy", np.zeros((6, 1), np.float16)),
    "more weights": ("neighbour_weights.npy", np.zeros((6, 3), np.float16)),
}


@pytest.mark.parametrize(("name", "array"), NEIGHBOURS_THAT_DO_NOT_FIT.values(), ids=NEIGHBOURS_THAT_DO_NOT_FIT)
def test_neighbours_of_another_type_or_shape_are_refused(two_way_folder, name, array):
    np.save(two_way_folder / name, array)

    with pytest.raises(CorruptModelError, match=r"neighbour.*\.npy: found .*, expected (int32|float16)"):
        SongModel.open(two_way_folder)


@pytest.mark.parametrize("shape", [(6,), (6, 2, 2), ()])
def test_matrices_that_are_none_are_refused_even_where_they_agree(folder, shape):
    for name in ("vectors.npy", "context.npy"):
        np.save(folder / name, np.ones(shape, np.float32))

    with pytest.raises(CorruptModelError, match=r"vectors\.npy"):
        SongModel.open(folder)


def test_songs_of_another_type_are_refused(folder):
    np.save(folder / "songs.npy", np.array(["500", "3", "42", "7", "1", "11"]))

    with pytest.raises(CorruptModelError, match=r"songs\.npy.*int64"):
        SongModel.open(folder)


def test_fortran_order_is_refused(folder):
    np.save(folder / "vectors.npy", np.asfortranarray(np.load(folder / "vectors.npy")))

    with pytest.raises(CorruptModelError, match="C order"):
        SongModel.open(folder)


@pytest.mark.parametrize(("name", "value"), [("vectors.npy", np.nan), ("context.npy", np.inf)])
def test_preparing_finds_vectors_that_are_no_numbers(folder, name, value):
    array = np.load(folder / name)
    array[1, 1] = value
    np.save(folder / name, array)

    with pytest.raises(CorruptModelError, match="NaN or infinity"):
        SongModel.open(folder).prepare(folder)


HOSTILE_NUMBERS = [
    ("neighbours.npy", 6, "none of the 6 songs"),
    ("neighbours.npy", -1, "none of the 6 songs"),
    ("neighbour_weights.npy", -0.25, "negative or no number"),
    ("neighbour_weights.npy", np.nan, "negative or no number"),
    ("neighbour_weights.npy", np.inf, "negative or no number"),
    ("counts.npy", -1, "negative count"),
]


@pytest.mark.parametrize(("name", "value", "says"), HOSTILE_NUMBERS)
def test_preparing_finds_numbers_that_no_training_gives(two_way_folder, name, value, says):
    array = np.load(two_way_folder / name)
    array[-1] = value
    np.save(two_way_folder / name, array)

    with pytest.raises(CorruptModelError, match=f"{name} holds a.*{says}"):
        SongModel.open(two_way_folder).prepare(two_way_folder)


def test_preparing_finds_a_song_that_is_there_twice(folder):
    np.save(folder / "songs.npy", np.array([500, 3, 42, 7, 3, 11]))

    with pytest.raises(CorruptModelError, match="twice"):
        SongModel.open(folder).prepare(folder)
