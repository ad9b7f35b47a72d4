"""Collected files as they are on the disk: plain, gzip or zip, repeated, or still being written."""

import filecmp
import gzip
import os
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from lzma import LZMAError
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from song2vec.collect.csv_text import printable

CSV_INSIDE = re.compile(r"\.(csv|tsv|txt)$", re.IGNORECASE)
BROKEN = (OSError, EOFError, UnicodeError, zlib.error, LZMAError, zipfile.BadZipFile, NotImplementedError)


class LeftOutError(Exception):
    """The whole file is left out; `raw` is a piece of it, to recognise it by."""

    def __init__(self, reason: str, raw: str = "") -> None:
        super().__init__(reason)
        self.raw = printable(raw)


class UnreadableFileError(LeftOutError):
    """The whole file cannot be read."""

    def __init__(self, reason: str, raw: str = "") -> None:
        super().__init__(f"the file cannot be read: {reason}", raw)


class State(NamedTuple):
    """What changes when a file is written to or replaced."""

    number: int
    size: int
    nanoseconds: int


@dataclass(frozen=True, slots=True)
class Part:
    """One CSV: a file, or what a gzip or a zip file holds. Can be opened again and again.

    Attributes:
        name: the name inside a zip file, or empty.
    """

    path: Path
    name: str
    open: Callable[[], BinaryIO]


def file_name(path: Path) -> str:
    """The name that tells a collected file apart: one form of Korean (NFC), whichever system wrote it."""
    return unicodedata.normalize("NFC", printable(path.name))


@contextmanager
def parts(path: Path) -> Iterator[list[Part]]:
    """The CSVs of a file: one, or as many as a zip file holds, in the zip file's order; the bytes say which.

    In a zip file only names that end in .csv, .tsv or .txt count, and no hidden ones.

    Raises:
        UnreadableFileError: a zip file holds no CSV, or is locked with a password.
        OSError, zipfile.BadZipFile, …: what `BROKEN` lists.
    """
    with path.open("rb") as file:
        start = file.read(4)
    if start[:2] == b"\x1f\x8b":
        yield [Part(path, "", lambda: cast(BinaryIO, gzip.GzipFile(path)))]
    elif start in (b"PK\3\4", b"PK\5\6"):
        with zipfile.ZipFile(path) as archive:
            yield [
                Part(path, info.filename, lambda info=info: cast(BinaryIO, archive.open(info)))  # type: ignore[misc]
                for info in _members(archive)
            ]
    else:
        yield [Part(path, "", lambda: path.open("rb"))]


def state(path: Path) -> State | None:
    """The file as it is now; None: there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return State(status.st_ino, status.st_size, status.st_mtime_ns)


def repeated(path: Path, others: list[Path]) -> Path | None:
    """The first of `others` with the same bytes as `path`, if there is one."""
    own = state(path)
    for other in others:
        candidate = state(other)
        if own and candidate and own.size == candidate.size:
            with suppress(OSError):  # what cannot be read is not a repeat; whoever reads it says why
                if filecmp.cmp(path, other, shallow=False):
                    return other
    return None


def reason_of(error: Exception) -> str:
    """Why a file cannot be read, in words."""
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return str(error) or type(error).__name__


def _members(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    files = [info for info in archive.infolist() if not info.is_dir()]
    csvs = [info for info in files if CSV_INSIDE.search(info.filename) and not _hidden(info.filename)]
    if not csvs:
        names = ", ".join(info.filename for info in files)
        raise UnreadableFileError("it is a zip file (as a workbook is) with no .csv, .tsv or .txt in it", names[:1000])
    for info in csvs:
        if info.flag_bits & 1:
            raise UnreadableFileError(f"{info.filename!r} in it is locked with a password", info.filename)
    return csvs


def _hidden(name: str) -> bool:
    return any(step.startswith((".", "__MACOSX")) for step in name.split("/"))
