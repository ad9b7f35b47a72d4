"""Finding every process that a test started, wherever it went in the tree of processes."""

import os
from pathlib import Path

import psutil

MARK = "SONG2VEC_TEST_MARK"


def marking(mark: str) -> dict[str, str]:
    """The environment of a process whose descendants, all of them, are to be found by `mark`."""
    return {**os.environ, "PYTHONPATH": str(Path("include").resolve()), MARK: mark}


def marked(mark: str) -> list[psutil.Process]:
    """The processes that run with this mark."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found
