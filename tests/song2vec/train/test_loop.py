"""When a training ends, which epoch counts, and what is said if it diverged; the ranking of each epoch is forced."""

import signal
from collections.abc import Callable, Generator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from structlog.testing import capture_logs

from song2vec.errors import StoppedError
from song2vec.model import Model
from song2vec.playlists.corpus import Ragged, Vocabulary
from song2vec.plumbing.interrupt import Stop
from song2vec.settings import TrainSettings
from song2vec.train.checkpoint import Arrays, Checkpoint
from song2vec.train.history import History
from song2vec.train.loop import Observer, train_epochs
from song2vec.train.measuring import LossSample, Measurements, Validation
from song2vec.train.stopping import Rankings
from song2vec_client.errors import PermanentError

SONGS = 12
LOSS = LossSample(np.array([0]), np.array([1]), np.array([2]), negative=1)
VALIDATION = Validation(
    shown=Ragged(np.array([0]), np.array([0, 1])),
    hidden=Ragged(np.array([1]), np.array([0, 1])),
)


def ranking(place: int, epoch: int) -> tuple[np.ndarray, np.ndarray]:
    """A model that recommends the hidden song at `place` (1: the best), and that can be told from others by `epoch`."""
    score = np.concatenate([[0, 0], np.arange(SONGS - 2, 0, -1)])  # of the songs, as the shown song 0 votes
    score[1] = SONGS - place - 0.5
    vectors = np.tile(np.array([1, 0], np.float32), (SONGS, 1))
    context = np.stack([score / SONGS, np.sqrt(1 - (score / SONGS) ** 2)], axis=1).astype(np.float32)
    context[0] = 0, epoch
    return vectors, context


After = Callable[[Model, int], None]


class Scripted:
    """A trainer whose model recommends, after each epoch, the hidden song at the next of `places`."""

    def __init__(self, places: Sequence[int], state: Arrays | None, after: After) -> None:
        self.places, self.after = places, after
        vectors, context = ranking(1, 0) if state is None else (state["vectors"], state["context"])
        self.model = Model(Vocabulary(np.arange(SONGS), np.ones(SONGS, np.int64)), vectors, context)

    def state(self) -> Arrays | None:
        return {"vectors": self.model.vectors, "context": self.model.context}

    def epoch(self, epoch: int, chunks: int, stop: Stop, /) -> Generator[int, None, None]:
        assert chunks == 0
        self.model.vectors[:], self.model.context[:] = ranking(self.places[epoch], epoch + 1)
        self.after(self.model, epoch + 1)
        yield from ()


class Stateless(Scripted):
    """Nothing that it does can be saved."""

    def state(self) -> None:
        return None


def drive(
    folder: Path,
    places: Sequence[int],
    after: After = lambda model, epoch: None,
    *,
    every: float = 60,
    kind: type[Scripted] = Scripted,
    observe: Observer | None = None,
    **changes: int,
) -> tuple[Model, History, int]:
    """Train; `after` is done at the end of each epoch."""
    options = TrainSettings(**{"epochs": 20, "measure_every": 1, "patience": 2, **changes})
    measurements = Measurements(LOSS, VALIDATION, options.measure_every, options.epochs)
    checkpoint = Checkpoint(folder / "checkpoint", "a", every)
    start = partial(kind, places, after=after)
    return train_epochs(start, options, 100, measurements, checkpoint, observe=observe)


def test_it_ends_when_the_ranking_has_not_improved_for_so_long_and_the_best_counts(tmp_path: Path) -> None:
    model, history, best = drive(tmp_path, [5, 3, 4, 2, 3, 3, 1, 1])
    assert len(history.records) == 6
    assert best == 4
    np.testing.assert_array_equal(model.vectors, ranking(2, 4)[0])
    np.testing.assert_array_equal(model.context, ranking(2, 4)[1])


def test_the_ranking_is_measured_every_few_epochs_and_at_the_end(tmp_path: Path) -> None:
    _, history, best = drive(tmp_path, [9, 9, 5, 1, 1, 4, 9, 3], measure_every=3, epochs=8)
    assert [record.epoch for record in history.records if record.ndcg is not None] == [3, 6, 8]
    assert best == 8


def test_without_patience_it_goes_on_to_the_end_and_the_last_counts(tmp_path: Path) -> None:
    model, history, best = drive(tmp_path, [1, 2, 3, 4, 5], patience=0, epochs=5)
    assert best == len(history.records) == 5
    assert model.context[0, 1] == 5
    assert not (tmp_path / "checkpoint").exists()


def test_the_last_epoch_counts_where_it_is_the_best(tmp_path: Path) -> None:
    model, _, best = drive(tmp_path, [4, 3, 2, 1], epochs=4)
    assert best == model.context[0, 1] == 4


class CrashError(Exception):
    """The end of a process, where nothing is tidied up."""


def test_the_best_of_before_an_interruption_counts_after_it(tmp_path: Path) -> None:
    def crash(_: Model, epoch: int) -> None:
        if epoch == 4:
            raise CrashError

    with pytest.raises(CrashError):
        drive(tmp_path, [5, 2, 3, 1], crash, every=0)
    state = Checkpoint(tmp_path / "checkpoint", "a", 60).load()
    assert state is not None

    model, history, best = drive(tmp_path, [5, 2, 3, 3, 1])

    assert history.records[:3] == History.from_array(100, state["epochs"]).records
    assert len(history.records) == 4
    assert best == model.context[0, 1] == 2


def test_a_best_model_that_is_gone_is_missed_aloud_and_the_last_counts(tmp_path: Path) -> None:
    def lose_the_best(_: Model, epoch: int) -> None:
        if epoch == 2:
            (tmp_path / "checkpoint" / "best-1.npz").unlink()

    with capture_logs() as logs:
        model, _, best = drive(tmp_path, [2, 3], lose_the_best, patience=1)

    assert (best, model.context[0, 1]) == (2, 2)
    assert [(log["log_level"], log["best"]) for log in logs if "best" in log] == [("warning", 1)]


def test_a_signal_ends_a_trainer_without_a_state_at_once_and_the_others_at_the_next_pause(tmp_path: Path) -> None:
    def interrupt(_: Model, epoch: int) -> None:
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        drive(tmp_path, [1], interrupt, kind=Stateless)
    with pytest.raises(StoppedError, match=r"SIGINT stopped the training after 1 of 20 epochs. Its state is kept"):
        drive(tmp_path, [1], interrupt)


def test_nothing_is_saved_of_a_trainer_without_a_state_but_its_best_model(tmp_path: Path) -> None:
    model, _, best = drive(tmp_path, [3, 1, 2], patience=1, every=0, kind=Stateless)
    assert best == model.context[0, 1] == 2
    assert {path.name for path in (tmp_path / "checkpoint").iterdir()} == {"best-1.npz", "best-2.npz"}


def test_an_epoch_that_was_interrupted_took_as_long_as_both_its_parts() -> None:
    first = History(100, seconds=1_000)
    second = History.from_array(100, first.to_array())
    assert 1_000 < second.seconds < 2_000


def test_an_observer_hears_every_ranking_so_far_and_the_log_says_nothing_of_epochs(tmp_path: Path) -> None:
    heard: list[list[float | None]] = []

    def hear(so_far: Rankings) -> bool:
        heard.append(list(so_far))
        return True

    with capture_logs() as logs:
        _, history, _ = drive(tmp_path, [9, 5, 5, 1], observe=hear, measure_every=2, epochs=4)

    assert [len(rankings) for rankings in heard] == [1, 2, 3, 4]
    assert heard[-1] == history.rankings
    assert not [log for log in logs if log["event"] == "epoch"]


def test_an_observer_may_end_a_training_but_not_one_that_has_ended(tmp_path: Path) -> None:
    with pytest.raises(StoppedError, match="whoever watches it ended the training after 2 of 4 epochs"):
        drive(tmp_path, [4, 3, 2, 1], observe=lambda rankings: len(rankings) < 2, epochs=4)

    _, history, _ = drive(tmp_path, [4, 3, 2, 1], observe=lambda rankings: len(rankings) < 4, epochs=4)
    assert len(history.records) == 4


def test_a_signal_is_answered_though_the_observer_ends_the_training_too(tmp_path: Path) -> None:
    def interrupt(_: Model, epoch: int) -> None:
        signal.raise_signal(signal.SIGTERM)

    with pytest.raises(StoppedError, match="SIGTERM stopped the training after 1 of 20 epochs"):
        drive(tmp_path, [1], interrupt, observe=lambda _: False)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("matrix", ["vectors", "context"])
def test_a_training_that_diverged_ends_for_good_and_says_what_to_do(tmp_path: Path, bad: float, matrix: str) -> None:
    def diverge(model: Model, epoch: int) -> None:
        if epoch == 2:
            vars(model)[matrix][SONGS - 1, 1] = bad

    with pytest.raises(PermanentError, match=r"diverged in epoch 2: .* Lower train.alpha \(it is 0.2\)"):
        drive(tmp_path, [1, 1], diverge, every=0)

    assert not (tmp_path / "checkpoint").exists()  # nobody goes on from there
