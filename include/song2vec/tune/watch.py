"""Watches one training: tells the pruner how it ranks, and ends it when it is behind the others or the time is over."""

import time
from collections.abc import Callable, Sequence

import optuna

from song2vec.tune.study import SECONDS

BEHIND = "it was behind half of the others after as many epochs"
OUT_OF_TIME = "the minutes were over"


class Watch:
    """An observer of a training (`song2vec.train.Observer`).

    Attributes:
        why: why it ended the training; empty: it did not.
    """

    def __init__(self, trial: optuna.Trial, seconds: float, tell: Callable[[float], None]) -> None:
        """Begin to watch.

        Args:
            trial: gets the rankings.
            seconds: how long it may take.
            tell: is told the seconds so far, at every pause.
        """
        self.why = ""
        self._trial, self._most, self._tell = trial, seconds, tell
        self._reported, self._started = 0, time.monotonic()

    @property
    def seconds(self) -> float:
        """How long the training has taken so far."""
        return time.monotonic() - self._started

    def __call__(self, rankings: Sequence[float | None]) -> bool:
        """Take the rankings so far; say whether to train on."""
        self._tell(self.seconds)
        if self.seconds > self._most:
            self.why = OUT_OF_TIME
        elif self._report(rankings) and self._trial.should_prune():
            self.why = BEHIND
        return not self.why

    def _report(self, rankings: Sequence[float | None]) -> bool:
        """Tell the pruner of rankings that it does not know; say whether there were any."""
        before = self._reported
        for epoch, ranking in enumerate(rankings, 1):
            if ranking is not None and epoch > self._reported:
                self._trial.report(ranking, epoch)
                self._reported = epoch
        if self._reported > before:
            self._trial.set_user_attr(SECONDS, self.seconds)  # the process may be killed
        return self._reported > before
