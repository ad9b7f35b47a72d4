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

from song2vec.promote import promote
from song2vec_client import ModelStore
from song2vec_client.digests import digest
from song2vec_client.errors import CorruptModelError, NotFoundError, UnsupportedFormatError
from song2vec_client.format import FileEntry
from song2vec_client.layout import MODEL_FILES


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


def _change_manifest(store, of, **changes):
    object_ = blob(store, f"versions/{of}/manifest.json")
    record = json.loads(object_.download_as_bytes())
    object_.upload_from_string(json.dumps(record | changes))
    return record


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


def test_only_what_a_client_needs_is_downloaded(published, models):
    folder = models.pull()

    assert sorted(path.name for path in folder.iterdir()) == sorted(
        [*MODEL_FILES, "manifest.json", "order.npy", "unit.npy"]
    )


def test_a_pulled_model_is_not_downloaded_again(published, store, models):
    folder = models.pull()
    for name in MODEL_FILES:
        blob(store, f"versions/{published.version}/{name}").delete()

    assert models.pull() == folder
    assert models.pull(published.version) == folder


def test_a_cache_that_lost_a_part_is_filled_anew(published, models):
    folder = models.pull()
    (folder / "context.npy").write_bytes(b"cut")

    assert models.load().similar(500, 1)[0].tolist() == [3]
    assert models.pull() == folder


@pytest.mark.parametrize("damage", ["flipped", "truncated", "longer", "empty"])
def test_a_damaged_file_is_refused_and_leaves_nothing(published, store, models, tmp_path, damage):
    name = f"versions/{published.version}/vectors.npy"
    content = bytearray(blob(store, name).download_as_bytes())
    content[-1] ^= 1
    damaged = {"flipped": content, "truncated": content[:-1], "longer": content * 50, "empty": b""}[damage]
    _overwrite(store, name, bytes(damaged))

    with pytest.raises(CorruptModelError, match=r"vectors\.npy"):
        models.load()
    assert _cached(tmp_path) == []


def test_a_file_that_is_gone_is_said_so(published, store, models, tmp_path):
    blob(store, f"versions/{published.version}/songs.npy").delete()

    with pytest.raises(NotFoundError, match=r"songs\.npy"):
        models.load()
    assert _cached(tmp_path) == []


@pytest.mark.parametrize("path", ["../../escaped.npy", "/etc/escaped.npy", "a/../../escaped.npy"])
def test_a_manifest_that_names_a_path_outside_is_refused(published, store, models, tmp_path, path):
    record = _change_manifest(store, published.version)
    _change_manifest(store, published.version, files=[record["files"][0] | {"path": path}, *record["files"]])

    with pytest.raises(CorruptModelError, match="relative POSIX path"):
        models.load(published.version)
    assert _cached(tmp_path) == []


def test_a_pickle_with_the_right_digest_is_refused(published, store, models, tmp_path):
    np.save(tmp_path / "evil.npy", np.array([{"a": 1}] * 6), allow_pickle=True)
    _replace_file(store, published, "songs.npy", (tmp_path / "evil.npy").read_bytes())

    with pytest.raises(CorruptModelError, match=r"songs\.npy is not a plain \.npy array"):
        models.load(published.version)
    assert _cached(tmp_path) == []


def test_vectors_that_are_no_numbers_are_refused(published, store, models, tmp_path):
    np.save(tmp_path / "nan.npy", np.full((len(SONGS), 2), np.nan, np.float32))
    _replace_file(store, published, "vectors.npy", (tmp_path / "nan.npy").read_bytes())

    with pytest.raises(CorruptModelError, match="NaN"):
        models.load(published.version)


def _replace_file(store, manifest, path, content):
    """What somebody who may write to the bucket can do: another file, with its digest in the manifest."""
    _overwrite(store, f"versions/{manifest.version}/{path}", content)
    found = digest(content)
    entry = FileEntry(path, found.size, found.sha256, found.crc32c)
    files = [entry if old.path == path else old for old in manifest.files]
    _change_manifest(store, manifest.version, files=[entry.to_json() for entry in files])


def test_a_manifest_that_was_changed_after_the_promotion_is_refused(published, store, models):
    _change_manifest(store, published.version, status="better")

    with pytest.raises(CorruptModelError, match="not the manifest that the channel was moved to"):
        models.load("production")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"version": "20260131T040000Z-00000000"}, "another version"),
        ({"files": []}, r"has no vectors\.npy"),
        ({"accepted": None}, "accepted"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(published, store, models, changes, says):
    _change_manifest(store, published.version, **changes)

    with pytest.raises(CorruptModelError, match=says):
        models.load(published.version)


def test_a_newer_format_says_to_upgrade_and_where(published, store, models):
    _change_manifest(store, published.version, format=2)

    with pytest.raises(UnsupportedFormatError, match=f"{published.version}.*upgrade"):
        models.load(published.version)


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff\xfe", b'{"format": 1'])
def test_a_pointer_that_is_none_is_refused(published, store, models, content):
    _overwrite(store, "channels/production.json", content)

    with pytest.raises(CorruptModelError, match=r"channels/production\.json"):
        models.resolve("production")


def test_a_pointer_to_nowhere_or_of_another_channel_is_refused(published, store, models):
    content = blob(store, "channels/production.json").download_as_bytes()
    _overwrite(store, "channels/candidate.json", content)
    _overwrite(
        store,
        "channels/production.json",
        content.replace(published.version.encode(), b"2" * 8 + b"T000000Z-" + b"0" * 8),
    )

    with pytest.raises(CorruptModelError, match="belongs to production"):
        models.resolve("candidate")
    with pytest.raises((CorruptModelError, NotFoundError)):
        models.load("production")


@pytest.mark.parametrize(
    "name", ["candidate", "20260131T040000Z-0123abcd", "../production", "", "Production", "a" * 64]
)
def test_what_is_not_there_is_said_so(published, models, name):
    with pytest.raises(NotFoundError):
        models.load(name)


def test_versions_are_listed_newest_first_and_only_whole_ones(published, bucket, store, models, tmp_path):
    newer = publish_model(bucket, tmp_path / "newer", finished=FINISHED + timedelta(days=1))
    bucket.create("versions/20270101T000000Z-00000000/vectors.npy", b"an upload that never ended")
    bucket.create("versions/not-a-version/manifest.json", b"{}")

    assert [manifest.version for manifest in models.versions()] == [newer.version, published.version]
    assert {name: pointer.version for name, pointer in models.channels().items()} == {"production": published.version}


def test_records_are_read_verified(published, store, models):
    assert json.loads(models.read("production", "training.json"))["trainer"] == "gensim"
    with pytest.raises(CorruptModelError, match=r"has no metrics\.json"):
        models.read("production", "metrics.json")

    _overwrite(store, f"versions/{published.version}/training.json", b"{}")
    with pytest.raises(CorruptModelError, match="damaged"):
        models.read("production", "training.json")


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


def test_nothing_heavy_is_imported_before_the_first_pull():
    heavy = {"numpy", "google.cloud.storage", "google.cloud", "requests"}
    code = f"import sys; from song2vec_client import ModelStore; print({heavy} & set(sys.modules))"

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": "include"}
    )

    assert done.stdout.strip() == "set()"
