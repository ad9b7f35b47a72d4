"""``python -m tools run | up | sample | exec COMMAND…``."""

import argparse
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tools.airflow_home import LocalError
from tools.console import say
from tools.gcs import GcsServerError
from tools.places import Places, never_by_proxy
from tools.processes import Ended, guarded

ROOT = Path(__file__).resolve().parents[1]


def main(arguments: list[str] | None = None) -> int:
    """Run one of the local commands; the exit code is 0 when it did what it should."""
    options = _parser().parse_args(arguments)
    places = Places(options.root.resolve())
    return guarded(partial(_explained, _work(options, places)), with_parent=options.with_parent)


def _work(options: argparse.Namespace, places: Places) -> Callable[[], int]:
    if options.command == "sample":
        from tools.sample import generate

        return lambda: _sample(generate, places)
    from tools import run, stack, up

    if options.command == "run":
        return partial(run.run, places)
    if options.command == "up":
        return partial(up.up, places, options.port)
    return partial(stack.with_store, places, options.arguments)


def _explained(work: Callable[[], int]) -> int:
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = never_by_proxy(os.environ)
    try:
        return work()
    except (LocalError, GcsServerError) as error:
        say()
        say(str(error), "bad")
        return 1
    except Ended:
        say("Ended before it was done; nothing half-made is left. Start it again at any time.")
        raise


def _sample(generate: Callable[[Path], None], places: Places) -> int:
    generate(places.data)
    say(f"The sample data is in {places.data}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools", description="song2vec on one machine.")
    parser.add_argument("--root", type=Path, default=ROOT, help="the clone to work in")
    parser.add_argument("--with-parent", action="store_true", help="also end when the process that started this ends")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("run", help="retrain and publish a model once, through Airflow")
    up = commands.add_parser("up", help="serve Airflow until Ctrl-C")
    up.add_argument("--port", type=int, default=int(os.environ.get("PORT") or 8080), help="of Airflow's pages")
    commands.add_parser("sample", help="generate the sample data again")
    with_store = commands.add_parser("exec", help="run a command with the local model store served")
    with_store.add_argument("arguments", nargs=argparse.REMAINDER, metavar="COMMAND")
    return parser


if __name__ == "__main__":
    sys.exit(main())
