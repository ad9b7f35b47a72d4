"""A run's files: the same stages work in a folder and in a bucket."""

import contextlib

import pytest

from song2vec.errors import NotFoundError
from song2vec.workspace import open_run_folder


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
