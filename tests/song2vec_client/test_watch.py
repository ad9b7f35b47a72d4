"""A watch changes over while questions are answered, serves on when the store is down, and leaks nothing."""

import contextlib
import gc
import os
import queue
import sys
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from tests.rig.gcs import blob
from tests.rig.models import FINISHED, SONGS, facts, write_model
from tests.rig.watching import Looks

from song2vec.channels import promote
from song2vec.publish import publish, published_files
from song2vec_client import Bucket, ModelStore
from song2vec_client.errors import CorruptModelError, NotFoundError, StoreUnavailableError
from song2vec_client.watch import LONGEST_PAUSE, Watch

SOON = 0.01
NEVER = 10**6


@pytest.fixture
def versions(bucket, tmp_path):
    """Three versions, in each of which another song is the nearest to 500; the first is live."""
    found = []
    for day in range(3):
        finished = FINISHED + timedelta(days=day)
        folder = write_model(tmp_path / str(day), finished=finished, songs=np.roll(SONGS, -2 * day))
        found.append(publish(bucket, published_files(folder), facts()).version)
    _promote(bucket, found[0])
    return found


def _promote(bucket, version):
    promote(bucket, "production", version, who="test", why="next")


class Unsteady(Bucket):
    """A bucket that can be out of reach."""

    down = False

    def read(self, *arguments):
        if self.down:
            raise StoreUnavailableError("gone for a while")
        return super().read(*arguments)


@pytest.fixture
def unsteady(store):
    return Unsteady.open(store)


@pytest.fixture
def models(unsteady, tmp_path):
    return ModelStore.of(unsteady, cache=tmp_path / "cache")


@contextlib.contextmanager
def _looking(models):
    """A watch that looks all the time, and a function that waits until one more look began and ended."""
    looks = Looks()
    with models.watch("production", every=SOON, after_look=looks) as watch:
        yield watch, looks.next


def test_a_new_model_is_taken_by_itself(versions, bucket, models):
    with _looking(models) as (watch, next_look):
        assert watch.model.version == versions[0]
        _promote(bucket, versions[1])
        assert next_look() is None
        assert (watch.model.version, watch.pointer.version) == (versions[1], versions[1])
        _promote(bucket, versions[0])
        next_look()
        assert watch.model.version == versions[0]


def test_the_same_model_stays_the_same_object(versions, bucket, models):
    with models.watch(every=NEVER) as watch:
        before = watch.model

        assert watch.refresh() is False
        assert watch.model is before
        _promote(bucket, versions[2])
        assert watch.refresh() is True
        assert watch.model is not before
        assert before.similar(500, 1)[0].tolist() == [3]


def test_a_store_that_is_down_is_seen_and_the_old_model_serves_on(versions, bucket, unsteady, models):
    with _looking(models) as (watch, next_look):
        unsteady.down = True
        assert next_look() == "StoreUnavailableError: gone for a while"
        assert watch.error == "StoreUnavailableError: gone for a while"
        assert watch.model.similar(500, 1)[0].tolist() == [3]
        _promote(bucket, versions[1])
        unsteady.down = False
        next_look()
        assert (watch.error, watch.model.version) == (None, versions[1])


def test_a_damaged_model_is_never_served(versions, bucket, store, models):
    with models.watch(every=NEVER) as watch:
        _promote(bucket, versions[1])
        blob(store, f"versions/{versions[1]}/vectors.npy").upload_from_string(b"damaged")
        with pytest.raises(CorruptModelError):
            watch.refresh()

        assert watch.model.version == versions[0]
        assert "vectors.npy" in watch.error


def test_age_is_counted_from_the_last_good_look_and_pauses_grow(versions, unsteady, models):
    now = [100.0]
    with Watch(models, "production", NEVER, clock=lambda: now[0]) as watch:
        now[0] = 107.0
        assert watch.age == 7
        unsteady.down = True
        pauses = []
        for _ in range(6):
            with pytest.raises(StoreUnavailableError):
                watch.refresh()
            pauses.append(watch.pause / NEVER)

        assert pauses == [2, 4, 8, 16, 16, LONGEST_PAUSE]
        assert watch.age == 7
        unsteady.down = False
        watch.refresh()
        assert (watch.age, watch.pause, watch.error) == (0, NEVER, None)


def test_there_must_be_a_model_to_begin_with(versions, models):
    threads = threading.active_count()

    for channel in ("candidate", versions[0]):
        with pytest.raises(NotFoundError):
            models.watch(channel)
    with pytest.raises(ValueError, match="seconds between"):
        models.watch(every=0)
    assert threading.active_count() == threads


def test_after_closing_nobody_looks_and_the_model_stays(versions, bucket, models):
    with _looking(models) as (watch, next_look):
        next_look()
    threads = [thread.name for thread in threading.enumerate()]
    watch.close()

    assert "song2vec watches production" not in threads
    assert watch.model.similar(500, 1)[0].tolist() == [3]


def test_a_callback_that_fails_does_not_end_the_watch(versions, bucket, models):
    calls: queue.Queue[int] = queue.Queue()

    def fail(watch):
        calls.put(1)
        raise ValueError("a bug of the service")

    with models.watch(every=SOON, after_look=fail):
        assert [calls.get(timeout=30) for _ in range(3)] == [1, 1, 1]


def test_questions_are_answered_by_one_whole_model_while_models_change(versions, bucket, models):
    right = {version: models.load(version).similar(500, 5)[0].tolist() for version in versions}
    stop, asked, wrong = threading.Event(), threading.Semaphore(0), []

    def ask(watch):
        while not stop.is_set():
            model = watch.model
            if model.similar(500, 5)[0].tolist() != right[model.version]:
                wrong.append(model.version)
            asked.release()

    with models.watch(every=NEVER) as watch:
        threads = [threading.Thread(target=ask, args=(watch,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for turn in range(30):
            _point(models, watch.pointer, versions[(turn + 1) % 3])
            assert watch.refresh()
            for _ in range(5):
                asked.acquire()
        stop.set()
        for thread in threads:
            thread.join()
    assert len({tuple(songs) for songs in right.values()}) == 3
    assert wrong == []


def _point(models, before, version):
    """Move the channel as a promotion does, but without its history, which takes longer with every move."""
    moved = replace(before, version=version, manifest_sha256=models.version(version).manifest_sha256)
    models.bucket.put("channels/production.json", moved.to_bytes())


def _held(cache):
    """What a process may leak: open files, maps, blocks of memory, folders of the cache."""
    gc.collect()
    return {
        "files": len(os.listdir("/proc/self/fd")),
        "maps": sum(str(cache) in line for line in Path("/proc/self/maps").read_text().splitlines()),
        "blocks": sys.getallocatedblocks(),
        "folders": len(list(cache.iterdir())),
        "threads": threading.active_count(),
    }


def test_a_thousand_changes_leak_nothing(versions, store, tmp_path):
    cache = tmp_path / "cache"
    models = ModelStore(store, cache=cache, cache_limit=1)  # so that every change downloads
    with models.watch(every=NEVER) as watch:
        for change in range(1_100):
            _point(models, watch.pointer, versions[(change + 1) % 3])
            assert watch.refresh()
            assert watch.model.similar(500, 1)[0].shape == (1,)
            if change == 99:
                before = _held(cache)
        after = _held(cache)

    assert after.pop("blocks") - before.pop("blocks") < 1_000
    assert after == before
    assert before["folders"] <= 3
    assert before["maps"] > 0
