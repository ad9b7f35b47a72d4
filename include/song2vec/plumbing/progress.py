"""Progress of long work: a bar where a person watches a terminal, else a log line every few seconds."""

import math
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


class Tell(Protocol):
    """What `gauge` gives."""

    def __call__(self, words: str, share: float, /) -> object:
        """Say how far the work is, in words and as a share of 1."""


@contextmanager
def gauge(task: str) -> Iterator[Tell]:
    """Show how far work is that says so in its own words: a bar on a terminal; a log has lines of its own."""
    if not sys.stderr.isatty():
        yield lambda _words, _share: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    name, words = (TextColumn(text, markup=False) for text in ("{task.fields[name]}", "{task.description}"))
    with Progress(name, BarColumn(20), words, console=Console(stderr=True), transient=True) as progress:
        number = progress.add_task("", total=1.0, name=task)
        yield lambda words, share: progress.update(number, description=words, completed=share)


@contextmanager
def track(task: str, unit: str, total: int | None = None) -> Iterator[Advance]:
    """Show how far `task` is, in `unit` ("rows"), of `total` where it is known.

    The bar is for ``song2vec`` commands on a terminal; in a task's log each line says how many units
    are done, how many a second, and, with a total, the seconds left.
    """
    if sys.stderr.isatty():
        with _bar(task, unit, total) as advance:
            yield advance
        return
    yield _one_at_a_time(_Lines(task, unit, total))


@contextmanager
def _bar(task: str, unit: str, total: int | None) -> Iterator[Advance]:
    """The line ``task ━━━━━ 1.2M of 5.0M rows, 310.0k/s, 0:00:12``; log lines pass above it."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Counts(ProgressColumn):
        def render(self, task: Task) -> Text:
            done = _short(task.completed) if task.total is None else f"{_short(task.completed)} of {_short(task.total)}"
            return Text(f"{done} {unit}, {_short(task.speed or 0)}/s")

    time = TimeElapsedColumn() if total is None else TimeRemainingColumn()
    columns = TextColumn("{task.description}", markup=False), BarColumn(20), Counts(), time
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        number = progress.add_task(task, total=total)
        yield lambda units: progress.advance(number, units)


def _short(count: float) -> str:
    """A number in few letters: ``999``, ``1.2k``, ``5.0M``."""
    if count < 1000:
        return f"{count:.0f}"
    power = min(int(math.log10(count)) // 3, 3)
    return f"{count / 1000**power:.1f}{' kMG'[power]}"


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
