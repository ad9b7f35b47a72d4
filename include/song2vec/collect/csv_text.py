r"""CSV text as people make it: the encoding recognised by the bytes, records with their lines, nothing lost.

Bytes that are not of the encoding become the code points U+DC00 to U+DCFF, which decoded text never
contains, so that they can be recognised in a record; `printable` shows them, and zero bytes, as ``\xNN``.
"""

import codecs
import csv
import io
import re
from collections import deque
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple, TextIO

CANDIDATES = ("utf-8", "cp949")  # cp949 holds all of euc-kr
MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
ENOUGH_LINES = 1_000  # lines with more than ASCII that decide between the candidates
MOST_QUOTED_LINES = 100  # a quoted field that goes on for longer is taken for a stray quote
LONGEST_LINE = 1 << 18  # characters; what goes on for longer is no CSV, and must not fill the memory
KEPT_OF_A_LONG_LINE = 1_000  # characters

_BLOCK = 1 << 20
_START = 1 << 16
_LINE_END = re.compile(rb"[\r\n]")
_KEPT_BYTE = re.compile("[\0\udc00-\udcff]")


class Record(NamedTuple):
    """One record of a CSV file: its first line (from 1), its text without the line end, its fields."""

    line: int
    text: str
    fields: list[str]
    problem: str | None = None


def encoding_of(file: BinaryIO) -> str:
    """``utf-8``, ``cp949``, ``utf-16``, ``utf-16-le`` or ``utf-16-be``, from the bytes.

    A byte order mark decides. Without one it is UTF-16 where zero bytes make that plain; otherwise UTF-8 or
    cp949, whichever fewer lines contradict, and UTF-8 where lines contradict both equally often, or neither.
    """
    start = file.read(_START)
    for mark, name in MARKS.items():
        if start.startswith(mark):
            return name
    if wide := _utf16_of(start):
        return wide
    contradictions = dict.fromkeys(CANDIDATES, 0)
    for line, _ in zip(_lines_beyond_ascii(file, start), range(ENOUGH_LINES), strict=False):
        for name in CANDIDATES:
            contradictions[name] += not _decodes(line, name)
    return min(CANDIDATES, key=contradictions.__getitem__)


def text_of(file: BinaryIO, encoding: str, *, start: bool = True) -> TextIO:
    """`file` as text for `Lines`; closes with it. Only the `start` of a file may have a byte order mark."""
    codec = "utf-8-sig" if start and codecs.lookup(encoding).name == "utf-8" else encoding  # with the mark or without
    return io.TextIOWrapper(file, codec, errors="song2vec-keep", newline="")


def records(lines: "Lines", delimiter: str) -> Iterator[Record]:
    """The records in order, the header first; blank lines are left out.

    A record has a ``problem`` where its bytes are not of the encoding, it contains a zero byte, its line is too
    long or its quotes do not match; a quote that is never closed costs its own line only.
    """
    reader = csv.reader(lines, delimiter=delimiter)
    while record := _next_record(reader, lines):
        if record.text.strip():
            yield record


def printable(text: str) -> str:
    r"""`text` with zero bytes and the bytes that could not be decoded as ``\xNN``."""
    return _KEPT_BYTE.sub(lambda match: f"\\x{ord(match[0]) & 0xFF:02x}", text)


class Lines:
    """Lines for a ``csv.reader``: remembers those of the record that is being read, and can take them back.

    Attributes:
        count: lines of all records so far, the blank ones too.
        record_lines: lines of the record that is being read.
        unfinished: whether its last line did not end it.
    """

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._again: deque[str] = deque()
        self.count = 0
        self.record_lines: list[str] = []
        self.unfinished = False

    def start_record(self) -> None:
        """Count the lines of the record before, and forget them."""
        self.count += len(self.record_lines)
        self.record_lines, self.unfinished = [], False

    def keep_first(self) -> None:
        """Take back all lines of this record but the first."""
        self._again.extendleft(reversed(self.record_lines[1:]))
        del self.record_lines[1:]

    def __iter__(self) -> "Lines":
        return self

    def __next__(self) -> str:
        line = ""
        if len(self.record_lines) <= MOST_QUOTED_LINES:
            line = self._again.popleft() if self._again else self._read()
        if not line:
            self.unfinished = bool(self.record_lines)
            raise StopIteration
        self.record_lines.append(line)
        return line

    def _read(self) -> str:
        """The next line; of a long one the first `LONGEST_LINE` characters."""
        line = rest = self._text.readline(LONGEST_LINE)
        while len(rest) == LONGEST_LINE and rest[-1] not in "\r\n":
            rest = self._text.readline(LONGEST_LINE)
        return line


def _next_record(reader: Iterator[list[str]], lines: Lines) -> Record | None:
    lines.start_record()
    fields: list[str] = []
    problem = None
    try:
        fields = next(reader, fields)
    except csv.Error as error:
        problem = f"not CSV: {error}"
    if not lines.record_lines:
        return None
    if lines.unfinished:
        problem = "a quote that is never closed"
    long = max(map(len, lines.record_lines)) >= LONGEST_LINE
    if long:
        where = "" if len(lines.record_lines) == 1 else " in its quotes"
        problem = f"a line of {LONGEST_LINE:,} characters or more{where}"
    if problem:
        lines.keep_first()
    text = "".join(lines.record_lines).rstrip("\r\n")
    if long:
        text = text[:KEPT_OF_A_LONG_LINE]
    if "\0" in text:
        text, problem = printable(text), "a zero byte"
    elif not text.isascii() and _KEPT_BYTE.search(text):
        text, problem = printable(text), "bytes that are not of the file's encoding"
    return Record(lines.count + 1, text, fields, problem)


def _utf16_of(start: bytes) -> str | None:
    """The byte order in which `start` is UTF-16, if the zero bytes of its commas, digits and line ends say so."""
    first_line = _LINE_END.split(start.lstrip(b"\r\n\0"), maxsplit=1)[0]
    high, low = start[0::2].count(0), start[1::2].count(0)
    name, zeros, others = ("utf-16-le", low, high) if low > high else ("utf-16-be", high, low)
    # Elsewhere zero bytes occur here and there, but not in a header. Some letters, such as U+AC00, have the other zero.
    plain = b"\0" in first_line and zeros > 4 * others and zeros * 20 > len(start)
    return name if plain and _decodes(start, name, final=False) else None


def _lines_beyond_ascii(file: BinaryIO, start: bytes) -> Iterator[bytes]:
    block = start + file.readline(_BLOCK)
    while block:
        if not block.isascii():
            yield from (line for line in block.splitlines() if not line.isascii())
        block = file.read(_BLOCK) + file.readline(_BLOCK)


def _decodes(piece: bytes, encoding: str, *, final: bool = True) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(piece, final)
    except UnicodeDecodeError:
        return False
    return True


def _keep(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(chr(0xDC00 + byte) for byte in error.object[error.start : error.end]), error.end


codecs.register_error("song2vec-keep", _keep)
