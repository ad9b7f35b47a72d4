"""Airflow's log of one run, for people: a few lines on the terminal, everything in a file.

Airflow writes one JSON object a line (``AIRFLOW__LOGGING__JSON_LOGS``). Shown are: which task starts and
how it ended, what song2vec logs in it (groups closed, as in Airflow's own log view), and errors.
"""

import json
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, TextIO

from tools.console import say

REPORT = "report"  # logs the summary, which `make run` ends with
_STARTING = re.compile(r"^\[DAG TEST\] starting task_id=(\S+) map_index=(-?\d+)")
_ENDED = re.compile(r"^\[DAG TEST\] end task ")
_SKIPPED = "Skipping task."  # what Airflow says of a task that raised AirflowSkipException
_NOT_FIELDS = {"timestamp", "level", "event", "logger", "filename", "lineno", "exception", "error_detail", "loc"}


@dataclass
class Story:
    """What is known of a run after some lines of its log."""

    task: str = ""
    started: float = 0.0
    tasks: list[str] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)  # task: why its last try failed
    skipped: dict[str, str] = field(default_factory=dict)  # task: why
    _groups: int = 0

    def read(self, lines: Iterable[str], log: TextIO) -> None:
        """Show what matters of `lines` as they come, and write all of them to `log` as plain text."""
        for line in lines:
            record = _parse(line)
            if record is None:
                log.write(line)
            else:
                log.write(_plain(record))
                self._tell(record)
            log.flush()

    def _tell(self, record: dict[str, Any]) -> None:
        event, logger = str(record.get("event", "")), str(record.get("logger", ""))
        if match := _STARTING.match(event):
            self._start(match[1] if match[2] == "-1" else f"{match[1]} [{match[2]}]")
        elif _ENDED.match(event):
            self._end()
        elif logger == "task" or "song2vec" in logger:  # "task": what Airflow itself says of the task that runs
            if record.get("level") in ("error", "critical"):
                self._fail(_error(record))
            elif logger == "task" and event == _SKIPPED:
                self.skipped[self.task] = str(record.get("reason"))
            elif logger != "task":
                self._say(event, record)

    def _start(self, task: str) -> None:
        self.task, self.started, self._groups = task, time.monotonic(), 0
        self.tasks.append(task)
        self.failures.pop(task, None)  # another try
        say(f"▸ {task}", "title")

    def _end(self) -> None:
        if self.task in self.skipped:
            say(f"  – skipped: {self.skipped[self.task]}")
        elif self.task not in self.failures:
            say(f"  ✓ {time.monotonic() - self.started:.1f} s", "ok")
        self.task = ""

    def _fail(self, why: str) -> None:
        if self.task:
            self.failures[self.task] = why
        say(f"  ✗ {why}", "bad")

    def _say(self, event: str, record: dict[str, Any]) -> None:
        if event.startswith("::group::"):
            self._groups += 1
        elif event.startswith("::endgroup::"):
            self._groups = max(0, self._groups - 1)
        elif not self._groups and self.task != REPORT:
            say(f"  {event}{_fields(record)}")


def _parse(line: str) -> dict[str, Any] | None:
    if not line.startswith("{"):
        return None
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) and "event" in record else None


def _fields(record: dict[str, Any]) -> str:
    return "".join(f"  {name}={_short(value)}" for name, value in record.items() if name not in _NOT_FIELDS)


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _error(record: dict[str, Any]) -> str:
    """The exception that reached the task's edge, or the message where there is none."""
    for raised in record.get("exception") or record.get("error_detail") or []:
        return f"{raised['exc_type']}: {raised['exc_value']}"
    return str(record["event"])


def _plain(record: dict[str, Any]) -> str:
    lines = [
        f"{record.get('timestamp', '')} {record.get('level', ''):8} [{record.get('logger', '')}] {record['event']}"
    ]
    lines[0] += _fields(record)
    for raised in record.get("exception") or record.get("error_detail") or []:
        for frame in raised.get("frames", []):
            lines.append(f'    File "{frame["filename"]}", line {frame["lineno"]}, in {frame["name"]}')
        lines.append(f"  {raised['exc_type']}: {raised['exc_value']}")
    return "\n".join(lines) + "\n"
