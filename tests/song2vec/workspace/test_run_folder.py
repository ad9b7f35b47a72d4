"""A run's files: the same stages work in a folder and in a bucket."""

import contextlib

import numpy as np
import pytest
from structlog.testing import capture_logs

from song2vec.train.checkpoint import Checkpoint
from song2vec.workspace import open_run_folder
from song2vec_client.errors import NotFoundError
from song2vec_client.gcs.bucket import Bucket


@pytest.fixture(params=["folder", "bucket"])
def workspace(request, tmp_path):
    return str(tmp_path / "workspace") if request.param == "folder" else request.getfixturevalue("store")


def _write(folder, name, text):
    with folder.stage("prepared") as out:
        out.mkdir(parents=True, exist_ok=True)
        (out / name).write_text(text)


def test_what_one_task_wrote_another_fetches(workspace):
    _write(open_run_folder(workspace, "dag", "run"), "a.txt", "songs")

    other = open_run_folder(workspace, "dag", "run")

    assert (other.fetch(other.uri("prepared")) / "a.txt").read_text() == "songs"
    assert other.fetch(other.uri("prepared/a.txt")).read_text() == "songs"


def test_running_a_stage_again_replaces_what_it_wrote(workspace):
    _write(open_run_folder(workspace, "dag", "run"), "a.txt", "first")
    _write(open_run_folder(workspace, "dag", "run"), "a.txt", "second")

    other = open_run_folder(workspace, "dag", "run")

    assert other.fetch(other.uri("prepared/a.txt")).read_text() == "second"


def test_runs_do_not_see_each_other(workspace):
    _write(open_run_folder(workspace, "dag", "one"), "a.txt", "one")

    other = open_run_folder(workspace, "dag", "two")

    with pytest.raises(NotFoundError, match="Run that stage again"):
        other.fetch(other.uri("prepared"))


def test_a_stage_that_failed_in_a_bucket_leaves_nothing(store):
    folder = open_run_folder(store, "dag", "run")
    with contextlib.suppress(RuntimeError), folder.stage("prepared") as out:
        out.mkdir(parents=True)
        (out / "half.txt").write_text("half")
        raise RuntimeError

    other = open_run_folder(store, "dag", "run")

    with pytest.raises(NotFoundError):
        other.fetch(other.uri("prepared"))


def test_a_training_begun_on_one_machine_goes_on_on_another(store, tmp_path):
    one = _checkpoint(store, tmp_path / "one")
    one.save_best(5, {"vectors": np.full(3, 5)})
    one.save({"epoch": np.array(7)}, best=5)
    one.save_best(10, {"vectors": np.full(3, 10)})  # and the machine is gone before the state that needs it

    other = _checkpoint(store, tmp_path / "other")
    state, best = other.load(), {"vectors": np.zeros(3)}

    assert state["epoch"] == 7
    assert other.load_best(5, best)
    assert best["vectors"].tolist() == [5, 5, 5]


def test_a_bucket_keeps_no_more_of_a_training_than_its_state_needs_and_nothing_once_it_is_over(store, tmp_path):
    checkpoint = _checkpoint(store, tmp_path / "one")
    kept = []
    for epoch in (5, 10):
        checkpoint.save_best(epoch, {"vectors": np.zeros(3)})
        checkpoint.save({"epoch": np.array(epoch)}, best=epoch)
        kept.append(_objects(store))
    checkpoint.remove()

    assert kept == [["best-5.npz", "state.npz"], ["best-10.npz", "state.npz"]]
    assert _objects(store) == []


def test_a_bucket_that_is_away_costs_a_checkpoint_and_not_the_training(store, tmp_path):
    lost = _checkpoint(store.replace("gs://", "gs://gone-"), tmp_path / "two")

    with capture_logs() as logs:
        lost.save_best(5, {"vectors": np.zeros(3)})
        saved = lost.save({"epoch": np.array(6)}, best=5)

    assert not saved
    assert logs[0]["event"] == "the checkpoint could not be saved: training goes on without"
    assert "gone-" in logs[0]["error"]


def test_a_folder_needs_no_backup_to_go_on(tmp_path):
    workspace = str(tmp_path / "workspace")
    _checkpoint(workspace, tmp_path / "model").save({"epoch": np.array(7)}, best=None)

    assert _checkpoint(workspace, tmp_path / "model").load()["epoch"] == 7
    assert not (tmp_path / "workspace").exists()


def _checkpoint(workspace, folder):
    backup = open_run_folder(workspace, "dag", "run").backup("checkpoint")
    return Checkpoint(folder, "a" * 64, every=60, backup=backup)


def _objects(store):
    return [name.removeprefix("dag/run/checkpoint/") for name in Bucket.open(store).names()]
