"""From the text of a CSV to batches of rows: the delimiter and the two columns found in its header."""

import unicodedata
from codecs import BOM_UTF8
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from song2vec.collect.containers import Part, UnreadableFileError
from song2vec.collect.csv_plain import BYTE_ENCODINGS, Blocks, plain_columns
from song2vec.collect.csv_text import Lines, Record, encoding_of, printable, records, text_of
from song2vec.settings import CollectSettings

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t"}
BATCH_ROWS = 50_000
BATCH_CHARACTERS = 1 << 24  # fewer rows where they are long

Row = tuple[int, str | None, str, str | None]  # line, category, song, problem: as in tables.RAW


class Batch(NamedTuple):
    """Rows in order, as ``RawWriter.write`` takes them."""

    lines: Sequence[int] | NDArray[np.int64]
    categories: pa.Array
    songs: pa.Array
    problems: pa.Array


@dataclass(frozen=True, slots=True)
class Layout:
    """How a CSV is written and where its columns are.

    Attributes:
        encoding: Python's name for it.
        delimiter: a key of `DELIMITERS`.
        playlist: position of the playlist column, from 0.
        song: position of the song column.
        width: columns in the header.
    """

    encoding: str
    delimiter: str
    playlist: int
    song: int
    width: int


def layout_of(part: Part, settings: CollectSettings) -> Layout:
    """Find out how `part` is written; what the settings say is taken as it is.

    The delimiter is the one that gives the header most of the two columns, then the most columns.

    Raises:
        UnreadableFileError: it is empty, or a column is missing or occurs twice; the message shows the header.
    """
    encoding = settings.encoding
    if encoding == "auto":
        with part.open() as file:
            encoding = encoding_of(file)
    columns = [_accepted_names(settings.playlist_column), _accepted_names(settings.song_column)]
    delimiters = list(DELIMITERS) if settings.delimiter == "auto" else [settings.delimiter]
    headers = {delimiter: _header(part, encoding, delimiter) for delimiter in delimiters}
    delimiter = max(delimiters, key=lambda name: _fit(headers[name], columns))
    header = headers[delimiter]
    try:
        playlist, song = (_position(header, names) for names in columns)
    except UnreadableFileError as error:
        if len("a".encode(encoding)) == 1 and _holds_zero_bytes(part):
            raise UnreadableFileError("it contains zero bytes and no header, so it is not text", error.raw) from None
        raise
    return Layout(encoding, delimiter, playlist, song, len(header.fields))


def batches(part: Part, layout: Layout, before: int = 0) -> Generator[Batch, None, int]:
    """The rows of `part` after its header, in order; a block of plain lines, or at most 50,000, at a time.

    Blank lines are skipped. A line with more or fewer fields than the header, or with a problem of
    `text.records`, becomes a row whose ``problem`` says so and whose ``song`` is its text.

    Args:
        part: the CSV.
        layout: from `layout_of`.
        before: how many lines the parts before it in the same file have: line numbers go on from there.

    Returns:
        The lines of the file up to the end of this part (what ``yield from`` gives).
    """
    count, header = before, True
    with part.open() as file:
        if layout.encoding not in BYTE_ENCODINGS:
            return (yield from _careful(file, layout, count, header))
        blocks = Blocks(file)
        for block in blocks:
            if batch := _plain_batch(block, layout, count, header):
                yield batch
                count = int(batch.lines[-1])
            elif b'"' in block or b"\n" not in block:  # a record may go on into the next block
                return (yield from _careful(blocks.again_from(block), layout, count, header))
            else:
                count = yield from _careful(BytesIO(block), layout, count, header)
            header = header and not block.strip()
    return count


def _plain_batch(block: bytes, layout: Layout, before: int, header: bool) -> Batch | None:
    if header:
        first, _, block = block.partition(b"\n")
        if not first.strip() or not block or b'"' in first or b"\r" in first[:-1]:
            return None
    if block.startswith(BOM_UTF8):  # no mark in the middle of a file, but Arrow would drop it
        return None
    positions = (layout.playlist, layout.song)
    columns = plain_columns(block, layout.encoding, DELIMITERS[layout.delimiter], layout.width, positions)
    if columns is None:
        return None
    first_line = before + 1 + header
    categories, songs = columns
    lines = np.arange(first_line, first_line + len(songs), dtype=np.int64)
    return Batch(lines, categories, songs, pa.nulls(len(songs), pa.string()))


def _careful(file: BinaryIO, layout: Layout, before: int, header: bool) -> Generator[Batch, None, int]:
    """Record by record: what is not plain gets its reason."""
    with text_of(file, layout.encoding, start=header) as text:
        lines = Lines(text)
        rows: list[Row] = []
        characters = 0
        for line, category, song, problem in _rows(lines, layout, header):
            rows.append((before + line, category, song, problem))
            characters += len(category or "") + len(song)
            if len(rows) == BATCH_ROWS or characters > BATCH_CHARACTERS:
                yield batch_of(rows)
                rows, characters = [], 0
        if rows:
            yield batch_of(rows)
        return before + lines.count


def batch_of(rows: Sequence[Row]) -> Batch:
    """Rows, one or more, as columns."""
    lines, categories, songs, problems = zip(*rows, strict=True)
    return Batch(lines, *(pa.array(column, pa.string()) for column in (categories, songs, problems)))


def _rows(lines: Lines, layout: Layout, header: bool) -> Iterator[Row]:
    rest = records(lines, DELIMITERS[layout.delimiter])
    if header:
        next(rest, None)
    playlist, song, width = layout.playlist, layout.song, layout.width
    for record in rest:
        if record.problem is None and len(record.fields) == width:
            yield record.line, record.fields[playlist], record.fields[song], None
        else:
            problem = record.problem or f"{len(record.fields)} fields where the header has {width}"
            yield record.line, None, record.text, problem


def _header(part: Part, encoding: str, delimiter: str) -> Record:
    with text_of(part.open(), encoding) as text:
        header = next(records(Lines(text), DELIMITERS[delimiter]), None)
    if header is None:
        raise UnreadableFileError("it is empty; expected a header")
    return header


def _holds_zero_bytes(part: Part) -> bool:
    with part.open() as file:
        return b"\0" in file.read(1 << 16)


def _fit(header: Record, columns: Sequence[Sequence[str]]) -> tuple[int, int]:
    fields = {_plain(field) for field in header.fields}
    return sum(any(_plain(name) in fields for name in names) for names in columns), len(header.fields)


def _position(header: Record, names: Sequence[str]) -> int:
    """Where the column is: the first of `names` that the header has."""
    fields = [_plain(field) for field in header.fields]
    shown = printable(", ".join(field.strip() for field in header.fields))[:200]
    for name in names:
        if fields.count(_plain(name)) > 1:
            raise UnreadableFileError(
                f"its header has more than one column {name!r}: it is {shown!r}", header.text[:1000]
            )
        if _plain(name) in fields:
            return fields.index(_plain(name))
    alternatives = " or ".join(map(repr, names))
    raise UnreadableFileError(f"its header has no column {alternatives}: it is {shown!r}", header.text[:1000])


def _accepted_names(setting: str) -> list[str]:
    """The header names that a setting accepts, in order of preference."""
    return [name.strip() for name in setting.split(",") if name.strip()]


def _plain(name: str) -> str:
    """Without case, blanks, stray byte order marks and the two ways to write Korean."""
    return "".join(unicodedata.normalize("NFC", name).casefold().replace("\ufeff", "").split())
