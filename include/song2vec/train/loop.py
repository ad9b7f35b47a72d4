"""One epoch after the other, and what is done after each.

A `Trainer` moves vectors, `Measurements` measures them, `History` keeps and logs the figures, `EarlyStopping` judges
them, `Checkpoint` keeps arrays in files. None of them knows another: they meet here, and so does a signal to stop.
"""

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import structlog

from song2vec.errors import SettingsError, StoppedError
from song2vec.model import Floats, Model
from song2vec.plumbing.interrupt import Stop, stop_on_signal
from song2vec.settings import TrainSettings
from song2vec.train.checkpoint import Arrays, Checkpoint
from song2vec.train.history import History
from song2vec.train.measuring import Measurements
from song2vec.train.stopping import EarlyStopping, Rankings

log = structlog.get_logger(__name__)

Observer = Callable[[Rankings], bool]
"""Told at every pause how the model ranked after each epoch that is over; says whether to train on."""


class Trainer(Protocol):
    """What turns playlists into vectors, and can be asked for one epoch after the other."""

    @property
    def model(self) -> Model:
        """The model as it is now: always the same arrays, which may be written to once the training is over."""
        ...

    def state(self) -> Arrays | None:
        """All arrays that training moves, by name; None: it cannot go on from any."""
        ...

    def epoch(self, epoch: int, chunks: int, stop: Stop, /) -> Generator[int, None, None]:
        """Train an epoch, or the rest of one.

        Args:
            epoch: counted from 0.
            chunks: how many chunks of it are done; what a chunk is, the trainer knows.
            stop: once it has a signal no further chunk is begun.

        Yields:
            How many chunks are done, whenever the state may be saved: until it is asked to go on, nothing moves.
        """
        ...


def train_epochs(
    start: Callable[[Arrays | None], Trainer],
    settings: TrainSettings,
    words: int,
    measurements: Measurements,
    checkpoint: Checkpoint,
    *,
    observe: Observer | None = None,
) -> tuple[Model, History, int]:
    """Train until it is enough, from where the checkpoint is if there is one.

    Args:
        start: makes the trainer, of the state that it goes on from, or None.
        settings: epochs and patience are used.
        words: how many an epoch reads.
        measurements: what to measure.
        checkpoint: where the state is kept; it is not removed at the end.
        observe: watches the training and may end it; it tells of the epochs in its own way: the log says nothing.

    Returns:
        The model, what each epoch did, and the epoch, counted from 1, that the model is of.

    Raises:
        SettingsError: the training diverged; the checkpoint is gone.
        StoppedError: the process was asked to stop, or the observer said so.
        Song2VecError: the backup of the checkpoint does not answer.
    """
    state = checkpoint.load()
    trainer, history, chunks = start(state), History(words), 0
    if state is not None:
        history, chunks = History.from_array(words, state["epochs"]), int(state["chunk"])
        log.info("going on from the checkpoint", epochs_done=len(history.records), chunks_done=chunks)
    stopping = EarlyStopping(settings.epochs, settings.patience)
    loop = _Loop(trainer, settings, measurements, stopping, checkpoint, history, chunks, observe)
    loop.run()
    best = loop.restore_best()
    return trainer.model, history, best


@dataclass
class _Loop:
    """What a training is made of, and how far it is.

    Attributes:
        history: an epoch that is over has a record.
        chunks: how many chunks of the epoch under way are done.
    """

    trainer: Trainer
    settings: TrainSettings
    measurements: Measurements
    stopping: EarlyStopping
    checkpoint: Checkpoint
    history: History
    chunks: int = 0
    observe: Observer | None = None

    def run(self) -> None:
        with self._signals() as stop:
            while not self.stopping.enough(self.history.rankings):
                self._train(stop)
                self._measure()
                self._pause(stop)

    def restore_best(self) -> int:
        """Put the model of the best epoch in the place of the last one's where that can be; say which epoch counts."""
        last, best = len(self.history.records), self.stopping.best(self.history.rankings)
        if best in (None, last):
            return last
        if self.checkpoint.load_best(best, self._matrices()):
            log.info("the best epoch counts", epoch=best, of=last)
            return best
        log.warning("the best epoch's model was not kept: the last epoch counts", best=best, last=last)
        return last

    def _signals(self) -> AbstractContextManager[Stop]:
        """Signals wait for the next pause; where there is nothing to save they end the process at once, as always."""
        return nullcontext(Stop()) if self.trainer.state() is None else stop_on_signal()

    def _train(self, stop: Stop) -> None:
        """Train an epoch, or the rest of one."""
        with closing(self.trainer.epoch(len(self.history.records), self.chunks, stop)) as pauses:
            for chunks in pauses:
                self.chunks = chunks
                self._pause(stop)
        self.chunks = 0

    def _measure(self) -> None:
        """Measure, record and log an epoch that is over, and keep its model if it is the best one so far."""
        seconds, epoch, model = self.history.seconds, len(self.history.records) + 1, self.trainer.model
        figures = self.measurements.measure(epoch, model)
        if not figures.finite:
            self.checkpoint.remove()  # nobody wants to go on from here
            raise SettingsError(
                f"the training diverged in epoch {epoch}: the loss is {figures.loss}. "
                f"Lower train.alpha (it is {self.settings.alpha})."
            )
        self.history.add(seconds, figures.loss, figures.ndcg)
        if self.stopping.best(self.history.rankings) == epoch:
            self.checkpoint.save_best(epoch, self._matrices())
        if self.observe is None:
            self.history.log_last(self.settings.epochs)
        self.history.begin_epoch()

    def _pause(self, stop: Stop) -> None:
        """Tell the observer; save the state if it is time to; end the training if a signal or the observer says so."""
        go_on = self.observe is None or self.observe(self.history.rankings)
        saved = (stop.signal or self.checkpoint.due) and self._save()
        done = f"the training after {len(self.history.records)} of {self.settings.epochs} epochs"
        if stop.signal:
            outcome = "Its state is kept" if saved else "Its state could not be saved, an older one may be there"
            raise StoppedError(f"{stop.signal} stopped {done}. {outcome}: the next try goes on from there.")
        if not (go_on or self.stopping.enough(self.history.rankings)):
            raise StoppedError(f"whoever watches it ended {done}.")

    def _save(self) -> bool:
        """Write the checkpoint; say whether it was possible."""
        arrays = self.trainer.state()
        if arrays is None:
            return False
        epochs, chunks = np.array(len(self.history.records)), np.array(self.chunks)
        state = {**arrays, "epoch": epochs, "chunk": chunks, "epochs": self.history.to_array()}
        return self.checkpoint.save(state, best=self.stopping.best(self.history.rankings))

    def _matrices(self) -> dict[str, Floats]:
        return {"vectors": self.trainer.model.vectors, "context": self.trainer.model.context}
