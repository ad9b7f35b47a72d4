"""How every command runs: its settings, its record, how that is printed, the exit code; and how its help is made."""

import inspect
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import typer
from typer.core import TyperCommand

from song2vec.cli import options, show
from song2vec.cli.output import Part, print_csv, print_json, print_parts, write_excel
from song2vec.errors import RefusedError, SettingsError
from song2vec_client.errors import Song2VecError

if TYPE_CHECKING:
    from pandas import DataFrame

    from song2vec.settings import Settings

Record = dict[str, Any]
Options = TypeVar("Options", options.Common, options.Output)
DONE, FAILED, USAGE, REFUSED = 0, 1, 2, 3


class Typed(Protocol):
    """A record with fields (`song2vec.records`)."""

    def to_json(self) -> Record:
        """The record as JSON values."""


AnyRecord = Record | Typed


@dataclass(frozen=True)
class Command:
    """One command.

    Attributes:
        function: takes the settings, then its options by name, and returns its record.
        sections: the sections of the settings that it reads; ``*``: those of a run of the pipeline.
        show: the record for people.
        frame: the record as one table, for CSV and Excel; None: it is none.
    """

    function: Callable[..., AnyRecord]
    sections: tuple[str, ...]
    show: Callable[[Any], Iterable[Part]]
    frame: "Callable[[Any], DataFrame] | None"

    @property
    def name(self) -> str:
        """As it is typed: ``check-data``."""
        return self.function.__name__.replace("_", "-")

    @property
    def help(self) -> str:
        """What it does, in a sentence."""
        return inspect.getdoc(self.function) or ""


def command(
    *sections: str,
    show: Callable[[Any], Iterable[Part]] = show.pairs,
    frame: "Callable[[Any], DataFrame] | None" = None,
) -> Callable[[Callable[..., AnyRecord]], Command]:
    """Make a command of a function; see `Command`."""
    return lambda function: Command(function, sections, show, frame)


def register(app: typer.Typer, command: Command, panel: str) -> None:
    """Add `command` to `app`, in a panel of the help."""
    app.command(
        command.name,
        cls=_documented(command),
        help=command.help,
        short_help=command.help,
        epilog=_links(command.sections),
        rich_help_panel=panel,
    )(_callback(command))


def _links(sections: tuple[str, ...]) -> str | None:
    """What ``docs/cli.md`` says of the settings; the help in a terminal lists them instead."""
    if sections == ("*",):
        return "Settings: [all](configuration.md)."
    links = ", ".join(f"[{section}](configuration.md#{section})" for section in sections)
    return f"Settings: {links}." if links else None


def _documented(command: Command) -> type[TyperCommand]:
    """The help of the command, which lists its settings; they take as long to import as all the rest."""

    class Documented(TyperCommand):
        def format_help(self, ctx: Any, formatter: Any) -> None:
            from song2vec.settings.table import command_help

            self.epilog = command_help(command.sections)
            super().format_help(ctx, formatter)

    return Documented


def _callback(command: Command) -> Callable[..., int]:
    """The command as Typer calls it: with its own options, and those that every command takes."""

    def run(**values: Any) -> int:
        output, common = _taken(options.Output, values), _taken(options.Common, values)
        return _run(command, common, output, values)

    own = list(_parameters(command.function))[1:]  # the first are the settings
    output = [option for option in _parameters(options.Output) if command.frame or option.name == "as_json"]
    every = [option.replace(kind=option.KEYWORD_ONLY) for option in (*own, *output, *_parameters(options.Common))]
    run.__signature__ = inspect.Signature(every)  # type: ignore[attr-defined]  # what Typer reads
    run.__annotations__ = {}
    return run


def _parameters(function: Callable[..., Any]) -> Iterable[inspect.Parameter]:
    return inspect.signature(function).parameters.values()


def _taken(kind: type[Options], values: dict[str, Any]) -> Options:
    """The options of one kind, taken out of all of them."""
    return kind(**{field.name: values.pop(field.name) for field in fields(kind) if field.name in values})


def _run(command: Command, common: options.Common, output: options.Output, values: dict[str, Any]) -> int:
    from song2vec.plumbing.logs import log_to_stderr

    log_to_stderr(quiet=common.quiet)
    try:
        settings = _settings(common)
    except SettingsError as error:
        return _fail(error, USAGE)
    try:
        record = command.function(settings, **values)
        _print(command, record, output)
    except RefusedError as error:
        return _fail(error, REFUSED)
    except Song2VecError as error:
        return _fail(error, FAILED)
    verdict = _json(record)
    return REFUSED if verdict.get("accepted") is False and not verdict.get("forced") else DONE


def _json(record: AnyRecord) -> Record:
    return record if isinstance(record, dict) else record.to_json()


def _print(command: Command, record: AnyRecord, output: options.Output) -> None:
    if command.frame and output.excel:
        write_excel(command.frame(record), output.excel)
    if command.frame and output.csv:
        print_csv(command.frame(record))
    elif output.as_json:
        print_json(_json(record))
    else:
        print_parts(command.show(record))


def _settings(common: options.Common) -> "Settings":
    from song2vec.settings import load_settings

    changes = [text.partition("=") for text in common.changes]
    for name, equals, _ in changes:
        if not equals:
            raise SettingsError(f"--set {name}: expected section.name=value, such as train.epochs=5")
    return load_settings({name: value for name, _, value in changes}, file=common.config)


def _fail(error: Exception, code: int) -> int:
    print(f"song2vec: {error}", file=sys.stderr)
    return code
