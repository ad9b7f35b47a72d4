"""A saved state is whole, of this very training, and has the best model that belongs to it."""

import resource
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from song2vec.settings import TrainSettings
from song2vec.train.checkpoint import MAY_CHANGE, Checkpoint, identity

OTHER = {
    "trainer": "gensim",
    "sg": 0,
    "vector_size": 8,
    "window": 7,
    "far_weight": 0.5,
    "min_count": 2,
    "negative": 9,
    "shared_negative": 9,
    "epochs": 9,
    "alpha": 0.5,
    "min_alpha": 0.001,
    "subset_share": 0.2,
    "sample": 0.5,
    "ns_exponent": 0.75,
    "validation_playlists": 9,
    "measure_every": 9,
    "patience": 9,
    "align": False,
    "neighbours": 50,
    "weight_decay": 0.5,
    "checkpoint_seconds": 9,
    "seed": 9,
    "workers": 9,
}
STATE = {"vectors": np.arange(600, dtype=np.float32), "epoch": np.array(3)}


def checkpoint(folder: Path, owner: str = "a" * 64) -> Checkpoint:
    return Checkpoint(folder / "checkpoint", owner, every=60)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "checkpoint").glob("*"))


def loaded(folder: Path, owner: str = "a" * 64) -> tuple[float | None, list[str]]:
    """The epoch of the state that is there, and what the log said."""
    with capture_logs() as logs:
        state = checkpoint(folder, owner).load()
    return (None if state is None else float(state["epoch"])), [log["event"] for log in logs]


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    assert checkpoint(tmp_path).save(STATE, best=None)

    state = checkpoint(tmp_path).load()

    assert state is not None
    for name, array in STATE.items():
        np.testing.assert_array_equal(state[name], array)
        assert state[name].dtype == array.dtype


def test_without_a_state_nothing_is_loaded_and_nothing_said(tmp_path: Path) -> None:
    assert loaded(tmp_path) == (None, [])


def test_the_state_of_another_training_is_refused_and_goes(tmp_path: Path) -> None:
    checkpoint(tmp_path).save(STATE, best=None)

    assert loaded(tmp_path, "b" * 64) == (
        None,
        ["the checkpoint is of other data or settings: training starts afresh"],
    )
    assert not (tmp_path / "checkpoint").exists()


def test_every_setting_that_the_model_depends_on_makes_another_training() -> None:
    assert set(OTHER) == set(TrainSettings.model_fields)
    one = TrainSettings()
    same = {name for name, value in OTHER.items() if identity(one) == identity(one.model_copy(update={name: value}))}
    assert same == MAY_CHANGE == {"workers", "checkpoint_seconds", "neighbours", "align"}


@given(
    st.lists(st.lists(st.integers(0, 3), max_size=3), min_size=2, max_size=2),
    st.lists(st.lists(st.integers(0, 3), max_size=3), min_size=2, max_size=2),
)
def test_two_trainings_are_the_same_if_all_their_data_are(one: list[list[int]], two: list[list[int]]) -> None:
    digests = [identity(TrainSettings(), *(np.array(array, np.int64) for array in data)) for data in (one, two)]
    assert (digests[0] == digests[1]) == (one == two)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_state_is_refused_or_was_not_harmed(tmp_path: Path, data: st.DataObject) -> None:
    checkpoint(tmp_path).save(STATE, best=None)
    path = tmp_path / "checkpoint" / "state.npz"
    content = bytearray(path.read_bytes())
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    else:
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)

    with capture_logs() as logs:
        state = checkpoint(tmp_path).load()

    if state is None:
        assert logs[-1]["log_level"] == "warning"
        assert "training starts afresh" in logs[-1]["event"]
    else:
        assert all(np.array_equal(state[name], array) for name, array in STATE.items())


@pytest.mark.parametrize("foreign", ["text", "npy", "empty"])
def test_a_foreign_file_is_refused(tmp_path: Path, foreign: str) -> None:
    path = tmp_path / "checkpoint" / "state.npz"
    path.parent.mkdir()
    with path.open("wb") as file:
        if foreign == "text":
            file.write(b"hello")
        if foreign == "npy":
            np.save(file, np.arange(3))

    assert loaded(tmp_path) == (None, ["the checkpoint cannot be read: training starts afresh"])


def test_a_full_disk_costs_a_warning_and_leaves_the_state_before(tmp_path: Path) -> None:
    mine, large = checkpoint(tmp_path), {**STATE, "vectors": np.zeros(2**20), "epoch": np.array(4)}
    mine.save(STATE, best=None)

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, before[1]))  # what a full disk does to a write of 8 MiB
    try:
        with capture_logs() as logs:
            saved = mine.save(large, best=None)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert not saved
    assert [(log["log_level"], log["event"]) for log in logs] == [
        ("warning", "the checkpoint could not be saved: training goes on without")
    ]
    assert not mine.due  # it is not tried again at once
    assert names(tmp_path) == ["state.npz"]
    assert loaded(tmp_path) == (3, [])
    assert mine.save(large, best=None)
    assert loaded(tmp_path) == (4, [])


def test_a_folder_that_cannot_be_made_costs_a_warning(tmp_path: Path) -> None:
    (tmp_path / "checkpoint").write_text("in the way")

    with capture_logs() as logs:
        saved = checkpoint(tmp_path).save(STATE, best=None)

    assert not saved
    assert "could not be saved" in logs[0]["event"]


def test_the_best_model_of_the_state_is_kept_and_older_ones_go_with_their_state(tmp_path: Path) -> None:
    mine = checkpoint(tmp_path)
    mine.save_best(5, STATE)
    mine.save(STATE, best=5)
    mine.save_best(10, STATE)
    assert names(tmp_path) == ["best-10.npz", "best-5.npz", "state.npz"]  # a crash now needs 5
    assert loaded(tmp_path) == (3, [])
    assert names(tmp_path) == ["best-5.npz", "state.npz"]
    mine.save_best(10, STATE)
    mine.save(STATE, best=10)
    assert names(tmp_path) == ["best-10.npz", "state.npz"]


def test_a_state_is_not_saved_without_its_best_model(tmp_path: Path) -> None:
    mine = checkpoint(tmp_path)
    mine.save_best(5, STATE)
    mine.save(STATE, best=5)
    assert not mine.save({**STATE, "epoch": np.array(12)}, best=10)
    assert loaded(tmp_path) == (3, [])


def test_a_state_whose_best_model_is_gone_is_refused(tmp_path: Path) -> None:
    mine = checkpoint(tmp_path)
    mine.save_best(5, STATE)
    mine.save(STATE, best=5)
    (tmp_path / "checkpoint" / "best-5.npz").unlink()
    assert loaded(tmp_path) == (None, ["the checkpoint lacks the best model so far: training starts afresh"])


@pytest.mark.parametrize("damage", [None, "gone", "half", "flipped"])
def test_the_best_model_is_given_back_or_nothing_is_touched(tmp_path: Path, damage: str | None) -> None:
    model = {"vectors": np.ones((50, 4), np.float32), "context": np.full((50, 4), 2, np.float32)}
    mine, now = checkpoint(tmp_path), {name: np.zeros_like(array) for name, array in model.items()}
    mine.save_best(5, model)
    path = tmp_path / "checkpoint" / "best-5.npz"
    content = bytearray(path.read_bytes())
    content[-600] ^= 1  # in the second matrix
    if damage == "gone":
        path.unlink()
    if damage == "half":
        path.write_bytes(content[: len(content) // 2])
    if damage == "flipped":
        path.write_bytes(content)

    assert mine.load_best(5, now) == (damage is None)

    for name, array in now.items():
        np.testing.assert_array_equal(array, model[name] if damage is None else np.zeros_like(array))


def test_what_a_killed_process_left_half_written_goes(tmp_path: Path) -> None:
    checkpoint(tmp_path).save(STATE, best=None)
    (tmp_path / "checkpoint" / ".state.npz.0a1b2c3d.part").write_bytes(b"half")
    assert loaded(tmp_path) == (3, [])
    assert names(tmp_path) == ["state.npz"]


def test_removing_leaves_nothing_and_may_be_done_twice(tmp_path: Path) -> None:
    mine = checkpoint(tmp_path)
    mine.save(STATE, best=None)
    mine.remove()
    mine.remove()
    assert list(tmp_path.iterdir()) == []
