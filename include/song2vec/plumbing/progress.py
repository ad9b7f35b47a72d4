"""Progress of long work: a bar where a person watches a terminal, else a log line every few seconds."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import structlog

log = structlog.get_logger(__name__)

LOG_EVERY_SECONDS = 10.0


class Advance(Protocol):
    """What `track` gives; several threads may call it."""

    def __call__(self, units: int, /) -> object:
        """Say that `units` more are done."""


@contextmanager
def track(task: str, unit: str, total: int | None = None) -> Iterator[Advance]:
    """Show how far `task` is, in `unit` ("rows"), of `total` where it is known.

    The bar is for ``song2vec`` commands on a terminal; in a task's log each line says how many units
    are done, how many a second, and, with a total, the seconds left.
    """
    if sys.stderr.isatty():
        from tqdm import tqdm

        with tqdm(total=total, desc=task, unit=f" {unit}", unit_scale=True, leave=False) as bar:
            yield _one_at_a_time(bar.update)
        return
    yield _one_at_a_time(_Lines(task, unit, total))


def _one_at_a_time(advance: Advance) -> Advance:
    lock = threading.Lock()

    def locked(units: int, /) -> None:
        with lock:
            advance(units)

    return locked


class _Lines:
    def __init__(self, task: str, unit: str, total: int | None) -> None:
        self.task, self.unit, self.total = task, unit, total
        self.done = 0
        self.started = self.logged = time.monotonic()

    def __call__(self, units: int, /) -> None:
        self.done += units
        now = time.monotonic()
        if now - self.logged < LOG_EVERY_SECONDS:
            return
        self.logged = now
        rate = self.done / (now - self.started)
        left = {} if self.total is None else {"seconds_left": round((self.total - self.done) / rate)}
        log.info(f"{self.task}: under way", **{self.unit: self.done, f"{self.unit}_per_second": round(rate), **left})
