"""How tables and long text enter a log: folded in a task's log, plain on a terminal."""

import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

log = structlog.get_logger(__name__)


def fold(title: str, text: str) -> None:
    """Log `text` line by line under `title`, as a group that Airflow's log view folds."""
    log.info(f"::group::{title}")
    show(text)
    log.info("::endgroup::")


def show(text: str) -> None:
    """Log `text` line by line, in sight."""
    for line in text.splitlines():
        log.info(line)


def log_to_stderr(*, quiet: bool = False) -> None:
    """For the command line: lines go to stderr, so that stdout holds the answer and nothing else."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            _without_group_marks,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0, pad_level=False, sort_keys=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger("warning" if quiet else "info"),
        logger_factory=lambda *_: structlog.WriteLogger(sys.stderr),  # what it is now: a progress bar stands in for it
    )


def _without_group_marks(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    text = str(event["event"])
    if text == "::endgroup::":
        raise structlog.DropEvent
    event["event"] = text.removeprefix("::group::")
    return event
