"""One stack a clone: two would write to the same models and the same databases.

The kernel drops the lock with the process that holds it, however that ends, so it can never be stale.
"""

import fcntl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from song2vec.plumbing.files import read_json, write_json


class TakenError(Exception):
    """Somebody else holds the lock; `holder` is what they said of themselves."""

    def __init__(self, holder: Mapping[str, Any]) -> None:
        super().__init__(f"held by {holder}")
        self.holder = holder


class Lock:
    """The lock while it is held."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._holder: dict[str, Any] = {}

    def tell(self, **holder: Any) -> None:
        """Tell others who find the lock taken about its holder, besides what was told before."""
        self._holder |= holder
        write_json(self._path.with_suffix(".json"), self._holder)


@contextmanager
def only_one(path: Path) -> Iterator[Lock]:
    """Hold the lock `path` for the time of the block.

    Raises:
        TakenError: another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TakenError(_holder(path.with_suffix(".json"))) from None
        yield Lock(path)


def _holder(path: Path) -> dict[str, Any]:
    try:
        return read_json(path)
    except FileNotFoundError:  # it has not said anything yet
        return {}
