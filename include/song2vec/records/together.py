"""The records of one run or version together."""

from dataclasses import dataclass
from typing import Protocol, Self, TypeVar

from song2vec.records.decisions import DataDecision, Decision
from song2vec.records.funnel import Funnel
from song2vec.records.metrics import Metrics
from song2vec.records.record import Record
from song2vec.records.training import Training

AnyRecord = TypeVar("AnyRecord", bound=Record)


class ReadRecord(Protocol):
    """Reads a record of the class that it is asked for."""

    def __call__(self, kind: type[AnyRecord], /) -> AnyRecord | None:
        """The record; None where there is none."""


@dataclass(frozen=True)
class Records:
    """What is known of a model; None where there is no such record."""

    funnel: Funnel | None = None
    data_decision: DataDecision | None = None
    training: Training | None = None
    metrics: Metrics | None = None
    decision: Decision | None = None

    @classmethod
    def of(cls, read: ReadRecord) -> Self:
        """All of them, as `read` gives them."""
        return cls(read(Funnel), read(DataDecision), read(Training), read(Metrics), read(Decision))


KINDS: tuple[type[Record], ...] = (Funnel, DataDecision, Training, Metrics, Decision)
"""Every record that a version may have."""
