"""Pulling: only whole, verified models arrive, whatever lies in the bucket, and several processes may pull at once."""

import json
import os
import subprocess
import sys
from datetime import timedelta

import numpy as np
import pytest
from tests.rig.gcs import blob
from tests.rig.models import FINISHED, SONGS, publish_model

from song2vec.channels import promote
from song2vec_client import ModelStore
from song2vec_client.errors import CorruptModelError, NotFoundError
from song2vec_client.format.layout import MODEL_FILES, ONE_WAY, SCORINGS, TWO_WAY
from song2vec_client.model import SongModel


@pytest.fixture
def published(bucket, tmp_path):
    """A version, live in production."""
    manifest = publish_model(bucket, tmp_path / "model")
    promote(bucket, "production", manifest.version, who="test", why="first")
    return manifest


@pytest.fixture
def models(store, tmp_path):
    """The store as a service opens it."""
    return ModelStore(store, cache=tmp_path / "cache")


def _overwrite(store, name, content):
    blob(store, name).upload_from_string(content)


def _cached(tmp_path):
    return [path.name for path in (tmp_path / "cache").glob("*") if path.name != ".lock"]


@pytest.mark.parametrize("by", ["channel", "version"])
def test_a_model_arrives_whole(published, models, tmp_path, by):
    model = models.load("production" if by == "channel" else published.version)

    assert model.version == published.version
    np.testing.assert_array_equal(model.songs, SONGS)
    np.testing.assert_array_equal(model.vectors, np.load(tmp_path / "model" / "vectors.npy"))
    assert model.similar("500", 1)[0].tolist() == [3]
    assert isinstance(model.vectors.base, np.memmap)


@pytest.mark.parametrize(
    ("scoring", "prepared"),
    [(ONE_WAY, ["order.npy", "unit.npy"]), (TWO_WAY, ["order.npy", "unit.npy", "unit_context.npy"])],
)
def test_only_what_a_client_needs_is_downloaded(bucket, models, tmp_path, scoring, prepared):
    folder = models.pull(publish_model(bucket, tmp_path / "model", scoring=scoring).version)

    assert sorted(path.name for path in folder.iterdir()) == sorted([*MODEL_FILES[scoring], "manifest.json", *prepared])


@pytest.mark.parametrize("scoring", SCORINGS)
def test_a_pulled_model_is_scored_as_the_one_that_was_published(bucket, models, tmp_path, scoring):
    pulled = models.load(publish_model(bucket, tmp_path / "model", scoring=scoring).version)
    published = SongModel.open(tmp_path / "model")

    assert pulled.scoring == published.scoring == scoring
    for pulled_answer, answer in zip(
        pulled.continue_playlist([500, 42], 4), published.continue_playlist([500, 42], 4), strict=True
    ):
        np.testing.assert_array_equal(pulled_answer, answer)


def test_a_version_from_before_there_were_two_ways_is_read_and_scored_as_it_was(bucket, store, models, tmp_path):
    manifest = publish_model(bucket, tmp_path / "model", scoring=ONE_WAY)
    name = f"versions/{manifest.version}/manifest.json"
    old = {name: value for name, value in manifest.to_json().items() if name != "scoring"}
    _overwrite(store, name, json.dumps(old))

    assert old["format"] == 1
    assert models.load(manifest.version).scoring == ONE_WAY


def test_a_pulled_model_is_not_downloaded_again(published, store, models):
    folder = models.pull()
    for name in MODEL_FILES[TWO_WAY]:
        blob(store, f"versions/{published.version}/{name}").delete()

    assert models.pull() == folder
    assert models.pull(published.version) == folder


@pytest.mark.parametrize("name", MODEL_FILES[TWO_WAY])
def test_a_cache_that_lost_a_part_is_filled_anew(published, models, name):
    folder = models.pull()
    (folder / name).write_bytes(b"cut")

    assert models.load().similar(500, 1)[0].tolist() == [3]
    assert models.pull() == folder


def test_any_file_of_a_version_is_written_where_one_says_whole_and_verified(published, store, models, tmp_path):
    version = models.version("production")
    version.download("song2vec.bin", tmp_path / "mine.bin")
    assert (tmp_path / "mine.bin").read_bytes() == (tmp_path / "model" / "song2vec.bin").read_bytes()

    _overwrite(store, f"versions/{published.version}/song2vec.bin", b"stands for song2vec.BIN")
    with pytest.raises(CorruptModelError, match=r"song2vec\.bin is damaged"):
        version.download("song2vec.bin", tmp_path / "other" / "mine.bin")
    with pytest.raises(CorruptModelError, match=r"has no secret\.txt"):
        version.download("secret.txt", tmp_path / "other" / "mine.bin")
    assert list((tmp_path / "other").iterdir()) == []


@pytest.mark.parametrize(
    "name", ["candidate", "20260131T040000Z-0123abcd", "../production", "", "Production", "a" * 64]
)
def test_what_is_not_there_is_said_so(published, models, name):
    with pytest.raises(NotFoundError):
        models.load(name)


def test_versions_are_listed_newest_first_and_only_whole_ones(published, bucket, models, tmp_path):
    newer = publish_model(bucket, tmp_path / "newer", finished=FINISHED + timedelta(days=1))
    bucket.create("versions/20270101T000000Z-00000000/vectors.npy", b"an upload that never ended")
    bucket.create("versions/not-a-version/manifest.json", b"{}")

    assert [version.name for version in models.versions()] == [newer.version, published.version]
    assert {name: pointer.version for name, pointer in models.channels().items()} == {"production": published.version}


def test_records_are_read_verified(published, store, models):
    version = models.version("production")
    assert json.loads(version.read("training.json"))["trainer"] == "song2vec"
    with pytest.raises(CorruptModelError, match=r"has no metrics\.json"):
        version.read("metrics.json")

    _overwrite(store, f"versions/{published.version}/training.json", b"{}")
    with pytest.raises(CorruptModelError, match="damaged"):
        version.read("training.json")


def _client(*arguments, gcs):
    done = subprocess.run(
        [sys.executable, "-m", "song2vec_client", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": "include", "STORAGE_EMULATOR_HOST": gcs},
    )
    return done.returncode, done.stdout, done.stderr


def test_the_command_line_answers_in_json(published, store, gcs, tmp_path):
    cache = ["--cache", tmp_path / "cache"]

    code, out, _ = _client("similar", store, "500", "-k", "2", *cache, gcs=gcs)
    assert (code, [row["song"] for row in json.loads(out)["similar"]]) == (0, [3, 42])
    code, out, _ = _client("pull", store, *cache, gcs=gcs)
    assert code == 0
    assert "vectors.npy" in os.listdir(json.loads(out)["folder"])
    code, out, _ = _client("info", store, "--name", published.version, gcs=gcs)
    assert json.loads(out) == published.to_json()
    code, out, err = _client("similar", store, "999", *cache, gcs=gcs)
    assert (code, out) == (1, "")
    assert "does not know 999" in err
    code, out, err = _client("pull", store, "--cache", __file__, gcs=gcs)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "test_store.py" in err


def test_nothing_heavy_is_imported_before_the_first_pull():
    heavy = {"numpy", "google.cloud.storage", "google.cloud", "requests"}
    code = f"import sys; from song2vec_client import ModelStore; print({heavy} & set(sys.modules))"

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": "include"}
    )

    assert done.stdout.strip() == "set()"
