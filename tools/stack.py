"""The local stack, put together: ``run`` retrains once, ``up`` serves Airflow, ``with_store`` runs one command.

Each is called inside `processes.guarded`, so that whatever it starts ends with it.
"""

import csv
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil

from tools.airflow_home import LocalError, command, fresh_home, make_database, tail
from tools.console import say
from tools.gcs import GcsServer
from tools.lock import Lock, TakenError, only_one
from tools.places import BUCKET, DAG, STORE, Places, environment
from tools.processes import GRACE_SECONDS
from tools.readable import Story


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


def run(places: Places) -> int:
    """Retrain once through Airflow, and tell what came out.

    Raises:
        LocalError: what is wrong, and what to do.
    """
    began = time.time()
    with ExitStack() as stack:
        lock = stack.enter_context(alone(places, "run"))
        make_sample(places)
        url = stack.enter_context(storage(places))
        lock.tell(storage=url)
        home = fresh_home(places)
        env = {**environment(places, home, url), "AIRFLOW__LOGGING__JSON_LOGS": "True"}
        make_database(places, home, env)
        log = home / "run.log"
        say(f"Airflow: running {DAG} (full log: {_short(places, log)})")
        story, code = _run_dag(env, places.root, log)
    if code:
        raise LocalError(_why(story, log))
    say()
    say(f"Done in {time.time() - began:.0f} s.", "ok")
    say(_summary(places, began))
    say(_next_steps(places))
    return 0


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


def _run_dag(env: dict[str, str], root: Path, log: Path) -> tuple[Story, int]:
    story = Story()
    with (
        log.open("w", encoding="utf-8") as file,
        subprocess.Popen(
            command("dags", "test", DAG),
            cwd=root,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        ) as child,
    ):
        assert child.stdout is not None
        story.read(child.stdout, file)
    return story, child.returncode


def _why(story: Story, log: Path) -> str:
    """What failed, its error, where the rest is."""
    if story.failures:
        failed = "\n".join(f"  {task}: {why}" for task, why in story.failures.items())
        return f"The run failed in {', '.join(story.failures)}:\n{failed}\nThe whole log: {log}"
    after = f" after {story.tasks[-1]}" if story.tasks else " before its first task"
    return f"The run ended{after}. Its last lines:\n{tail(log)}\nThe whole log: {log}"


def _summary(places: Places, began: float) -> str:
    summaries = [
        path for path in (places.workspace / DAG).glob("*/report/summary.txt") if path.stat().st_mtime >= began - 1
    ]
    if not summaries:
        raise LocalError(f"the run ended well, but wrote no summary.txt in {places.workspace / DAG}/*/report/")
    text = max(summaries, key=lambda path: path.stat().st_mtime).read_text(encoding="utf-8")
    return with_titles(text, _titles(places.data / "songs.csv"))


def with_titles(summary: str, titles: dict[str, str]) -> str:
    """Say what the songs are in the part of a summary that lists similar songs."""
    head, part, rest = summary.partition("Songs most similar to ")
    named = re.sub(
        r"^(\d+)(.*)$", lambda line: f"{line[0].rstrip()}  {titles.get(line[1], '')}".rstrip(), rest, flags=re.M
    )
    return head + part + named


def _titles(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        return {
            row["number"]: f"{row['title']}, {row['singer']} ({row['genre']}, {row['era']}s)"
            for row in csv.DictReader(file)
        }


def _next_steps(places: Places) -> str:
    tool = f"{_short(places, Path(sys.executable))} -m tools exec song2vec"
    return "\n".join(
        [
            "What next",
            "  make run    once more: publishes a second version",
            "  make up     Airflow's pages: press Trigger, change a setting, read the log of a task",
            f"  {tool} versions --to {STORE}",
            "              any song2vec command on what was published; `song2vec --help` lists them",
            f"  Your own playlists: put CSV files into {_short(places, places.data / 'csv')}; .env.example shows how",
            "  to name your MariaDB and your bucket.",
        ]
    )


def _call(arguments: Sequence[str], env: dict[str, str]) -> int:
    path = shutil.which(arguments[0], path=env["PATH"])
    if path is None:
        raise LocalError(f"there is no command {arguments[0]!r}")
    return subprocess.run([path, *arguments[1:]], env=env, check=False).returncode


def _short(places: Places, path: Path) -> str:
    """`path` as seen from the clone, as people write it."""
    return str(path.relative_to(places.root)) if path.is_relative_to(places.root) else str(path)
