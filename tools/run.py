"""``make run``: retrain once through Airflow, and tell what came out."""

import csv
import re
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from tools.airflow_home import LocalError, command, fresh_home, make_database, tail
from tools.console import say
from tools.places import DAG, STORE, Places, environment
from tools.run_log import Story
from tools.stack import alone, make_sample, storage


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


def _short(places: Places, path: Path) -> str:
    """`path` as seen from the clone, as people write it."""
    return str(path.relative_to(places.root)) if path.is_relative_to(places.root) else str(path)
