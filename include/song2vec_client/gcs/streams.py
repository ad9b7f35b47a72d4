"""Files as Cloud Storage's client reads and writes them, with a limit, or with somebody told how far it is."""

from collections.abc import Callable
from typing import IO

from song2vec_client.errors import CorruptModelError

Advance = Callable[[int], object]  # told how many more bytes are done; from whichever thread does them


class Limited:
    """A file to write to that refuses to grow beyond a limit.

    Raises:
        CorruptModelError: from `write`: it would.
    """

    def __init__(self, file: IO[bytes], limit: int | None, name: str) -> None:
        self._file, self._limit, self._name = file, limit, name
        self._written = 0

    def write(self, chunk: bytes) -> int:
        """Write the whole chunk."""
        self._written += len(chunk)
        if self._limit is not None and self._written > self._limit:
            raise CorruptModelError(f"{self._name} is larger than the {self._limit:,} bytes it may have")
        return self._file.write(chunk)


class Counted:
    """A file to read from that tells how far it is; what a retry reads again counts once."""

    def __init__(self, file: IO[bytes], advance: Advance) -> None:
        self._file, self._advance = file, advance
        self._furthest = 0

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        chunk = self._file.read(size)
        if (position := self._file.tell()) > self._furthest:
            self._advance(position - self._furthest)
            self._furthest = position
        return chunk

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a position."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """The position."""
        return self._file.tell()
