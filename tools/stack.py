"""What the local commands share: the sample, the model store served, one command of a clone at a time.

Each command is called inside `processes.guarded`, so that whatever it starts ends with it.
"""

import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import psutil

from tools.airflow_home import LocalError
from tools.console import say
from tools.gcs import GcsServer
from tools.lock import Lock, TakenError, only_one
from tools.places import BUCKET, Places, environment
from tools.processes import GRACE_SECONDS


def make_sample(places: Places) -> None:
    """Generate the sample data, unless it is there."""
    if places.database.exists():
        return
    from tools.sample import generate

    generate(places.data)
    say(f"Sample data: 3,000 playlists in {places.database} and {places.data / 'csv'}")


@contextmanager
def storage(places: Places) -> Iterator[str]:
    """Serve the models that are kept on disk; gives the server's address."""
    with GcsServer(folder=places.models) as server:
        server.create_bucket(BUCKET)
        yield server.url


def with_store(places: Places, arguments: Sequence[str]) -> int:
    """Run a command with the model store served and ``STORAGE_EMULATOR_HOST`` and the settings set.

    While ``make up`` runs, its server is used.
    """
    home = places.airflow / "exec"
    try:
        with only_one(places.airflow / "lock") as lock, storage(places) as url:
            lock.tell(what=shlex.join(arguments), front=os.getppid(), storage=url)
            return _call(arguments, environment(places, home, url))
    except TakenError as taken:
        if "storage" not in taken.holder:
            raise LocalError("another command of this clone is just starting: try again in a moment") from None
        return _call(arguments, environment(places, home, taken.holder["storage"]))


@contextmanager
def alone(places: Places, what: str) -> Iterator[Lock]:
    """Hold the clone's lock; where the one who holds it is just ending, wait for that.

    Raises:
        LocalError: another ``make run`` or ``make up`` of this clone is at work.
    """
    deadline = time.monotonic() + 2 * GRACE_SECONDS
    with ExitStack() as stack:
        while True:
            try:
                lock = stack.enter_context(only_one(places.airflow / "lock"))
                break
            except TakenError as taken:
                if not _is_ending(taken.holder) or time.monotonic() > deadline:
                    raise LocalError(_taken(what, taken.holder)) from None
                time.sleep(0.1)
        lock.tell(what=f"make {what}", front=os.getppid())
        yield lock


def _is_ending(holder: Mapping[str, Any]) -> bool:
    """Whether the process that people see is gone, and what it started is about to be."""
    return "front" in holder and not psutil.pid_exists(holder["front"])


def _taken(what: str, holder: Mapping[str, Any]) -> str:
    where = f" at {holder['url']}: press Trigger there, or end it first" if "url" in holder else ": wait for it"
    return (
        f"`make {what}` cannot start: `{holder.get('what', 'another command')}` (process {holder.get('front', '?')}) "
        f"is at work in this folder{where}."
    )


def _call(arguments: Sequence[str], env: dict[str, str]) -> int:
    path = shutil.which(arguments[0], path=env["PATH"])
    if path is None:
        raise LocalError(f"there is no command {arguments[0]!r}")
    code = subprocess.run([path, *arguments[1:]], env=env, check=False).returncode
    return code if code >= 0 else 128 - code  # as a shell tells that a signal ended it
