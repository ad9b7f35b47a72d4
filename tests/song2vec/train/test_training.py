import itertools
import json
import tracemalloc
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.rig.genres import GENRE_SIZE, genre_of, genre_playlists, write_heldout, write_playlists

from song2vec.errors import DataError, SettingsError
from song2vec.model import Model, gensim_model, read_model, write_gensim, write_model
from song2vec.playlists.corpus import Ragged, Vocabulary
from song2vec.playlists.playlist_file import open_playlists
from song2vec.playlists.tables import SONGS
from song2vec.settings import Settings, TrainSettings, load_settings
from song2vec.train import train
from song2vec.train.measuring import LossSample, draw_sample
from song2vec_client.model import SongModel
from song2vec_client.scoring import continue_rows, similar_rows
from song2vec_client.vote import unit_rows


def small(**changes: Any) -> Settings:
    options = {"vector_size": 16, "epochs": 20, "negative": 5, "min_count": 2, "workers": 1, **changes}
    return load_settings({f"train.{name}": value for name, value in options.items()})


@pytest.fixture(scope="module", params=["song2vec", "gensim"])
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What both trainers promise is asked of both."""
    folder = tmp_path_factory.mktemp("genres")
    playlists = write_playlists(folder / "playlists.parquet", genre_playlists(200))
    train(playlists, folder / "model", small(trainer=request.param, alpha=0.15))
    return folder / "model"


def test_neighbours_are_of_the_same_genre(trained: Path) -> None:
    model = read_model(trained)
    rows, _ = similar_rows(unit_rows(model.vectors), np.arange(2 * GENRE_SIZE), 5)
    songs = model.vocabulary.songs
    assert [{genre_of(song) for song in songs[row]} for row in rows] == [{genre_of(song)} for song in songs]


def test_a_playlist_is_continued_within_its_genre(trained: Path) -> None:
    model = read_model(trained)
    playlist = model.vocabulary.rows_of(np.array([2003, 2007, 2011]))
    rows, _ = continue_rows(model.served().vote, [playlist], 8)
    assert {genre_of(song) for song in model.vocabulary.songs[rows[0]]} == {2}


def test_every_file_tells_of_the_same_songs_in_the_same_rows(trained: Path) -> None:
    from gensim.models import KeyedVectors, Word2Vec

    model = read_model(trained)
    songs, counts = model.vocabulary.songs, model.vocabulary.counts
    assert (model.vectors.dtype, model.context.dtype) == (np.float32, np.float32)
    assert (songs.dtype, counts.dtype) == (np.int64, np.int64)
    assert model.vectors.flags.c_contiguous
    assert (np.diff(counts) <= 0).all()
    table = pq.read_table(trained / "songs.parquet")
    assert table.schema.equals(SONGS)
    assert table["song"].to_pylist() == songs.tolist()
    assert table["count"].to_pylist() == counts.tolist()
    assert table["row"].to_pylist() == list(range(len(songs)))
    vectors = KeyedVectors.load_word2vec_format(str(trained / "song2vec.bin"), binary=True)
    assert vectors.index_to_key == [str(song) for song in songs]
    np.testing.assert_array_equal(vectors.vectors, model.vectors)
    gensim = Word2Vec.load(str(trained / "gensim" / "song2vec.model"))
    assert gensim.wv.index_to_key == [str(song) for song in songs]
    np.testing.assert_array_equal(gensim.wv.vectors, model.vectors)
    np.testing.assert_array_equal(gensim.syn1neg, model.context)


def test_gensim_finds_the_same_neighbours_and_can_train_on(trained: Path) -> None:
    from gensim.models import Word2Vec

    model, gensim = read_model(trained), Word2Vec.load(str(trained / "gensim" / "song2vec.model"))
    rows, cosines = similar_rows(unit_rows(model.vectors), np.array([4]), 5)
    theirs = gensim.wv.most_similar(str(model.vocabulary.songs[4]), topn=5)
    assert [song for song, _ in theirs] == [str(song) for song in model.vocabulary.songs[rows[0]]]
    np.testing.assert_allclose([cosine for _, cosine in theirs], cosines[0], atol=1e-5)
    playlists = [[str(song) for song in playlist] for playlist in genre_playlists(20, seed=2)]
    gensim.train(playlists, total_examples=len(playlists), epochs=1)
    assert not np.array_equal(gensim.wv.vectors, model.vectors)
    moved = np.linalg.norm(gensim.wv.vectors - model.vectors) / np.linalg.norm(model.vectors)
    assert gensim.wv.vectors.shape == gensim.syn1neg.shape == model.vectors.shape
    assert moved < 0.5


def test_gensim_trains_on_with_a_step_size_of_its_own(trained: Path) -> None:
    """The fixture gives both trainers .15, which suits AdaGrad; of gensim's own training it is what was asked for."""
    from gensim.models import Word2Vec

    gensim = Word2Vec.load(str(trained / "gensim" / "song2vec.model"))
    settings = json.loads((trained / "training.json").read_text())["settings"]
    own = (settings["alpha"], settings["min_alpha"]) if settings["trainer"] == "gensim" else (0.025, 0.0001)
    assert (gensim.alpha, gensim.min_alpha) == own
    assert (gensim.vector_size, gensim.layer1_size, gensim.wv.vector_size) == (16, 16, 16)
    assert (gensim.window, gensim.negative) == (settings["window"], settings["negative"])


def test_gensim_files_are_written_without_a_second_pair_of_matrices(tmp_path: Path) -> None:
    songs, dimensions = 2_000, 1_024
    matrix = np.ones((songs, dimensions), np.float32)
    model = Model(Vocabulary(np.arange(songs), np.full(songs, 9)), matrix, matrix)
    settings = TrainSettings(vector_size=dimensions)
    write_model(tmp_path, model)
    import gensim.models  # noqa: F401 - what loading it takes is not asked here

    tracemalloc.start()
    write_gensim(tmp_path, settings, threads=1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < matrix.nbytes


def test_training_json_tells_how_it_went(trained: Path) -> None:
    training = json.loads((trained / "training.json").read_text())
    assert training["trainer"] == training["settings"]["trainer"]
    assert training["settings"]["vector_size"] == 16
    assert (training["songs"], training["playlists"], training["words"]) == (2 * GENRE_SIZE, 200, 1600)
    assert [epoch["epoch"] for epoch in training["epochs"]] == list(range(1, 21))
    losses = [epoch["loss"] for epoch in training["epochs"]]
    assert losses[-1] < losses[0]
    assert all(epoch["words_per_second"] > 0 and epoch["seconds"] > 0 for epoch in training["epochs"])
    started, finished = (datetime.strptime(training[key], "%Y-%m-%dT%H:%M:%S%z") for key in ("started", "finished"))
    assert started <= finished


def test_only_our_own_trainer_gives_each_song_neighbours(trained: Path) -> None:
    training, model = json.loads((trained / "training.json").read_text()), read_model(trained)
    written = {path.name for path in trained.glob("neighbour*.npy")}
    if training["trainer"] == "gensim":
        assert (training["neighbour_weight"], model.neighbours, written) == (None, None, set())
    else:
        assert training["neighbour_weight"] == 0.5
        assert model.neighbours is not None
        strong = model.neighbours.weights > 0
        genres = np.array([genre_of(song) for song in model.vocabulary.songs])
        assert strong.sum(axis=1).tolist() == [GENRE_SIZE - 1] * 2 * GENRE_SIZE
        assert (genres[model.neighbours.rows] == genres[:, None])[strong].all()


@pytest.mark.parametrize("trainer", ["song2vec", "gensim"])
def test_one_worker_and_one_seed_give_the_same_model_to_the_bit(trainer: str, tmp_path: Path) -> None:
    playlists = write_playlists(tmp_path / "playlists.parquet", genre_playlists(60))
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        train(playlists, tmp_path / name, small(trainer=trainer, epochs=2, seed=seed))
    vectors, context = ({name: (tmp_path / name / file).read_bytes() for name in "abc"} for file in
                        ("vectors.npy", "context.npy"))  # fmt: skip
    assert vectors["a"] == vectors["b"] != vectors["c"]
    assert context["a"] == context["b"] != context["c"]


@pytest.mark.parametrize("trainer", ["song2vec", "gensim"])
def test_a_model_is_aligned_to_its_parent_in_every_file_and_is_the_same_model(trainer: str, tmp_path: Path) -> None:
    from gensim.models import KeyedVectors, Word2Vec

    playlists = write_playlists(tmp_path / "playlists.parquet", genre_playlists(60))
    train(playlists, tmp_path / "parent", small(trainer=trainer, epochs=3, seed=2))
    train(playlists, tmp_path / "alone", small(trainer=trainer, epochs=3))
    parent = SongModel.open(tmp_path / "parent")
    record = train(playlists, tmp_path / "turned", small(trainer=trainer, epochs=3), live=parent)
    alone, turned = read_model(tmp_path / "alone"), read_model(tmp_path / "turned")
    alignment = json.loads((tmp_path / "turned" / "training.json").read_text())["alignment"]
    assert alignment["sentence"] == record["alignment"]
    assert (alignment["aligned"], alignment["to"], alignment["shared_songs"]) == (True, None, 2 * GENRE_SIZE)
    assert alignment["after"]["mean"] < alignment["before"]["mean"]
    assert not np.allclose(turned.vectors, alone.vectors, atol=0.01)
    for mine, before in ((turned.vectors, alone.vectors), (turned.context, alone.context)):
        np.testing.assert_allclose(turned.vectors @ mine.T, alone.vectors @ before.T, atol=1e-4)
    gensim = Word2Vec.load(str(tmp_path / "turned" / "gensim" / "song2vec.model"))
    np.testing.assert_array_equal(gensim.wv.vectors, turned.vectors)
    np.testing.assert_array_equal(gensim.syn1neg, turned.context)
    binary = KeyedVectors.load_word2vec_format(str(tmp_path / "turned" / "song2vec.bin"), binary=True)
    np.testing.assert_array_equal(binary.vectors, turned.vectors)


def test_held_out_playlists_are_not_trained_on(tmp_path: Path) -> None:
    playlists = write_playlists(tmp_path / "playlists.parquet", [*genre_playlists(20), [9001, 9002], [9001, 9002]])
    heldout = write_heldout(tmp_path / "heldout.parquet", {"p20": ([9001], [9002]), "p21": ([9002], [9001])})
    record = train(playlists, tmp_path / "model", small(epochs=1), heldout=heldout)
    assert record["playlists"] == 20
    assert 9001 not in read_model(tmp_path / "model").vocabulary.songs


def test_a_playlist_of_another_source_is_another_playlist(tmp_path: Path) -> None:
    playlists = write_playlists(tmp_path / "playlists.parquet", [[1, 2], [3, 4]], source="mariadb")
    heldout = write_heldout(tmp_path / "heldout.parquet", {"p0": ([1], [2])}, source="csv")
    assert len(open_playlists(playlists, without=heldout)) == 2


def test_a_held_out_category_without_a_source_is_left_out_of_every_source(tmp_path: Path) -> None:
    playlists = write_playlists(tmp_path / "playlists.parquet", [[1, 2], [3, 4]], source="mariadb")
    heldout = tmp_path / "heldout.parquet"
    pq.write_table(pq.read_table(write_heldout(heldout, {"p0": ([1], [2])})).drop_columns(["source"]), heldout)
    assert open_playlists(playlists, without=heldout).read().flat.tolist() == [3, 4]


@pytest.fixture(scope="module")
def cbow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cbow")
    playlists = write_playlists(folder / "playlists.parquet", genre_playlists(200))
    train(playlists, folder / "model", small(trainer="gensim", sg=0, alpha=0.15))
    return folder / "model"


def test_gensim_trains_cbow_where_it_is_asked_to(cbow: Path) -> None:
    """The same bits as of a Word2Vec that was made by hand."""
    from gensim.models import Word2Vec

    model, settings = read_model(cbow), json.loads((cbow / "training.json").read_text())["settings"]
    saved = Word2Vec.load(str(cbow / "gensim" / "song2vec.model"))
    assert settings["sg"] == saved.sg == 0
    np.testing.assert_array_equal(saved.wv.vectors, model.vectors)
    names = ("vector_size", "window", "negative", "min_count", "alpha", "min_alpha", "epochs", "seed", "sample")
    by_hand = Word2Vec(sg=0, workers=1, sorted_vocab=0, **{name: settings[name] for name in names})
    songs, counts = model.vocabulary.songs.tolist(), model.vocabulary.counts.tolist()
    by_hand.build_vocab_from_freq(dict(zip(map(str, songs), counts, strict=True)))
    playlists = [[str(song) for song in playlist] for playlist in genre_playlists(200)]
    by_hand.train(playlists, total_examples=len(playlists), epochs=settings["epochs"])
    np.testing.assert_array_equal(by_hand.wv.vectors, model.vectors)
    np.testing.assert_array_equal(by_hand.syn1neg, model.context)


def test_neighbours_of_cbow_are_of_the_same_genre(cbow: Path) -> None:
    test_neighbours_are_of_the_same_genre(cbow)


def test_cbow_is_refused_where_the_trainer_cannot_train_it() -> None:
    with pytest.raises(SettingsError, match=r"train.sg=0 \(CBOW\) .* set train.trainer=gensim, or train.sg=1"):
        small(trainer="song2vec", sg="0")


def test_songs_beyond_the_ten_thousandth_of_a_playlist_are_trained(tmp_path: Path) -> None:
    start, end = [1, 2] * 5_000, [3, 4] * 5
    settings = small(trainer="gensim", epochs=1, sample=0)
    train(write_playlists(tmp_path / "playlists.parquet", [start + end]), tmp_path / "model", settings)
    model = read_model(tmp_path / "model")
    before = gensim_model(model.vocabulary, settings.train, threads=1).wv.vectors
    assert (model.vectors != before).any(axis=1).all()


@pytest.mark.parametrize(
    ("playlists", "words"),
    [
        ([], "expected at least one"),
        ([[1, 2, 3], [4, 5, 6]], "0 were seen at least 2 times"),
        ([[7, 7, 7, 7]], "expected at least 2"),
        ([[1], [1], [2], [2]], "expected pairs of songs"),
    ],
)
@pytest.mark.parametrize("trainer", ["song2vec", "gensim"])
def test_too_little_to_learn_from_is_said(trainer: str, playlists: list[list[int]], words: str, tmp_path: Path) -> None:
    path = write_playlists(tmp_path / "playlists.parquet", playlists)
    with pytest.raises(DataError, match=words):
        train(path, tmp_path / "model", small(trainer=trainer))
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (pa.table({"category": ["a"], "song": [1]}), "expected also songs"),
        (pa.table({"category": ["a"], "songs": [["1", "2"]]}), r"expected list<int64>"),
        (pa.table({"category": ["a"], "songs": pa.array([None], pa.list_(pa.int64()))}), "null"),
        (pa.table({"category": ["a"], "songs": [[1, None]]}), "null"),
    ],
)
def test_a_table_of_another_schema_is_refused(table: pa.Table, words: str, tmp_path: Path) -> None:
    pq.write_table(table, tmp_path / "playlists.parquet")
    with pytest.raises(DataError, match=words):
        train(tmp_path / "playlists.parquet", tmp_path / "model", small())


def test_a_file_that_is_missing_or_not_parquet_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        open_playlists(tmp_path / "playlists.parquet")
    (tmp_path / "playlists.parquet").write_text("hello")
    with pytest.raises(DataError, match="not a readable Parquet file"):
        open_playlists(tmp_path / "playlists.parquet")


def test_a_model_folder_that_is_not_whole_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "songs.npy", np.arange(3))
    with pytest.raises(DataError, match=r"expected a folder that song2vec train wrote; .*counts\.npy is missing"):
        read_model(tmp_path)


def test_the_loss_is_that_of_skip_gram_with_negative_sampling() -> None:
    rng = np.random.default_rng(0)
    vectors, context = (rng.normal(size=(6, 4)).astype(np.float32) for _ in range(2))
    sample = LossSample(np.array([0, 5]), np.array([1, 2]), np.array([3, 4, 4]), negative=7)
    expected = []
    for centre, other in ((0, 1), (5, 2)):
        noise = [np.log1p(np.exp(vectors[centre] @ context[song])) for song in (3, 4, 4)]
        expected.append(np.log1p(np.exp(-vectors[centre] @ context[other])) + 7 * np.mean(noise))
    assert sample.measure(vectors, context) == pytest.approx(np.mean(expected), rel=1e-6)


def test_an_untrained_model_loses_log_two_for_every_pair_and_negative() -> None:
    sample = LossSample(np.arange(3), np.arange(3), np.arange(3), negative=20)
    zeros = np.zeros((3, 4), np.float32)
    assert sample.measure(zeros, zeros) == pytest.approx(21 * np.log(2))


def test_the_sample_holds_pairs_within_the_window_of_one_playlist() -> None:
    rows = np.arange(12)  # every song once, so that a row tells its place
    playlists = Ragged(rows, np.array([0, 5, 6, 12]))
    sample = draw_sample(playlists, Vocabulary(rows, np.ones(12, np.int64)), TrainSettings(window=2))
    drawn = set(zip(sample.centres.tolist(), sample.contexts.tolist(), strict=True))
    within = [range(5), range(6, 12)]
    assert drawn == {(a, b) for songs in within for a, b in itertools.permutations(songs, 2) if abs(a - b) <= 2}
