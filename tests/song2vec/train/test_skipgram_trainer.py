"""A training that is interrupted and one that is not end the same; none ends in numbers that are not."""

import os
import signal
import tempfile
from collections.abc import Callable, Collection, Generator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from song2vec.errors import StoppedError
from song2vec.model import Model
from song2vec.playlists.corpus import Ragged, Vocabulary
from song2vec.plumbing.interrupt import Stop
from song2vec.settings import TrainSettings
from song2vec.train.checkpoint import Checkpoint
from song2vec.train.history import History
from song2vec.train.loop import train_epochs
from song2vec.train.measuring import Measurements, Validation, draw_sample
from song2vec.train.skipgram_trainer import CHUNK_WORDS, PIECE_CHUNKS, SkipGramTrainer
from song2vec.workspace import Backup
from song2vec_client.errors import TransientError

Trained = tuple[Model, History, int]

SONGS, LENGTH = 60, 50
PIECES = 3  # an epoch
WORDS = int((PIECES - 0.5) * PIECE_CHUNKS * CHUNK_WORDS)


class After:
    """Does something after every file that was saved: the moments at which a process may end."""

    def __init__(self, do: Callable[[str], None]) -> None:
        self.do = do

    def fetch(self, folder: Path) -> None: ...

    def keep(self, file: Path) -> None:
        self.do(file.name)

    def only(self, names: Collection[str]) -> None: ...


class AskedToStop(SkipGramTrainer):
    """The process is asked to stop just before the first chunk."""

    def epoch(self, epoch: int, chunks: int, stop: Stop) -> Generator[int, None, None]:
        os.kill(os.getpid(), signal.SIGTERM)
        return super().epoch(epoch, chunks, stop)


class CrashError(Exception):
    """The end of a process, where nothing is tidied up."""


def options(**changes: Any) -> TrainSettings:
    small = {"vector_size": 3, "shared_negative": 1, "epochs": 3, "measure_every": 1, "patience": 1, "workers": 1}
    return TrainSettings(**{**small, **changes})


@pytest.fixture(scope="module")
def playlists() -> Ragged:
    """Half of them even songs, half of them odd ones."""
    rng = np.random.default_rng(1)
    lists = WORDS // LENGTH
    songs = 2 * rng.integers(0, SONGS // 2, (lists, LENGTH)) + np.arange(lists)[:, None] % 2
    return Ragged(songs.ravel(), np.arange(0, WORDS + 1, LENGTH))


def train(
    playlists: Ragged,
    settings: TrainSettings,
    folder: Path,
    backup: Backup | None = None,
    *,
    every: float = 0,
    kind: type[SkipGramTrainer] = SkipGramTrainer,
) -> Trained:
    songs, counts = np.unique(playlists.flat, return_counts=True)
    vocabulary = Vocabulary(songs, counts)
    rows = Ragged(vocabulary.rows_of(playlists.flat).astype(np.int32), playlists.offsets)
    aside = rows.only(np.arange(len(rows)) < 20)
    even = np.arange(len(aside.flat)) % 2 == 0
    measurements = Measurements(
        draw_sample(rows, vocabulary, settings),
        Validation(aside.where(even), aside.where(~even)),
        settings.measure_every,
        settings.epochs,
    )
    checkpoint = Checkpoint(folder / "checkpoint", "a", every=every, backup=backup)
    return train_epochs(partial(kind, rows, vocabulary, settings), settings, len(rows.flat), measurements, checkpoint)


@pytest.fixture(scope="module")
def whole(playlists: Ragged, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """The training without interruptions."""
    return train(playlists, options(), tmp_path_factory.mktemp("whole"))


def same(one: Trained, other: Trained) -> bool:
    """Whether both made the same model to the bit, and say the same of it."""
    (model, history, best), (other_model, other_history, other_best) = one, other
    figures, other_figures = ([(r.epoch, r.loss, r.ndcg) for r in each.records] for each in (history, other_history))
    return (
        np.array_equal(model.vectors, other_model.vectors)
        and np.array_equal(model.context, other_model.context)
        and best == other_best
        and figures == other_figures
    )


def test_the_model_is_an_average_of_the_epochs_so_far(playlists: Ragged) -> None:
    songs, counts = np.unique(playlists.flat, return_counts=True)
    rows = Ragged(playlists.flat.astype(np.int32), playlists.offsets)
    trainer = SkipGramTrainer(rows, Vocabulary(songs, counts), options(), None)
    ends = []
    for epoch in range(3):
        list(trainer.epoch(epoch, 0, Stop()))
        ends.append({name: trainer.state()[name].copy() for name in ("vectors", "context")})
    for name, average in (("vectors", trainer.model.vectors), ("context", trainer.model.context)):
        first, second, third = (end[name] for end in ends)
        after_two = (first + 5 * second) / 6  # RECENCY 4
        np.testing.assert_allclose(average, (2 * after_two + 5 * third) / 7, rtol=1e-4, atol=1e-6)


def test_a_crash_after_every_file_that_was_saved_changes_nothing(
    playlists: Ragged, whole: Trained, tmp_path: Path
) -> None:
    saved: list[str] = []

    def crash(name: str) -> None:
        if name == "state.npz" or name not in saved:  # the same best model is saved again after a crash right there
            saved.append(name)
            raise CrashError

    crashes, ended = 0, None
    while ended is None:
        try:
            ended = train(playlists, options(), tmp_path, After(crash))
        except CrashError:
            crashes += 1
            assert crashes < 40

    assert same(ended, whole)
    assert len(whole[1].records) >= 2
    assert crashes == len(saved) > 2 * PIECES
    assert any(name.startswith("best-") for name in saved)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_its_state_kept_and_the_next_run_goes_on(
    number: signal.Signals, playlists: Ragged, whole: Trained, tmp_path: Path
) -> None:
    handlers = [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)]
    with pytest.raises(
        StoppedError, match=rf"{number.name} stopped .* after 0 of 3 epochs. Its state is kept: the next try goes on"
    ):
        train(playlists, options(), tmp_path, After(lambda _: os.kill(os.getpid(), number)))
    assert issubclass(StoppedError, TransientError)
    assert [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)] == handlers
    with np.load(tmp_path / "checkpoint" / "state.npz") as state:
        done = (int(state["epoch"]), int(state["chunk"]))
    assert done == (0, PIECE_CHUNKS)  # the piece that was under way when it was asked, and no other

    with capture_logs() as logs:
        ended = train(playlists, options(), tmp_path)

    assert same(ended, whole)
    assert [(log["epochs_done"], log["chunks_done"]) for log in logs if "going on" in log["event"]] == [done]


def test_no_further_chunk_is_begun_once_it_was_asked_to_stop(playlists: Ragged, whole: Trained, tmp_path: Path) -> None:
    with pytest.raises(StoppedError):
        train(playlists, options(), tmp_path, every=600, kind=AskedToStop)
    with np.load(tmp_path / "checkpoint" / "state.npz") as state:
        assert (int(state["epoch"]), int(state["chunk"])) == (0, 0)
    assert same(train(playlists, options(), tmp_path), whole)


def test_a_stop_whose_state_cannot_be_saved_does_not_promise_it(playlists: Ragged, tmp_path: Path) -> None:
    def fail(_: str) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        raise OSError("the disk is full")

    with pytest.raises(StoppedError, match="could not be saved"):
        train(playlists, options(), tmp_path, After(fail))


def test_a_disk_that_stays_full_costs_checkpoints_and_not_the_training(playlists: Ragged, tmp_path: Path) -> None:
    (tmp_path / "checkpoint").write_text("in the way")
    with capture_logs() as logs:
        model, history, _ = train(playlists, options(patience=0, epochs=2), tmp_path)
    assert len(history.records) == 2
    assert np.isfinite(model.vectors).all()
    assert "the checkpoint could not be saved: training goes on without" in {log["event"] for log in logs}


def test_it_may_go_on_with_another_number_of_threads(playlists: Ragged, tmp_path: Path) -> None:
    saved = []

    def crash(name: str) -> None:
        saved.append(name)
        if len(saved) == 2:
            raise CrashError

    with pytest.raises(CrashError):
        train(playlists, options(workers=2, patience=0), tmp_path, After(crash))
    with capture_logs() as logs:
        _, history, _ = train(playlists, options(workers=1, patience=0), tmp_path)
    assert [record.epoch for record in history.records] == [1, 2, 3]
    assert next(log["chunks_done"] for log in logs if "going on" in log["event"]) > 2 * PIECE_CHUNKS - 1


EXTREME = st.fixed_dictionaries(
    {
        "vector_size": st.sampled_from([2, 67]),
        "window": st.sampled_from([1, 10_000]),
        "far_weight": st.sampled_from([0.0, 1.0]),
        "subset_share": st.sampled_from([0.0, 0.5, 1.0]),
        "negative": st.sampled_from([1, 1_000]),
        "shared_negative": st.sampled_from([1, 1_000]),
        "alpha": st.sampled_from([5e-324, 1e-30, 1.0]),
        "sample": st.sampled_from([0.0, 5e-324, 1e-6, 1.0]),
        "ns_exponent": st.sampled_from([-2.0, 0.0, 2.0]),
        "epochs": st.sampled_from([1, 8]),
        "seed": st.sampled_from([0, 2**31 - 1]),
    }
)


LARGEST = {
    "vector_size": 2048,
    "negative": 1_000,
    "shared_negative": 1_000,
    "alpha": 1.0,
    "epochs": 2,
    "ns_exponent": -2.0,
}


@settings(max_examples=25)
@example(changes=LARGEST, lists=[[0, 1] * 30] * 60)
@given(
    changes=EXTREME,
    lists=st.lists(st.lists(st.integers(0, 5), max_size=12), min_size=1, max_size=6).filter(
        lambda lists: any(len(songs) > 1 for songs in lists) and len({song for songs in lists for song in songs}) > 1
    ),
)
def test_no_settings_within_their_bounds_make_numbers_that_are_not(
    changes: dict[str, Any], lists: list[list[int]]
) -> None:
    changes = changes | {"measure_every": 10_000}
    flat = np.array([song for songs in lists for song in songs], np.int64)
    offsets = np.cumsum([0, *map(len, lists)])
    with tempfile.TemporaryDirectory() as folder:
        model, history, _ = train(Ragged(flat, offsets), options(**changes), Path(folder), every=600)
    assert np.isfinite(model.vectors).all()
    assert np.isfinite(model.context).all()
    assert all(np.isfinite(record.loss) for record in history.records)
