"""The whole story of a model store, from the first model to the rollback, as a service sees it that looks on."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from tests.rig.gcs import blob
from tests.rig.network import Meter
from tests.rig.runs import begin, karaoke
from tests.rig.service import Service, answers

from song2vec.channels import history, rollback
from song2vec.prune import clean
from song2vec.settings import load_settings
from song2vec.stages import run_all
from song2vec.train import train
from song2vec_client import Bucket, ModelStore, SongModel
from tools.gcs import GcsServer

STORE = "gs://songs/models"
GOOD = {"train.epochs": 40, "train.vector_size": 16, "train.min_count": 1, "train.workers": 1}
TOO_LITTLE = GOOD | {"train.epochs": 1, "train.alpha": 1e-6, "train.neighbours": 1}
REASON = "the old one knows no carols"
NIGHTLY = "airflow (scheduled)"


@pytest.fixture
def reach(monkeypatch):
    """Have this process, and those that it starts, find the store on a server."""
    return lambda server: monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.url)


@pytest.fixture
def server(tmp_path, reach):
    """A storage server that keeps the store in a folder, so that another one can take over."""
    with GcsServer(tmp_path / "gcs") as server:
        server.create_bucket("songs")
        reach(server)
        yield server


@pytest.fixture
def retrain(tmp_path):
    """What the DAG does each night, task by task, from one database; each night has a folder of its own."""
    (tmp_path / "csv").mkdir()
    engine = karaoke(tmp_path / "karaoke.db")

    def retrain(night, changes):
        changes |= {"collect.folder": str(tmp_path / "csv")}
        return run_all(begin(tmp_path / night, Bucket.open(STORE), changes, engine=engine, who=NIGHTLY))

    yield retrain
    engine.dispose()


@pytest.fixture
def right(tmp_path):
    """What a version answers as it was trained: read from the folder of its night, past the store."""
    return lambda night: answers(SongModel.open(tmp_path / night / "train"))


def test_a_service_sees_only_whole_models_that_deserve_it(server, reach, retrain, right, tmp_path):
    store = Bucket.open(STORE)
    models = ModelStore.of(store, cache=tmp_path / "somebody's cache")

    # On Monday there is nothing yet. The first model is good, and goes live.
    a = retrain("monday", GOOD)
    assert a["accepted"]
    assert models.resolve("production").version == a["version"]

    with Service(STORE, tmp_path / "cache of the service") as service:
        assert _serves(service.looks(), a["version"]) is None

        # On Tuesday somebody saves time: one epoch, next to no steps, one neighbour. The model is worse, and the gate
        # says by how much.
        refused = retrain("tuesday", TOO_LITTLE)
        _insist_refused(refused, a["version"], models)
        assert _serves(service.looks(), a["version"]) is None

        # Somebody publishes a good model by hand, and the machine dies in the middle of it.
        before = _what_people_see(models)
        _publish_and_die_halfway(server, tmp_path / "monday" / "prepare", tmp_path / "by hand")
        assert _what_people_see(models) == before
        assert _serves(service.looks(), a["version"]) is None

        # On Wednesday the service cannot reach the store, so it stays with what it has, and says so.
        server.stop()
        stopped = time.monotonic()
        assert "StoreUnavailableError" in _serves(service.looks(), a["version"])
        with GcsServer(server.folder) as elsewhere:
            reach(elsewhere)
            # Meanwhile the model that was refused is wanted all the same: that takes a reason, which is kept.
            b = retrain("wednesday", TOO_LITTLE | {"gate.force": REASON})
            _insist_forced(b)
            # And a disk flips bits in what nobody has pulled yet.
            vectors = f"versions/{b['version']}/vectors.npy"
            whole = _damage(vectors)
        down = time.monotonic() - stopped
        assert service.looks()["age"] >= down
        reach(server)
        server.start()

        # The service reaches the store again, but takes no model that is not whole.
        assert "vectors.npy is damaged" in _serves(service.looks(), a["version"])
        blob(STORE, vectors).upload_from_string(whole)
        assert _serves(service.looks(), b["version"]) is None

        # On Thursday people complain, and one step undoes it.
        rollback(store, "production", who="minji", why="people complain")
        told = service.looks()
        assert _serves(told, a["version"]) is None

    # Whatever it was asked, all the time, the service answered as one of the two models, and changed over twice.
    assert right("monday") != right("wednesday")
    assert told["served"] == [
        [a["version"], right("monday")],
        [b["version"], right("wednesday")],
        [a["version"], right("monday")],
    ]

    # And the history tells all of it, but what never went live.
    assert [(move.kind, move.version, move.forced, move.who, move.why) for move in history(store)] == [
        ("promote", a["version"], False, NIGHTLY, a["sentence"]),
        ("promote", b["version"], True, NIGHTLY, b["sentence"]),
        ("rollback", a["version"], False, "minji", "people complain"),
    ]
    assert models.version(refused["version"]).manifest.status == "rejected"

    # Days later the rest of the upload that died is cleaned up.
    clean(store, load_settings().retention, now=datetime.now(UTC) + timedelta(days=2))
    versions = {name.split("/")[1] for name in store.names("versions/")}
    assert versions == {a["version"], refused["version"], b["version"]}


def _serves(told, version):
    """Check that a service stands by a version; why its last look failed, or None."""
    assert (told["version"], told["pointer"], told["served"][-1][0]) == (version, version, version)
    return told["error"]


def _what_people_see(models):
    """All that a store shows: versions, channels, moves."""
    return [version.manifest for version in models.versions()], models.channels(), history(models.bucket)


def _insist_refused(night, live, models):
    """The verdict is in plain words, the version is there to be looked at, and `production` is as it was."""
    assert (night["accepted"], night["forced"]) == (False, False)
    assert re.match(
        r"Refused: .*nDCG@100 0\.\d+ is \d\d(\.\d)?% below the live version's 0\.\d+, "
        r"not by chance, .* instead of at most 5% below, missed by \d\d",
        night["sentence"],
    )
    version = models.version(night["version"])
    decision = json.loads(version.read("decision.json"))
    (rule,) = [rule for rule in decision["rules"] if rule["rule"] == "max_fall"]
    assert (decision["live_version"], rule["passed"]) == (live, False)
    assert rule["margin"] == pytest.approx(rule["limit"] - rule["figure"])
    assert f"production stays at {live}: the gate refused the model." in night["summary"]
    assert (version.manifest.status, version.manifest.parent) == ("rejected", live)
    assert models.resolve("production").version == live


def _insist_forced(night):
    """The verdict is what it was, and the reason stands beside it wherever one looks."""
    models = ModelStore(STORE)
    assert (night["accepted"], night["forced"]) == (False, True)
    assert night["sentence"].startswith(f"Refused, but forced ({REASON}): ")
    version = models.version(night["version"])
    assert json.loads(version.read("decision.json"))["force"] == REASON
    assert REASON in version.read("MODEL_CARD.md").decode()
    assert REASON in models.resolve("production").why
    assert version.manifest.status == "rejected"
    assert models.resolve("production").version == night["version"]


def _publish_and_die_halfway(server, prepared, model):
    """Train, and publish in a process that is killed when half of the bytes are on their way."""
    train(prepared / "playlists.parquet", model, load_settings(GOOD), heldout=prepared / "heldout.parquet")
    size = sum(path.stat().st_size for path in model.rglob("*") if path.is_file())
    command = [sys.executable, "-m", "song2vec", "publish", model, "--to", STORE, "--quiet"]
    with Meter(server.url, most=size // 2) as line:
        environment = os.environ | {"PYTHONPATH": "include", "STORAGE_EMULATOR_HOST": line.url}
        with subprocess.Popen(command, env=environment) as publisher:
            line.then = publisher.kill
            assert publisher.wait() == -signal.SIGKILL


def _damage(name):
    """Change an object, but not its size or its form; gives what it was."""
    whole = blob(STORE, name).download_as_bytes()
    shape, vectors = whole[:128], np.frombuffer(whole[128:], np.float32)
    blob(STORE, name).upload_from_string(shape + vectors[::-1].tobytes())
    return whole
