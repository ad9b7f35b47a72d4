"""Size and checksums of what is stored, computed in one pass."""

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHUNK = 1 << 20


@dataclass(frozen=True)
class Digest:
    """What identifies a sequence of bytes.

    Attributes:
        size: number of bytes.
        sha256: 64 hex digits.
        crc32c: base64 of the big-endian checksum, as Cloud Storage writes it.
    """

    size: int
    sha256: str
    crc32c: str


def digest(content: bytes | Path) -> Digest:
    """The digest of `content`, or of the file it names."""
    from google_crc32c import Checksum

    size, sha256 = 0, hashlib.sha256()
    crc32c: Any = Checksum()  # type: ignore[no-untyped-call]
    for chunk in _chunks(content):
        size += len(chunk)
        sha256.update(chunk)
        crc32c.update(chunk)
    return Digest(size, sha256.hexdigest(), base64.b64encode(crc32c.digest()).decode("ascii"))


def _chunks(content: bytes | Path) -> Iterable[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk
