"""``song2vec``: its commands in the order of the help, and the exit code.

Answers go to stdout (one JSON object with ``--json``), logs and progress to stderr.
Exit 0: done. 1: failed. 2: wrong usage. 3: refused by a gate.
"""

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from song2vec import __version__
from song2vec.cli import channels, data, model, pipeline, store
from song2vec.cli.command import USAGE, Command, register

PANELS: dict[str, Sequence[Command]] = {
    "Playlists": (data.extract, data.collect, data.prepare, data.quarantine, data.check_data),
    "Model": (model.train, model.evaluate, model.gate, model.golden, model.similar, model.tune),
    "Versions": (store.publish, store.verify, store.versions, store.history, store.diff, store.prune),
    "Channels": (channels.promote, channels.rollback, channels.pin, channels.unpin),
    "All in one": (pipeline.run, pipeline.settings, pipeline.keygen),
}
"""Every command, under the title of its panel in the help."""

app = typer.Typer(
    help="From playlists to a published song-embedding model.",
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
for _panel, _commands in PANELS.items():
    for _command in _commands:
        register(app, _command, _panel)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    try:
        code: int = typer.main.get_command(app).main(arguments, prog_name="song2vec", standalone_mode=False)
    except typer.TyperException as error:
        return _wrong_usage(error)
    return code


def _wrong_usage(error: typer.TyperException) -> int:
    """One line on what is wrong, not a panel that breaks it into several."""
    context: typer.Context | None = getattr(error, "ctx", None)
    name = context.command_path if context else "song2vec"
    if context:
        print(context.get_usage(), file=sys.stderr)
    print(f"{name}: {error.format_message()} See {name} --help.", file=sys.stderr)
    return USAGE


def _print_version(shown: bool) -> None:
    if shown:
        print(f"song2vec {__version__}")
        raise typer.Exit


@app.callback()
def _top(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Take the options that stand before a command."""
