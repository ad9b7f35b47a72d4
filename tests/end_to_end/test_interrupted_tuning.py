"""``song2vec tune`` that is killed or asked to stop at any moment, and run again, as a process."""

import json
import re
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest
from tests.rig.genres import genre_playlists, write_playlists

SETTINGS = {
    "tune.trials": 3,
    "tune.minutes": 60,
    "train.vector_size": 16,
    "train.workers": 1,
    "train.epochs": 30,
    "train.checkpoint_seconds": 0,
    "train.alpha": 1e-6,  # learns next to nothing: what is tried is better, and has to be confirmed
    "train.neighbours": 1,
}
MOMENTS = ["tuning ", "checkpoint saved", "trial number=", "confirming"]


@pytest.fixture(scope="module")
def playlists(tmp_path_factory):
    """Playlists that a training is busy with for a moment."""
    return write_playlists(
        tmp_path_factory.mktemp("playlists") / "playlists.parquet", genre_playlists(1_000, genres=30)
    )


@contextmanager
def tuning(playlists, out):
    """The command under way; its log comes from its stderr."""
    changes = [word for name, value in SETTINGS.items() for word in ("--set", f"{name}={value}")]
    with subprocess.Popen(
        [sys.executable, "-m", "song2vec", "tune", playlists, "--out", out, "--json", *changes],
        env={"PYTHONPATH": "include", "PATH": "/usr/bin:/bin", "HOME": "/tmp"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def read_until(process, words):
    """Read the log up to the first line that holds `words`."""
    for line in process.stderr:
        if words in line:
            return
    raise AssertionError(f"{words!r} never came")


def test_killed_at_any_moment_it_goes_on_with_the_same_study(playlists, tmp_path):
    out = tmp_path / "study"
    for moment in MOMENTS:
        with tuning(playlists, out) as process:
            read_until(process, moment)
            process.kill()
            assert process.wait() == -signal.SIGKILL
        assert not (out / "study.json").exists()

    with tuning(playlists, out) as process:
        answer, log = process.communicate()

    assert process.returncode == 0, log
    assert "trial number" not in log  # all were over when it was killed while it confirmed
    study = json.loads(answer)
    complete = [trial for trial in study["trials"] if trial["outcome"] == "complete"]
    assert len(complete) == 3
    assert complete[0]["settings"] == study["today"]
    assert len({json.dumps(trial["settings"]) for trial in complete}) == 3
    assert {trial["outcome"] for trial in study["trials"]} == {"complete", "interrupted"}
    assert study["proposed"]
    assert {path.name for path in out.iterdir()} >= {"study.db", "study.json", "study.svg", "proposed.toml"}
    assert not (out / "work").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_stop_it_says_so_and_goes_on_the_next_time(playlists, tmp_path, number):
    out = tmp_path / "study"
    with tuning(playlists, out) as process:
        read_until(process, "checkpoint saved")
        process.send_signal(number)
        _, log = process.communicate()
    assert process.returncode == 1
    assert re.search(rf"^song2vec: {number.name} stopped the training after .* the next try goes on", log, re.MULTILINE)
    assert "Traceback" not in log

    with tuning(playlists, out) as process:
        read_until(process, "going on from the checkpoint")
        read_until(process, "trial number=1")


def test_a_second_process_is_refused_while_the_first_goes_on(playlists, tmp_path):
    out = tmp_path / "study"
    with tuning(playlists, out) as first:
        read_until(first, "tuning ")
        with tuning(playlists, out) as second:
            _, log = second.communicate()
        assert second.returncode == 1
        assert f"song2vec: another process is tuning in {out}" in log
        read_until(first, "trial number=0")
