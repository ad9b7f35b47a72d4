"""The commands from the sources to checked playlists."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Argument, Option

from song2vec.cli import frames, options, show
from song2vec.cli.command import Record, command
from song2vec.cli.deployment import open_database, open_store
from song2vec.playlists.rules import RULES

if TYPE_CHECKING:
    from song2vec.records import DataDecision, Funnel
    from song2vec.settings import Settings

RawOut = Annotated[Path, Option(metavar="RAW_DIR", help="Gets the raw rows, as Parquet.")]


@command("extract")
def extract(settings: "Settings", url: options.Url, out: RawOut) -> Record:
    """Stream playlists out of a database."""
    from song2vec.extract import extract

    return extract(open_database(url, settings.extract), out, settings.extract)


@command("collect", show=show.files, frame=frames.files)
def collect(
    settings: "Settings",
    folder: Annotated[Path, Argument(metavar="CSV_DIR", help="Where the CSV files are.")],
    out: RawOut,
) -> Record:
    """Read collected CSV files."""
    from song2vec.collect import collect, find_csvs

    here = settings.collect.model_copy(update={"folder": str(folder)})
    return {"out": str(out), "files": [collect(path, out, here) for path in find_csvs(here)]}


@command("prepare", "holdout", show=show.funnel, frame=frames.funnel)
def prepare(
    settings: "Settings",
    raw: Annotated[list[Path], Argument(metavar="RAW_DIR", help="What extract and collect wrote.")],
    out: Annotated[Path, Option(metavar="DIR", help="Gets playlists, held-out playlists, quarantine and funnel.")],
) -> "Funnel":
    """Make playlists of raw rows."""
    from song2vec.prepare import prepare

    return prepare(raw, out, settings)


def _known_reason(reason: str | None) -> str | None:
    if reason is not None and reason not in RULES:
        raise typer.BadParameter(f"{reason!r} is none of {', '.join(RULES)}.")
    return reason


@command(show=show.quarantine, frame=frames.quarantine)
def quarantine(
    _: "Settings",
    where: Annotated[str, Argument(metavar="DIR|QUARANTINE.parquet", help="What prepare wrote; a path or `gs://…`.")],
    reason: Annotated[
        str | None,
        Option(
            metavar="|".join(RULES),
            callback=_known_reason,
            autocompletion=lambda: list(RULES),
            help="Only the rows that this rule left out.",
        ),
    ] = None,
    examples: Annotated[int, Option(min=0, metavar="N", help="How many rows of each reason.")] = 3,
) -> Record:
    """Show the rows that were left out, by reason, with examples."""
    from song2vec.prepare import read_quarantine

    return read_quarantine(where, reason=reason, examples=examples)


@command("check_data", "publish", show=show.data_decision)
def check_data(
    settings: "Settings",
    prepared: Annotated[Path, Argument(metavar="DIR", help="What prepare wrote.")],
    out: Annotated[Path, Option(metavar="DIR", help="Gets the verdict, and digests for the next check.")],
    uri: options.StoreToWrite = "",
) -> "DataDecision":
    """Decide whether prepared data may be trained on; say what changed since the live version."""
    from song2vec.gates import check_data
    from song2vec.versions import live_data, live_version

    store = open_store(uri)
    return check_data(prepared, out, live_data(store, live_version(store, settings.publish.channel)), settings)
