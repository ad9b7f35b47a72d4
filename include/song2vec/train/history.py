"""What each epoch of a training did, and how long the one under way has taken: logged, and saved with the state."""

import json
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import structlog
from numpy.typing import NDArray

log = structlog.get_logger(__name__)

RECENT = 5  # epochs that the time left is estimated from


@dataclass(frozen=True)
class EpochRecord:
    """What is known of one epoch.

    Attributes:
        epoch: counted from 1.
        loss: the mean loss a pair after it.
        words_per_second: a word is one place in a playlist, read or skipped.
        seconds: how long it took, without measuring.
        ndcg: how well the model ranked after it; None where that was not measured.
    """

    epoch: int
    loss: float
    words_per_second: int
    seconds: float
    ndcg: float | None = None

    def to_json(self) -> dict[str, Any]:
        """The fields that have a value."""
        return {name: value for name, value in asdict(self).items() if value is not None}


class History:
    """The records of the epochs that are done, and a clock for the one under way.

    Attributes:
        records: one an epoch.
    """

    def __init__(self, words: int, records: Iterable[EpochRecord] = (), seconds: float = 0) -> None:
        """Begin an epoch, or go on with one.

        Args:
            words: how many an epoch reads.
            records: the epochs before.
            seconds: how long the epoch under way has taken so far.
        """
        self.words, self.records = words, list(records)
        self._begun = time.monotonic() - seconds

    @classmethod
    def from_array(cls, words: int, array: NDArray[Any]) -> "History":
        """Go on from what `to_array` gave."""
        saved = json.loads(str(array))
        return cls(words, (EpochRecord(**record) for record in saved["records"]), saved["seconds"])

    def to_array(self) -> NDArray[Any]:
        """All of it as one text, for a checkpoint."""
        records = [record.to_json() for record in self.records]
        return np.array(json.dumps({"records": records, "seconds": self.seconds}))

    @property
    def seconds(self) -> float:
        """How long the epoch under way has taken so far; never 0."""
        return max(time.monotonic() - self._begun, 1e-9)

    @property
    def rankings(self) -> list[float | None]:
        """The nDCG after each epoch; None where it was not measured."""
        return [record.ndcg for record in self.records]

    def add(self, seconds: float, loss: float, ndcg: float | None) -> None:
        """Record the end of the epoch under way."""
        rate = round(self.words / seconds)
        self.records.append(EpochRecord(len(self.records) + 1, loss, rate, seconds, ndcg))

    def begin_epoch(self) -> None:
        """Start the clock: what was done since the last epoch ended, such as measuring, is not the next one's."""
        self._begun = time.monotonic()

    def log_last(self, epochs: int) -> None:
        """Log a line on the last of the records, and how long it takes if there will be `epochs`, the most."""
        last, recent = self.records[-1], self.records[-RECENT:]
        left = sum(record.seconds for record in recent) / len(recent) * (epochs - last.epoch)
        ranking = {} if last.ndcg is None else {"validation_ndcg": round(last.ndcg, 4)}
        log.info(
            "epoch",
            epoch=last.epoch,
            at_most=epochs,
            loss=round(last.loss, 4),
            **ranking,
            words_per_second=last.words_per_second,
            seconds=round(last.seconds, 2),
            seconds_left_at_most=round(left),
        )
