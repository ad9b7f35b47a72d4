"""Collected CSV files, as they are: one file becomes one Parquet file of raw rows.

A line that cannot be read becomes a row with the reason and its text; a file that cannot be read becomes
one such row. Neither stops the run: ``prepare`` puts them into the quarantine and counts them.
"""

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import structlog

from song2vec.config import CollectSettings
from song2vec.csv_text import Record, encoding_of, printable, records
from song2vec.errors import SettingsError
from song2vec.files import write_json
from song2vec.progress import track
from song2vec.raw import RawWriter, raw_file

log = structlog.get_logger(__name__)

CHUNK_ROWS = 50_000
MOST_GROUPS = 64  # copies of a task that an orchestrator starts at most, however many files there are

Row = tuple[int, str | None, str, str | None]  # line, category, song, problem: as in tables.RAW


class UnreadableFileError(Exception):
    """The whole file cannot be read; `raw` is a piece of it, to recognise it by."""

    def __init__(self, reason: str, raw: str = "") -> None:
        super().__init__(reason)
        self.raw = raw


def find_csvs(settings: CollectSettings) -> list[Path]:
    """The files of the settings' folder that match its pattern, by name; none is fine.

    Raises:
        SettingsError: the folder does not exist, the pattern is none, or two files have one name.
    """
    folder = Path(settings.folder)
    if not folder.is_dir():
        raise SettingsError(f"collect.folder: there is no folder {folder}. Make it, or name another")
    try:
        found = sorted((path for path in folder.glob(settings.pattern) if path.is_file()), key=lambda path: path.name)
    except (ValueError, NotImplementedError) as error:
        raise SettingsError(f"collect.pattern = {settings.pattern!r}: {error}; expected such as *.csv") from None
    for path, other in pairwise(found):
        if path.name == other.name:
            raise SettingsError(
                f"collect.pattern: {path} and {other} have one name, which tells files apart: rename one"
            )
    log.info("looked for collected files", folder=str(folder), pattern=settings.pattern, files=len(found))
    return found


def groups(paths: Sequence[Path]) -> list[list[str]]:
    """The paths as text in at most 64 groups of nearly the same number, in order: one group for each task."""
    count = min(len(paths), MOST_GROUPS)
    cuts = [len(paths) * i // count for i in range(count + 1)] if count else []
    return [[str(path) for path in paths[a:b]] for a, b in pairwise(cuts)]


def collect(path: Path, out: Path, settings: CollectSettings) -> dict[str, Any]:
    """Read one CSV file into ``out/<stem>-<8 hex of its name>.parquet``, with a record of it in ``.json`` beside.

    Blank lines are skipped. A line with more or fewer fields than the header, with bytes that are not of
    the file's encoding, or with a quote that is never closed becomes a row whose ``problem`` says so and
    whose ``song`` is its text. Memory holds 50,000 rows at a time.

    Args:
        path: the file.
        out: folder to write to; other files in it stay.
        settings: which columns to read, and the encoding.

    Returns:
        ``{"name": the Parquet file's name, "source": "csv", "file": the CSV's name, "bytes", "encoding",
        "rows", "problems", "problem": null, or why the whole file could not be read}``.
    """
    started = time.monotonic()
    file, name = printable(path.name), _parquet_name(path)
    encoding, problem = None, None
    with raw_file(out / name, "csv", file) as writer:
        try:
            encoding = _encoding(path, settings)
            with track(f"collect {file}", "rows") as advance:
                for chunk in _chunks(_rows(path, encoding, settings)):
                    _write(writer, chunk)
                    advance(len(chunk))
        except (UnreadableFileError, OSError, UnicodeError) as error:
            problem = f"the file cannot be read: {getattr(error, 'strerror', None) or error}"
            _write(writer, [(writer.rows + 1, None, getattr(error, "raw", ""), problem)])
    record = {
        "name": name,
        "source": "csv",
        "file": file,
        "bytes": path.stat().st_size if path.exists() else 0,
        "encoding": encoding,
        "rows": writer.rows,
        "problems": writer.problems,
        "problem": problem,
    }
    write_json((out / name).with_suffix(".json"), record)
    _report(record, time.monotonic() - started)
    return record


def _parquet_name(path: Path) -> str:
    """Told apart by the digest; the stem, for people, is cut to what file systems take."""
    return f"{printable(path.stem)[:50]}-{sha256(os.fsencode(path.name)).hexdigest()[:8]}.parquet"


def _report(record: dict[str, Any], seconds: float) -> None:
    facts = {key: record[key] for key in ("file", "bytes", "encoding", "rows", "problems")}
    if record["problem"]:
        log.warning("a file was left out", file=record["file"], problem=record["problem"])
    elif record["problems"]:
        log.warning("a file was read, but for some lines", **facts, seconds=round(seconds, 1))
    else:
        log.info("a file was read", **facts, seconds=round(seconds, 1))


def _encoding(path: Path, settings: CollectSettings) -> str:
    if settings.encoding != "auto":
        return settings.encoding
    with path.open("rb") as file:
        start = file.read(1 << 16)
    if b"\0" in start:
        raise UnreadableFileError(
            "it holds zero bytes, so it is not text, or it is UTF-16 (then set collect.encoding)",
            start[:80].decode("ascii", "backslashreplace"),
        )
    return encoding_of(path)


def _rows(path: Path, encoding: str, settings: CollectSettings) -> Iterator[Row]:
    found = records(path, encoding)
    header = next(found, None)
    if header is None:
        raise UnreadableFileError("it is empty; expected a header")
    playlist, song = (_position(header, name) for name in (settings.playlist_column, settings.song_column))
    width = len(header.fields)
    for record in found:
        if record.problem is None and len(record.fields) == width:
            yield record.line, record.fields[playlist], record.fields[song], None
        else:
            problem = record.problem or f"{len(record.fields)} fields where the header has {width}"
            yield record.line, None, record.text, problem


def _position(header: Record, name: str) -> int:
    names = [field.strip() for field in header.fields]
    if names.count(name) != 1:
        shown = ", ".join(names)[:200]
        what = "more than one column" if name in names else "no column"
        raise UnreadableFileError(f"its header has {what} {name!r}: it is {shown!r}", header.text[:1000])
    return names.index(name)


def _chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    iterator = iter(rows)
    while chunk := list(islice(iterator, CHUNK_ROWS)):
        yield chunk


def _write(writer: RawWriter, rows: Sequence[Row]) -> None:
    lines, categories, songs, problems = zip(*rows, strict=True)
    writer.write(lines, *(pa.array(column, pa.string()) for column in (categories, songs, problems)))
