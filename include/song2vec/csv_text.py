r"""CSV text as people make it: the encoding found from the bytes, records with their lines, nothing lost.

Bytes that are not of the encoding become the code points U+DC00 to U+DCFF, which decoded text never
holds, so that they are found again in a record; `printable` shows them as ``\xNN``.
"""

import codecs
import csv
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TextIO

CANDIDATES = ("utf-8", "cp949")
ENOUGH_LINES = 1_000  # lines with more than ASCII that decide between the candidates
MOST_QUOTED_LINES = 100  # a quoted field that goes on for longer is taken for a stray quote

_BLOCK = 1 << 20
_KEPT_BYTE = re.compile("[\udc00-\udcff]")


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a CSV file: its first line (from 1), its text without the line end, its fields."""

    line: int
    text: str
    fields: list[str]
    problem: str | None = None


def encoding_of(path: Path) -> str:
    """``utf-8`` (with a byte order mark or without) or ``cp949``: the one that fewer lines contradict.

    A file that contradicts both as often, or neither, is taken for UTF-8.
    """
    wrong = dict.fromkeys(CANDIDATES, 0)
    with path.open("rb") as file:
        if file.read(3) == codecs.BOM_UTF8:
            return "utf-8"
        file.seek(0)
        for line, _ in zip(_lines_beyond_ascii(file), range(ENOUGH_LINES), strict=False):
            for name in CANDIDATES:
                wrong[name] += not _decodes(line, name)
    return min(CANDIDATES, key=wrong.__getitem__)


def records(path: Path, encoding: str) -> Iterator[Record]:
    """The records of a comma-separated file in order, the header first; blank lines are left out.

    A record has a ``problem`` where its bytes are not of `encoding` or its quotes do not fit; a quote that
    is never closed costs its own line only.
    """
    codec = "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding  # reads with the mark or without
    with path.open(encoding=codec, errors="song2vec-keep", newline="") as file:
        lines = _Lines(file)
        reader = csv.reader(lines)
        number = 1
        while record := _next_record(reader, lines, number):
            number += len(lines.taken)
            if record.text.strip():
                yield record


def printable(text: str) -> str:
    r"""`text` with the bytes that could not be decoded as ``\xNN``."""
    return _KEPT_BYTE.sub(lambda match: f"\\x{ord(match[0]) - 0xDC00:02x}", text)


class _Lines:
    """Lines for a ``csv.reader``: remembers those of the record under way and can take them back."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._again: deque[str] = deque()
        self.taken: list[str] = []
        self.unfinished = False

    def start_record(self) -> None:
        self.taken, self.unfinished = [], False

    def keep_first(self) -> None:
        """Take back all lines of this record but the first."""
        self._again.extendleft(reversed(self.taken[1:]))
        del self.taken[1:]

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = None
        if len(self.taken) <= MOST_QUOTED_LINES:
            line = self._again.popleft() if self._again else next(self._file, None)
        if line is None:
            self.unfinished = bool(self.taken)
            raise StopIteration
        self.taken.append(line)
        return line


def _next_record(reader: Iterator[list[str]], lines: _Lines, number: int) -> Record | None:
    lines.start_record()
    fields: list[str] = []
    problem = None
    try:
        fields = next(reader, fields)
    except csv.Error as error:
        problem = f"not CSV: {error}"
    if lines.unfinished:
        problem = "a quote that is never closed"
    if not lines.taken:
        return None
    if problem:
        lines.keep_first()
    text = "".join(lines.taken).rstrip("\r\n")
    if not text.isascii() and _KEPT_BYTE.search(text):
        text, problem = printable(text), "bytes that are not of the file's encoding"
    return Record(number, text, fields, problem)


def _lines_beyond_ascii(file: BinaryIO) -> Iterator[bytes]:
    while block := file.read(_BLOCK) + file.readline():
        if not block.isascii():
            yield from (line for line in block.splitlines() if not line.isascii())


def _decodes(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _keep(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(chr(0xDC00 + byte) for byte in error.object[error.start : error.end]), error.end


codecs.register_error("song2vec-keep", _keep)
