"""The handle of a version: one version, one manifest, whatever becomes of the channel and of the bucket."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.rig.gcs import Counting, blob
from tests.rig.models import FINISHED, publish_model

from song2vec.channels import promote
from song2vec_client import Bucket, ModelStore, Version
from song2vec_client.errors import CorruptModelError, NotFoundError
from song2vec_client.format.layout import MODEL_FILES, TWO_WAY
from song2vec_client.format.records import Pointer

POINTER = "channels/production.json"


@pytest.fixture
def versions(bucket, tmp_path):
    """Two versions, oldest first; the first is live."""
    days = [FINISHED, FINISHED + timedelta(days=1)]
    published = [publish_model(bucket, tmp_path / f"{day:%d}", finished=day).version for day in days]
    _promote(bucket, published[0])
    return published


@pytest.fixture
def counting(store):
    return Counting.open(store)


@pytest.fixture
def models(counting, tmp_path):
    """The store as a service opens it; what it asks is counted."""
    return ModelStore.of(counting, cache=tmp_path / "cache")


def _promote(bucket, version):
    promote(bucket, "production", version, who="test", why="next")


def _manifest(version):
    return f"versions/{version}/manifest.json"


USES = {
    "manifest": lambda version, _: version.manifest,
    "manifest_sha256": lambda version, _: version.manifest_sha256,
    "files": lambda version, _: version.files,
    "in": lambda version, _: "metrics.json" in version,
    "read": lambda version, _: version.read("training.json"),
    "download": lambda version, folder: version.download("song2vec.bin", folder / "song2vec.bin"),
    "load": lambda version, _: version.load(),
    "pull": lambda version, _: version.pull(),
}


@given(uses=st.lists(st.sampled_from(sorted(USES)), min_size=1, max_size=6), by_channel=st.booleans())
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_done_with_a_version_its_manifest_is_read_once_at_most(
    versions, store, tmp_path_factory, uses, by_channel
):
    folder, counting = tmp_path_factory.mktemp("uses"), Counting.open(store)
    version = ModelStore.of(counting, cache=folder / "cache").version("production" if by_channel else versions[0])

    for use in uses:
        USES[use](version, folder)

    assert counting.requests[POINTER] == by_channel
    assert counting.requests[_manifest(versions[0])] <= 1
    assert all(counting.requests[f"versions/{versions[0]}/{name}"] <= 1 for name in MODEL_FILES[TWO_WAY])


def test_threads_that_share_a_version_share_its_manifest(versions, counting, models):
    version, together = models.version(versions[0]), threading.Barrier(6)

    def look(_):
        together.wait(30)
        return version.manifest

    with ThreadPoolExecutor(6) as pool:
        manifests = list(pool.map(look, range(6)))

    assert all(manifest is manifests[0] for manifest in manifests)
    assert counting.requests == {_manifest(versions[0]): 1}


def test_nothing_is_asked_before_it_is_needed(versions, counting, models):
    assert models.version(versions[0]).name == versions[0]
    assert counting.requests == {}

    version = models.version("production")
    assert (version.name, version.pointer.why, version.manifest_sha256) == (
        versions[0],
        "next",
        version.pointer.manifest_sha256,
    )
    assert counting.requests == {POINTER: 1}
    assert models.version(versions[0]).pointer is None


def test_a_model_in_the_cache_costs_one_look_at_the_channel(versions, counting, models):
    models.pull("production")
    counting.requests.clear()

    assert models.load("production").version == versions[0]
    assert counting.requests == {POINTER: 1}


def test_a_channel_that_moves_does_not_change_what_a_version_reads(versions, bucket, models):
    version = models.version("production")
    _promote(bucket, versions[1])

    assert (version.name, version.manifest.version, version.load().version) == (versions[0],) * 3
    assert version.read("training.json") == bucket.read(f"versions/{versions[0]}/training.json")[0]
    assert models.version("production").name == versions[1]


def test_files_are_held_against_the_manifest_that_was_read(versions, bucket, store, models):
    version = models.version("production")
    assert version.read("training.json")

    other = bucket.read(f"versions/{versions[1]}/training.json")[0]
    manifest = version.manifest.to_bytes().replace(
        version.manifest.entry("training.json").sha256.encode(),
        models.version(versions[1]).manifest.entry("training.json").sha256.encode(),
    )
    blob(store, _manifest(versions[0])).upload_from_string(manifest)
    blob(store, f"versions/{versions[0]}/training.json").upload_from_string(other)

    assert other != b""
    with pytest.raises(CorruptModelError, match=r"training\.json is damaged"):
        version.read("training.json")
    with pytest.raises(CorruptModelError, match="was moved to"):
        models.version("production").read("training.json")


def test_a_version_is_only_the_one_whose_digest_was_asked_for(versions, models):
    right, wrong = (models.version(version).manifest_sha256 for version in versions)

    assert models.version(versions[0], right).manifest.version == versions[0]
    for name in (versions[0], "production"):
        with pytest.raises(CorruptModelError, match=f"expected {wrong[:16]}"):
            models.version(name, wrong).load()


def test_a_version_knows_its_files(versions, bucket, models):
    version = models.version(versions[0])
    stored = [name.split("/", 2)[2] for name in bucket.names(f"versions/{versions[0]}/")]

    assert sorted([*version.files, "manifest.json"]) == stored
    assert "vectors.npy" in version
    assert "metrics.json" not in version
    assert "manifest.json" not in version


def test_what_was_never_published_is_said_so_when_it_is_used(versions, models):
    version = models.version("20260131T040000Z-0123abcd")

    for use in (version.load, version.pull, lambda: version.read("training.json"), lambda: version.files):
        with pytest.raises(NotFoundError, match="no version 20260131T040000Z-0123abcd"):
            use()
    with pytest.raises(NotFoundError, match="no channel candidate"):
        models.version("candidate")


def test_a_damaged_channel_hides_no_other(versions, bucket, store, models):
    promote(bucket, "candidate", versions[1], who="test", why="try")
    blob(store, POINTER).upload_from_string("{}")

    channels = models.channels()

    assert sorted(channels) == ["candidate", "production"]
    assert isinstance(channels["candidate"], Pointer)
    assert isinstance(channels["production"], CorruptModelError)
    assert POINTER in str(channels["production"])


class Meeting(Bucket):
    """A bucket whose manifests are read two at a time, or not at all."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self._pair = threading.Barrier(2)

    def read(self, name, *arguments):
        self._pair.wait(30)
        return super().read(name, *arguments)


def test_versions_are_listed_newest_first_each_with_its_manifest_read_side_by_side(versions, store):
    listed = ModelStore.of(Meeting.open(store)).versions()

    assert [version.name for version in listed] == versions[::-1]
    assert all(isinstance(version, Version) for version in listed)
    assert [version.manifest.version for version in listed] == versions[::-1]


def test_a_damaged_version_ends_the_listing(versions, store, models):
    blob(store, _manifest(versions[0])).upload_from_string("{}")

    with pytest.raises(CorruptModelError, match=versions[0]):
        models.versions()
