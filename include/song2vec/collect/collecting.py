"""Collected CSV files, as they are: one file becomes one Parquet file of raw rows.

A line that cannot be read becomes a row with the reason and its text; a file that cannot be read becomes
one such row. Neither stops the run: ``prepare`` puts them into the quarantine and counts them.
"""

import re
import time
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import structlog

from song2vec.collect.containers import (
    BROKEN,
    LeftOutError,
    State,
    UnreadableFileError,
    file_name,
    parts,
    reason_of,
    repeated,
    state,
)
from song2vec.collect.csv_rows import Batch, Layout, batch_of, batches, layout_of
from song2vec.errors import DataError, SettingsError
from song2vec.plumbing.files import write_json
from song2vec.plumbing.progress import track
from song2vec.plumbing.threads import ahead, each
from song2vec.raw import raw_file
from song2vec.settings import CollectSettings

log = structlog.get_logger(__name__)

MOST_GROUPS = 64  # copies of a task that an orchestrator starts at most, however many files there are
CHANGED = "it is still being written, its size or time changed while it was read"


def find_csvs(settings: CollectSettings) -> list[Path]:
    """The files of the settings' folder that match its pattern, by name; there may be none.

    Raises:
        SettingsError: the folder does not exist, the pattern is not one, or two files have the same name.
    """
    paths = _matching(settings)
    log.info("looked for collected files", folder=settings.folder, pattern=settings.pattern, files=len(paths))
    return paths


def groups(paths: Sequence[Path]) -> list[list[str]]:
    """The paths as text in at most 64 groups of nearly the same size, in order: one group for each task."""
    count = min(len(paths), MOST_GROUPS)
    cuts = [len(paths) * i // count for i in range(count + 1)] if count else []
    return [[str(path) for path in paths[a:b]] for a, b in pairwise(cuts)]


def collect(path: Path, out: Path, settings: CollectSettings) -> dict[str, Any]:
    """Read one collected file into ``out/<stem>-<8 hex of its name>.parquet``, and its record into ``.json`` beside it.

    A line that cannot be read (`rows.batches` says when) becomes a row whose ``problem`` says so and
    whose ``song`` is its text. A file that cannot be read, changes while it is read, or is a repeat
    that the settings skip becomes one such row, and none of its lines is kept. The CSVs of a zip file are
    read one after the other, and their line numbers count on; if one cannot be read, the zip file cannot.
    Reading, telling numbers from texts, and writing go on at the same time; memory holds a few blocks of 4 MiB.

    Args:
        path: the file: CSV, or CSV in gzip or zip, whatever its name says.
        out: folder to write to; other files in it stay.
        settings: which columns to read, the encoding and the delimiter.

    Returns:
        ``{"name": the Parquet file's name, "source": "csv", "file": the CSV's name, "bytes", "encoding",
        "delimiter", "parts": names inside a zip file, "rows", "problems", "first_problem": where and why, "problem":
        null, or why the whole file was left out, "left_for_next_run"}``. What differs between the CSVs of a zip file
        is joined by commas.

    Raises:
        DataError: the file cannot be read, and the settings are strict.
    """
    started = time.monotonic()
    file, target, before = file_name(path), out / _parquet_name(path), state(path)
    layouts: dict[str, Layout] = {}
    problem, later = None, False
    try:
        if settings.same_file == "skip":
            _refuse_repeat(path, settings)
        with raw_file(target, "csv", file) as writer, track(f"collect {file}", "rows") as advance:
            rows = ahead(_read(path, settings, layouts))
            for batch in each(lambda some: writer.batch(*some), rows, threads=1):
                _refuse_change(path, before)
                writer.append(batch)
                advance(len(batch))
            _refuse_change(path, before)
    except LeftOutError as error:
        later = state(path) != before  # half a file may look broken
        problem = f"the file is left for the next run: {CHANGED}" if later else str(error)
        if settings.strict and isinstance(error, UnreadableFileError) and not later:
            raise DataError(f"{path}: {problem}. Mend or move it, or set collect.strict = false") from None
        with raw_file(target, "csv", file) as writer:
            writer.write(*batch_of([(1, None, error.raw, problem)]))
    record = {
        "name": target.name,
        "source": "csv",
        "file": file,
        "bytes": before.size if before else 0,
        "encoding": _joined(layout.encoding for layout in layouts.values()),
        "delimiter": _joined(layout.delimiter for layout in layouts.values()),
        "parts": [name for name in layouts if name],
        "rows": writer.rows,
        "problems": writer.problems,
        "first_problem": writer.first_problem,
        "problem": problem,
        "left_for_next_run": later,
    }
    write_json(target.with_suffix(".json"), record)
    _report(record, time.monotonic() - started)
    return record


def _read(path: Path, settings: CollectSettings, layouts: dict[str, Layout]) -> Iterator[Batch]:
    """The rows of a file; `layouts` is filled on the way, by the name of the part."""
    lines = 0
    try:
        with parts(path) as csvs:
            for part in csvs:
                layout = layouts[part.name] = layout_of(part, settings)
                lines = yield from batches(part, layout, lines)
    except BROKEN as error:
        raise UnreadableFileError(reason_of(error)) from None


def _refuse_change(path: Path, before: State | None) -> None:
    if state(path) != before:
        raise LeftOutError(CHANGED)


def _refuse_repeat(path: Path, settings: CollectSettings) -> None:
    """Compare with the files before it in its folder, so that no task needs to know what others read."""
    earlier = [other for other in _matching(settings) if file_name(other) < file_name(path)]
    if other := repeated(path, earlier):
        raise LeftOutError(
            f"the file is left out: its bytes are those of {file_name(other)} (collect.same_file = skip)"
        )


def _matching(settings: CollectSettings) -> list[Path]:
    folder = Path(settings.folder)
    if not folder.is_dir():
        raise SettingsError(f"collect.folder: there is no folder {folder}. Make it, or name another")
    try:
        paths = {
            path
            for pattern in settings.pattern.split(",")
            for form in _forms(pattern.strip())
            for path in folder.glob(form)
        }
    except (ValueError, NotImplementedError) as error:
        raise SettingsError(
            f"collect.pattern = {settings.pattern!r}: {error}; expected a pattern such as *.csv"
        ) from None
    matching = sorted((path for path in paths if path.is_file() and path.name[0] != "."), key=file_name)
    for path, other in pairwise(matching):
        if file_name(path) == file_name(other):
            raise SettingsError(
                f"collect.pattern: {path} and {other} have the same name, and files are told apart by it: rename one"
            )
    return matching


def _forms(pattern: str) -> Iterator[str]:
    """The pattern for both ways to write Korean, without regard to capitals."""
    for form in ("NFC", "NFD"):
        text = unicodedata.normalize(form, pattern)
        yield text if "[" in text else re.sub("[A-Za-z]", lambda m: f"[{m[0].lower()}{m[0].upper()}]", text)


def _parquet_name(path: Path) -> str:
    """The digest tells names apart; the stem, for people, is cut to a length that file systems allow."""
    name = file_name(path)
    return f"{Path(name).stem[:50]}-{sha256(name.encode()).hexdigest()[:8]}.parquet"


def _joined(values: Iterable[str]) -> str | None:
    return ", ".join(dict.fromkeys(values)) or None


def _report(record: dict[str, Any], seconds: float) -> None:
    facts = {key: record[key] for key in ("file", "bytes", "encoding", "delimiter", "rows", "problems")}
    if record["left_for_next_run"]:
        log.warning("a file was left for the next run", file=record["file"], problem=record["problem"])
    elif record["problem"]:
        log.warning("a file was left out", file=record["file"], problem=record["problem"])
    elif record["problems"]:
        facts["first_problem"] = record["first_problem"]
        log.warning("a file was read, except for some lines", **facts, seconds=round(seconds, 1))
    else:
        log.info("a file was read", **facts, seconds=round(seconds, 1))
