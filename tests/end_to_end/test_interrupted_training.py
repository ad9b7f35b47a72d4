"""A training on the command line that is killed or asked to stop, and run again, as a process."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from tests.rig.genres import genre_playlists, write_playlists

EPOCHS = 60
SETTINGS = {
    "epochs": EPOCHS,
    "patience": 100,
    "vector_size": 32,
    "workers": 1,
    "measure_every": 4,
    "checkpoint_seconds": 0,
}
FILES = ["vectors.npy", "context.npy", "songs.parquet", "song2vec.bin"]
SAVED, HALF = "checkpoint saved file=state", "a state is half written"


@contextmanager
def training(playlists: Path, out: Path, **changes: object) -> Iterator[subprocess.Popen[str]]:
    """``song2vec train`` under way; its log comes from its stderr."""
    settings = [f"train.{name}={value}" for name, value in {**SETTINGS, **changes}.items()]
    with subprocess.Popen(
        [sys.executable, "-m", "song2vec", "train", playlists, "--out", out,
         *(word for setting in settings for word in ("--set", setting))],
        env={"PYTHONPATH": "include", "PATH": "/usr/bin:/bin", "HOME": "/tmp"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


def read_until(process: subprocess.Popen[str], words: str) -> list[str]:
    """The lines of the log up to the first that holds `words`."""
    lines = []
    while not lines or not re.search(words, lines[-1]):
        line = process.stderr.readline()
        assert line, f"{words!r} never came; the log: {''.join(lines)}"
        lines.append(line)
    return lines


def begun_at(lines: list[str]) -> tuple[int, int] | None:
    """Where a run went on, as its log says: (epochs, chunks) done before; None if the log says nothing of it."""
    found = re.search(r"going on from the checkpoint.*epochs_done=(\d+) chunks_done=(\d+)", "".join(lines))
    return (int(found[1]), int(found[2])) if found else None


def saved_at(out: Path) -> tuple[int, int] | None:
    """Where the next run has to go on, as the state that is there says; None: it has to start afresh."""
    path = out.with_name(".model.checkpoint") / "state.npz"
    if not path.exists():
        return None
    with np.load(path) as state:
        return int(state["epoch"]), int(state["chunk"])


def content(model: Path) -> dict[str, bytes]:
    return {name: (model / name).read_bytes() for name in FILES}


@pytest.fixture(scope="module")
def playlists(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Playlists of 30 genres that keep a training busy for some seconds, epochs that are soon over."""
    folder = tmp_path_factory.mktemp("playlists")
    return write_playlists(folder / "playlists.parquet", genre_playlists(6_000, genres=30))


@pytest.fixture(scope="module")
def whole(playlists: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The model of a training that nobody interrupted."""
    out = tmp_path_factory.mktemp("whole") / "model"
    with training(playlists, out, checkpoint_seconds=86_400) as process:
        log = process.communicate()[1]
        assert process.returncode == 0, log
    return content(out)


def half_written(process: subprocess.Popen[str], out: Path) -> list[str]:
    """The log up to the moment when a state is being written."""
    lines = read_until(process, "going on")
    while not list(out.with_name(".model.checkpoint").glob(".state.npz.*.part")):
        assert process.poll() is None
    return lines


def test_killed_at_any_moment_it_goes_on_from_its_last_state_and_ends_the_same(
    playlists: Path, whole: dict[str, bytes], tmp_path: Path
) -> None:
    out = tmp_path / "model"
    for moment in ["training ", "epoch=2 ", SAVED, SAVED, HALF]:
        expected = saved_at(out)
        with training(playlists, out) as process:
            lines = half_written(process, out) if moment == HALF else read_until(process, moment)
            process.kill()
            assert process.wait() == -signal.SIGKILL
            lines += process.stderr.readlines()
        assert begun_at(lines) in ([expected] if moment in (SAVED, HALF) else [expected, None])
        assert not out.exists()
    expected = saved_at(out)
    assert expected is not None

    with training(playlists, out) as process:
        log = process.communicate()[1].splitlines(keepends=True)

    assert process.returncode == 0, log
    assert begun_at(log) == expected
    assert f"epoch={expected[0] + 1} " in next(line for line in log if "words_per_second" in line)
    assert content(out) == whole
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_asked_to_stop_it_says_so_keeps_its_state_and_goes_on_the_next_time(
    playlists: Path, whole: dict[str, bytes], tmp_path: Path
) -> None:
    out = tmp_path / "model"
    for number in (signal.SIGTERM, signal.SIGINT):
        expected = saved_at(out)
        with training(playlists, out, checkpoint_seconds=86_400) as process:
            lines = read_until(process, "words_per_second")
            process.send_signal(number)
            rest = process.communicate()[1]
        assert begun_at(lines) == expected
        assert process.returncode == 1
        done, _ = saved_at(out) or (0, 0)
        said = f"song2vec: {number.name} stopped the training after {done} of {EPOCHS} epochs. Its state is kept: the"
        assert said in rest.splitlines()[-1]
        assert "Traceback" not in rest
        assert (saved_at(out) or (0, 0)) > (expected or (0, 0))
        assert not out.exists()

    with training(playlists, out) as process:
        log = process.communicate()[1]

    assert process.returncode == 0, log
    assert content(out) == whole
    assert not out.with_name(".model.checkpoint").exists()


def test_a_state_of_other_settings_is_refused_aloud(playlists: Path, tmp_path: Path) -> None:
    out = tmp_path / "model"
    with training(playlists, out) as process:
        read_until(process, "words_per_second")
        process.terminate()
        process.communicate()
    assert saved_at(out) is not None

    with training(playlists, out, epochs=2) as process:
        log = process.communicate()[1]

    assert process.returncode == 0, log
    assert "the checkpoint is of other data or settings: training starts afresh" in log
    assert "going on" not in log
