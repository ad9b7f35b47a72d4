"""Deleting versions: shown first, manifest first, nothing that is live, nothing that is under way."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.rig.gcs import blob
from tests.rig.models import FINISHED, publish_model, write_model
from tests.rig.runs import begin

from song2vec import stages
from song2vec.channels import promote, rollback
from song2vec.errors import DataError
from song2vec.prune import clean, prune, prune_after_run
from song2vec.settings import RetentionSettings, load_settings
from song2vec_client.errors import AccessDeniedError, CorruptModelError
from song2vec_client.format.layout import file_name
from song2vec_client.gcs.bucket import Bucket
from song2vec_client.store import ModelStore

WHO: dict[str, Any] = {"who": "minji", "why": "it is better"}
FEW = RetentionSettings(keep_versions=1, keep_days=0, keep_moves=1)
LATER = timedelta(hours=FEW.orphan_hours, minutes=1)


@pytest.fixture
def versions(bucket, tmp_path):
    """Publish this many versions, oldest first."""

    def make(count):
        days = [timedelta(days=day) for day in range(count)]
        return [publish_model(bucket, tmp_path / str(day), finished=FINISHED + day).version for day in days]

    return make


def _fates(answer):
    return {row["version"]: row["fate"] for row in answer["versions"]}


def _later():
    return datetime.now(UTC) + LATER


def test_a_dry_run_says_what_would_go_and_deletes_nothing(bucket, versions):
    a, b, c = versions(3)
    promote(bucket, "production", b, **WHO)
    names = bucket.names()

    answer = prune(bucket, FEW, delete=False)

    assert _fates(answer) == {c: "stays", b: "stays", a: "goes"}
    assert [row["why"] for row in answer["versions"]] == [
        "one of the newest 1",
        "live in production",
        "no rule keeps it",
    ]
    assert answer["bytes"] == sum(stored.size for stored in bucket.listing(f"versions/{a}/"))
    assert bucket.names() == names


def test_what_goes_is_gone_and_what_stays_is_whole(bucket, versions, tmp_path):
    a, b, c, d = versions(4)
    for version in (b, c):
        promote(bucket, "production", version, **WHO)

    assert _fates(prune(bucket, FEW, delete=True)) == {d: "stays", c: "stays", b: "stays", a: "goes"}

    models = ModelStore.of(bucket, cache=tmp_path / "cache")
    assert models.published() == [d, c, b]
    assert not bucket.names(f"versions/{a}/")
    assert [models.load(version).version for version in models.published()] == [d, c, b]
    assert rollback(bucket, "production", **WHO).version == b


def test_young_versions_stay(bucket, versions):
    a, b, c = versions(3)
    rules = FEW.model_copy(update={"keep_days": 7})

    assert set(_fates(prune(bucket, rules, delete=True)).values()) == {"stays"}
    later = datetime.now(UTC) + timedelta(days=7, hours=1)
    assert _fates(prune(bucket, rules, delete=True, now=later)) == {c: "stays", b: "goes", a: "goes"}


def test_two_that_delete_at_once_both_end_well(bucket, store, versions):
    (*old, new) = versions(4)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: prune(Bucket.open(store), FEW, delete=True), range(4)))

    assert ModelStore.of(bucket).published() == [new]
    assert {name.split("/")[1] for name in bucket.names("versions/")} == {new}
    assert set(old) == {version for answer in answers for version, fate in _fates(answer).items() if fate == "goes"}


def test_a_version_whose_manifest_cannot_be_read_goes_like_any_other(bucket, store, versions):
    a, b = versions(2)
    blob(store, f"versions/{a}/manifest.json").upload_from_string("{}")

    prune(bucket, FEW, delete=True)

    assert not bucket.names(f"versions/{a}/")
    assert ModelStore.of(bucket).published() == [b]


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("channels/production.json", CorruptModelError),
        ("promotions/00000001.json", CorruptModelError),
        ("promotions/00000003.json", DataError),
    ],
)
def test_nothing_goes_while_nobody_can_tell_what_is_live(bucket, store, versions, name, error):
    a, _ = versions(2)
    promote(bucket, "production", a, **WHO)
    blob(store, name).upload_from_string("{}")
    names = bucket.names()

    with pytest.raises(error):
        prune(bucket, FEW, delete=True)
    assert bucket.names() == names


class Promoting(Bucket):
    """A store in which somebody promotes `version` in the instant before or after its manifest is deleted."""

    version = moment = ""

    def delete(self, name, generation=None):
        concerned = name == file_name(self.version, "manifest.json")
        if concerned and self.moment == "before":
            promote(Bucket.open(self.uri), "production", self.version, **WHO)
        if concerned and self.moment == "meanwhile":
            slow = Bucket.open(self.uri)
            sha256 = ModelStore.of(slow).version(self.version).manifest_sha256
            super().delete(name, generation)
            append_as_read(slow, self.version, sha256)
            return
        super().delete(name, generation)


def append_as_read(bucket, version, manifest_sha256):
    """A promotion that had read the manifest before it was deleted."""
    from song2vec.channels.promotions import append, follow
    from song2vec_client.format.records import Move

    move = Move(1, "production", version, manifest_sha256, None, "jun", FINISHED, "race")
    assert append(bucket, move)
    follow(bucket, move)


@pytest.mark.parametrize("moment", ["before", "meanwhile"])
def test_a_version_that_is_promoted_while_it_is_deleted_stays_whole(store, versions, tmp_path, moment):
    a, b = versions(2)
    bucket = Promoting.open(store)
    bucket.version, bucket.moment = a, moment

    answer = prune(bucket, FEW, delete=True)

    assert _fates(answer) == {b: "stays", a: "stays"}
    models = ModelStore.of(bucket, cache=tmp_path / "cache")
    assert models.load("production").version == a


def test_a_deletion_that_died_halfway_is_completed_by_the_next_one(bucket, store, versions):
    a, b = versions(2)

    class Dying(Bucket):
        left = 4

        def delete(self, name, generation=None):
            if not self.left:
                raise KeyboardInterrupt
            self.left -= 1
            super().delete(name, generation)

    with pytest.raises(KeyboardInterrupt):
        prune(Dying.open(store), FEW, delete=True)
    assert ModelStore.of(bucket).published() == [b]
    assert len(bucket.names(f"versions/{a}/")) > 0

    assert _fates(prune(bucket, FEW, delete=True, now=_later())) == {b: "stays", a: "goes"}
    assert not bucket.names(f"versions/{a}/")


def test_the_rest_of_a_crashed_upload_goes_when_it_is_old(bucket, store, versions):
    a, b = versions(2)
    blob(store, f"versions/{a}/manifest.json").delete()

    assert _fates(prune(bucket, FEW, delete=True)) == {b: "stays", a: "stays"}
    assert clean(bucket, FEW) == []
    assert _fates(prune(bucket, FEW, delete=False, now=_later())) == {b: "stays", a: "goes"}
    assert clean(bucket, FEW, now=_later()) == [a]
    assert {name.split("/")[1] for name in bucket.names("versions/")} == {b}


def test_one_new_file_shows_that_an_upload_is_under_way(bucket, store, versions):
    (a,) = versions(1)
    blob(store, f"versions/{a}/manifest.json").delete()
    oldest = min(stored.created for stored in bucket.listing("versions/"))
    bucket.put(f"versions/{a}/late", b"1")
    newest = max(stored.created for stored in bucket.listing("versions/"))
    assert oldest < newest
    hours = timedelta(hours=FEW.orphan_hours)

    assert clean(bucket, FEW, now=oldest + hours + (newest - oldest) / 2) == []
    assert clean(bucket, FEW, now=newest + hours) == [a]


def test_what_a_channel_names_stays_even_without_its_manifest(bucket, store, versions):
    a, b = versions(2)
    promote(bucket, "production", a, **WHO)
    blob(store, f"versions/{a}/manifest.json").delete()

    assert _fates(prune(bucket, FEW, delete=True, now=_later())) == {b: "stays", a: "stays"}
    assert clean(bucket, FEW, now=_later()) == []
    assert bucket.names(f"versions/{a}/")


def test_what_is_no_version_is_left_alone(bucket, versions):
    versions(2)
    bucket.put("versions/README.txt", b"ours")
    bucket.put("versions/notes/a.txt", b"ours")

    prune(bucket, FEW, delete=True, now=_later())

    assert {"versions/README.txt", "versions/notes/a.txt"} <= set(bucket.names())


def test_publishing_clears_what_crashed_long_ago(bucket, store, versions, tmp_path):
    (a,) = versions(1)
    blob(store, f"versions/{a}/manifest.json").delete()
    write_model(tmp_path / "run" / "train", finished=FINISHED + timedelta(days=9))
    for stage in ("prepare", "check_data", "evaluate", "gate"):
        (tmp_path / "run" / stage).mkdir()
    run = begin(tmp_path / "run", bucket)

    stages.publish(run)
    assert bucket.names(f"versions/{a}/")  # it may be under way
    at_once = run.settings.model_copy(update={"retention": FEW.model_copy(update={"orphan_hours": 0})})
    stages.publish(replace(run, settings=at_once))
    assert not bucket.names(f"versions/{a}/")


def test_publishing_goes_on_where_nothing_may_be_deleted(store, versions):
    (a,) = versions(1)
    blob(store, f"versions/{a}/manifest.json").delete()

    class Kept(Bucket):
        def delete(self, name, generation=None):
            raise AccessDeniedError(name)

    assert clean(Kept.open(store), FEW, now=_later()) == []
    with pytest.raises(AccessDeniedError):
        prune(Kept.open(store), FEW, delete=True, now=_later())


def test_publishing_again_what_is_being_deleted_leaves_no_version_without_files(bucket, store, versions):
    a, b = versions(2)
    manifest = bucket.read(file_name(a, "manifest.json"))[0]

    class Republishing(Bucket):
        def delete(self, name, generation=None):
            super().delete(name, generation)
            if name == file_name(a, "songs.npy"):
                self.create(file_name(a, "manifest.json"), manifest)

    prune(Republishing.open(store), FEW, delete=True)

    assert ModelStore.of(bucket).published() == [b]
    assert not bucket.names(f"versions/{a}/")


@pytest.mark.parametrize(("after_run", "left"), [("off", 2), ("show", 2), ("delete", 1)])
def test_a_run_ends_as_its_settings_say(bucket, versions, after_run, left):
    a, _ = versions(2)
    rules = {"retention.after_run": after_run, "retention.keep_versions": 1, "retention.keep_days": 0}

    record = prune_after_run(bucket, load_settings(rules).retention)

    assert len(ModelStore.of(bucket).published()) == left
    assert (record and record["versions"]) == (None if after_run == "off" else [a])


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(["production", "candidate"]), st.integers(0, 5)), max_size=8), st.data())
def test_after_any_history_what_is_live_is_whole(store, tmp_path_factory, moves, data):
    folder = tmp_path_factory.mktemp("models")
    bucket = Bucket.open(f"{store}-{folder.name}")
    days = [timedelta(days=day) for day in range(6)]
    versions = [publish_model(bucket, folder / str(day.days), finished=FINISHED + day).version for day in days]
    live = {}
    for channel, number in moves:
        promote(bucket, channel, versions[number], **WHO)
        live[channel] = versions[number]

    rules = RetentionSettings(keep_versions=data.draw(st.integers(1, 3)), keep_days=0, keep_moves=1)
    prune(bucket, rules, delete=True)

    models = ModelStore.of(bucket, cache=folder / "cache")
    assert {channel: models.load(channel).version for channel in live} == live
    assert models.published()[: rules.keep_versions] == versions[::-1][: rules.keep_versions]
    assert {name.split("/")[1] for name in bucket.names("versions/")} == set(models.published())
