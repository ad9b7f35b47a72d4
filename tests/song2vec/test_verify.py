"""Does what services would pull answer as the trained model does?"""

import numpy as np
import pytest
from tests.rig.gcs import blob
from tests.rig.models import SONGS, facts, publish_model, write_model

from song2vec.channels import promote
from song2vec.errors import DataError
from song2vec.publish import publish, published_files
from song2vec.verify import ANSWERS, verify
from song2vec_client import ModelStore
from song2vec_client.errors import CorruptModelError, NotFoundError


@pytest.fixture
def trained(tmp_path):
    return tmp_path / "model"


@pytest.fixture
def version(bucket, trained):
    return publish_model(bucket, trained).version


def test_what_was_published_answers_as_what_was_trained(bucket, trained, version):
    record = verify(ModelStore.of(bucket), version, trained)

    assert (record["version"], record["songs"], record["questions"]) == (version, len(SONGS), len(SONGS) + 20)
    assert "answers 26 questions as the trained model does" in record["sentence"]


def test_a_version_of_which_no_training_is_left_must_answer_at_all(bucket, version):
    assert "as a model should" in verify(ModelStore.of(bucket), version)["sentence"]


def test_of_a_channel_the_version_is_told(bucket, version):
    promote(bucket, "production", version, who="test", why="first")

    assert verify(ModelStore.of(bucket), "production")["version"] == version


def test_the_cache_of_services_is_neither_believed_nor_filled(bucket, version, trained, tmp_path, monkeypatch):
    monkeypatch.setenv("SONG2VEC_CACHE", str(tmp_path / "cache"))

    verify(ModelStore.of(bucket), version, trained)

    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("name", ["vectors.npy", "context.npy"])
def test_other_vectors_than_the_trained_ones_are_found_out(bucket, trained, version, name):
    array = np.load(trained / name)
    np.save(trained / name, array[::-1].copy())

    with pytest.raises(DataError, match=f"{version} does not answer as it was trained: asked") as refused:
        verify(ModelStore.of(bucket), version, trained)

    assert "and the trained model" in str(refused.value)
    assert "must not be promoted" in str(refused.value)


def test_other_songs_than_the_trained_ones_are_found_out(bucket, trained, version):
    np.save(trained / "songs.npy", SONGS[::-1].copy())

    with pytest.raises(DataError, match="its 6 songs are not the 6 that were trained on"):
        verify(ModelStore.of(bucket), version, trained)


def test_a_damaged_file_is_found_out(bucket, store, trained, version):
    content = bytearray((trained / "vectors.npy").read_bytes())
    content[-1] ^= 1
    blob(store, f"versions/{version}/vectors.npy").upload_from_string(bytes(content))

    with pytest.raises(CorruptModelError, match=r"vectors\.npy"):
        verify(ModelStore.of(bucket), version, trained)


def test_rounding_and_songs_that_tie_are_no_difference(bucket, tmp_path):
    """All songs on one ray: all cosines are 1 but for rounding, which differs after a scaling."""
    songs = np.arange(1, ANSWERS + 8, dtype=np.int64)
    published = write_model(tmp_path / "model", songs=songs)
    ray = np.tile(np.array([[0.3, 0.7]], np.float32), (len(songs), 1)) * np.linspace(1, 3, len(songs))[:, None]
    for name in ("vectors.npy", "context.npy"):
        np.save(published / name, ray.astype(np.float32))

    version = publish(bucket, published_files(published), facts()).version
    np.save(published / "vectors.npy", (ray * 1.1).astype(np.float32))

    assert verify(ModelStore.of(bucket), version, published)["songs"] == len(songs)


def test_a_version_that_is_not_there(bucket):
    with pytest.raises(NotFoundError):
        verify(ModelStore.of(bucket), "20260131T040000Z-0123abcd")
