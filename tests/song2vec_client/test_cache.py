"""The cache on disk: one download for many processes, no traces of a crash, and never more than its limit."""

import json
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import numpy as np
import pytest
from tests.rig.gcs import Counting, blob
from tests.rig.models import FINISHED, publish_model

from song2vec_client import Bucket, ModelStore
from song2vec_client.format.layout import CONTEXT, MODEL_FILES, TWO_WAY

WAITING = """
import sys
from song2vec_client import Bucket, ModelStore

class Waiting(Bucket):
    def download(self, name, path, limit=None):
        super().download(name, path, limit)
        if name.endswith("counts.npy"):
            print("written", flush=True)
            sys.stdin.readline()

store, cache, version = sys.argv[1:]
model = ModelStore.of(Waiting.open(store), cache=cache).load(version)
print(model.similar(500, 1)[0].tolist(), flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def versions(bucket, tmp_path):
    """Three versions, oldest first."""
    days = [FINISHED + timedelta(days=day) for day in range(3)]
    return [publish_model(bucket, tmp_path / f"{day:%d}", finished=day).version for day in days]


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def start(store, gcs, cache):
    """Start a process that pulls a version, and stops before the end until a line is written to it."""
    started = []

    def begin(version):
        started.append(
            subprocess.Popen(
                [sys.executable, "-c", WAITING, store, cache, version],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=os.environ | {"PYTHONPATH": "include", "STORAGE_EMULATOR_HOST": gcs},
            )
        )
        assert started[-1].stdout.readline() == "written\n"
        return started[-1]

    yield begin
    for process in started:
        with process:
            process.kill()


def _go_on(process):
    process.stdin.write("go on\n")
    process.stdin.flush()
    return process.stdout.readline()


def _models(cache):
    return sorted(path.name[:25] for path in cache.iterdir() if path.name != ".lock")


def _size(cache):
    return sum(path.stat().st_size for path in cache.rglob("*") if path.is_file())


def test_many_who_pull_at_once_share_one_download(store, versions, cache):
    bucket = Counting.open(store)

    with ThreadPoolExecutor(6) as pool:
        stores = [ModelStore.of(bucket, cache=cache) for _ in range(6)]
        answers = list(pool.map(lambda models: models.load(versions[0]).similar(500, 2)[0].tolist(), stores))

    assert answers == [[3, 42]] * 6
    assert {name: bucket.requests[f"versions/{versions[0]}/{name}"] for name in MODEL_FILES[TWO_WAY]} == dict.fromkeys(
        MODEL_FILES[TWO_WAY], 1
    )
    assert _models(cache) == [versions[0]]


def test_processes_that_pull_at_once_all_get_the_model(store, gcs, versions, cache):
    command = [
        sys.executable,
        "-m",
        "song2vec_client",
        "similar",
        store,
        "500",
        "--name",
        versions[0],
        "--cache",
        cache,
    ]
    environment = os.environ | {"PYTHONPATH": "include", "STORAGE_EMULATOR_HOST": gcs}
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) for _ in range(4)]
    answers = [json.loads(process.communicate()[0])["similar"][0]["song"] for process in started]

    assert answers == [3] * 4
    assert _models(cache) == [versions[0]]


def test_what_a_killed_process_left_is_cleaned_by_the_next_one(store, versions, cache, start):
    start(versions[0]).send_signal(signal.SIGKILL)
    left = [path for path in cache.iterdir() if path.name.endswith(".part")]
    assert [path.name for path in left[0].iterdir()]

    assert ModelStore(store, cache=cache).load(versions[1]).similar(500, 1)[0].tolist() == [3]
    assert _models(cache) == [versions[1]]


def test_what_a_living_process_writes_is_left_alone(store, versions, cache, start):
    slow = start(versions[0])
    asked = threading.Event()

    class Telling(Bucket):
        def read(self, *arguments):
            asked.set()
            return super().read(*arguments)

    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(ModelStore.of(Telling.open(store), cache=cache).pull, versions[1])
        assert asked.wait(30)
        assert _go_on(slow) == "[3]\n"
        other.result()

    assert _models(cache) == versions[:2]


def test_the_least_recently_used_model_goes(store, versions, cache):
    one = _size(ModelStore(store, cache=cache).pull(versions[0]))
    models = ModelStore(store, cache=cache, cache_limit=2 * one + one // 2)
    models.pull(versions[1])
    _used_long_ago(cache, versions[0])
    models.pull(versions[0])
    models.pull(versions[2])

    assert _models(cache) == [versions[0], versions[2]]
    assert _size(cache) <= models.cache.limit


def _used_long_ago(cache, version):
    """As if a day had passed since: a file system may tell times in steps as coarse as a second."""
    for path in cache.glob("*/manifest.json"):
        used = path.stat().st_mtime
        os.utime(path, (used, used - (2 if version in path.parent.name else 1) * 86_400))


def test_a_model_larger_than_the_limit_is_alone(store, versions, cache):
    models = ModelStore(store, cache=cache, cache_limit=1)

    for version in versions:
        assert models.load(version).version == version
        assert _models(cache) == [version]


def test_a_model_in_use_stays(store, versions, cache):
    models = ModelStore(store, cache=cache, cache_limit=1)
    mine = models.load(versions[0])
    models.load(versions[1])
    assert _models(cache) == versions[:2]
    models.load(versions[2])
    assert _models(cache) == [versions[0], versions[2]]

    assert mine.similar(500, 1)[0].tolist() == [3]
    del mine
    models.load(versions[1])
    assert _models(cache) == [versions[1]]


def test_a_model_that_another_process_uses_stays_until_that_ends(store, versions, cache, start):
    other = start(versions[0])
    _go_on(other)
    models = ModelStore(store, cache=cache, cache_limit=1)

    models.pull(versions[1])
    assert _models(cache) == versions[:2]
    other.kill()
    other.wait()
    models.pull(versions[2])
    assert _models(cache) == [versions[2]]


def test_arrays_outlive_their_place_in_the_cache(store, versions, cache):
    models = ModelStore(store, cache=cache, cache_limit=1)
    vectors = models.load(versions[0]).vectors
    models.load(versions[1])

    assert _models(cache) == [versions[1]]
    assert np.isfinite(vectors).all()


def test_a_model_without_its_manifest_gives_way(store, versions, cache):
    models = ModelStore(store, cache=cache)
    (models.pull(versions[0]) / "manifest.json").unlink()

    assert models.load(versions[0]).version == versions[0]


def test_other_files_in_the_cache_folder_are_never_deleted(store, versions, cache):
    (cache / ".mine.part").mkdir(parents=True)
    (cache / "20260131T040000Z-0123abcd-notes").mkdir()
    models = ModelStore(store, cache=cache, cache_limit=1)
    for version in versions:
        models.pull(version)

    assert len(_models(cache)) == 3


def test_a_cache_that_cannot_be_written_serves_what_it_has(store, versions, cache):
    models = ModelStore(store, cache=cache)
    folder = models.pull(versions[0])
    blob(store, f"versions/{versions[0]}/{CONTEXT}").delete()
    for path in (*folder.iterdir(), folder, cache):
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        assert models.load(versions[0]).similar(500, 1)[0].tolist() == [3]
    finally:
        folder.chmod(0o755)
        cache.chmod(0o755)
