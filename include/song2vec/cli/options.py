"""The options that several commands have, each once."""

import getpass
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from typer import Option

STORE = "gs://BUCKET/PREFIX"
STORE_OR_FOLDER = "gs://BUCKET/PREFIX|MODEL_DIR"
_EVERY = "Of every command"


def _given(context: typer.Context, option: typer.CallbackParam, uri: str) -> str:
    if not uri and not context.resilient_parsing:
        flags = " or ".join(option.opts)
        context.fail(f"the model store is not given: name it with {flags}, or in SONG2VEC_STORE.")
    return uri


def _store(*flags: str, metavar: str = STORE) -> typer.models.OptionInfo:
    info: typer.models.OptionInfo = Option(
        *flags, envvar="SONG2VEC_STORE", metavar=metavar, callback=_given, show_default=False, help="The model store."
    )
    return info


StoreToWrite = Annotated[str, _store("--to")]
StoreToRead = Annotated[str, _store("--to", "--from")]
StoreOrFolder = Annotated[str, _store("--from", metavar=STORE_OR_FOLDER)]
Url = Annotated[
    str,
    Option(
        envvar="SONG2VEC_DATABASE_URL",
        metavar="SQLALCHEMY_URL",
        help="`mariadb+pymysql://…` or `sqlite:///…`; the variable hides the password from `ps`.",
    ),
]
SignWith = Annotated[
    Path | None,
    Option(
        envvar="SONG2VEC_SIGNING_KEY", metavar="KEY.pem", help="Sign the version with the private key in this file."
    ),
]
Channel = Annotated[str | None, Option(help="The channel to move; without: `publish.channel`.")]
Who = Annotated[
    str, Option(default_factory=getpass.getuser, show_default="you", help="Your name, recorded in the history.")
]
Why = Annotated[str, Option(help="The reason, recorded in the history.")]

Json = Annotated[bool, Option("--json", rich_help_panel=_EVERY, help="Print one JSON object on stdout.")]
Quiet = Annotated[bool, Option("--quiet", rich_help_panel=_EVERY, help="Log warnings only.")]
Config = Annotated[
    Path | None, Option("--config", metavar="FILE.toml", rich_help_panel=_EVERY, help="A file with settings.")
]
Changes = Annotated[
    list[str],
    Option("--set", metavar="SECTION.NAME=VALUE", rich_help_panel=_EVERY, help="Change a setting; may be repeated."),
]
Csv = Annotated[bool, Option("--csv", help="Print the table as CSV on stdout.")]
Excel = Annotated[Path | None, Option("--excel", metavar="FILE.xlsx", help="Also write the table to this file.")]


@dataclass(frozen=True)
class Common:
    """What every command takes."""

    quiet: Quiet = False
    config: Config = None
    changes: Changes = ()  # type: ignore[assignment]  # Typer makes a list of it


@dataclass(frozen=True)
class Output:
    """How a record is printed; `csv` and `excel` are options of the commands whose record is a table."""

    csv: Csv = False
    excel: Excel = None
    as_json: Json = False

    def __post_init__(self) -> None:
        if self.as_json and self.csv:
            raise typer.BadParameter("--json and --csv both print on stdout: choose one.")
