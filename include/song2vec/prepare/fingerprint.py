"""A digest of prepared playlists: the same for the same playlists, on any machine, however they were written."""

from hashlib import sha256

import pyarrow as pa
import pyarrow.compute as pc


class Fingerprint:
    """Takes playlists in the order of (source, category), in batches of any size.

    The digest is the SHA-256 of the SHA-256s of six streams: the lengths (int64, little-endian) and the
    bytes of ``source`` and of ``category``, and likewise the lengths and the songs of ``songs``.
    """

    def __init__(self) -> None:
        self._streams = [sha256() for _ in range(6)]

    def update(self, playlists: pa.RecordBatch) -> None:
        """Take the next playlists, of schema ``tables.PLAYLISTS`` without nulls."""
        parts: list[bytes | memoryview] = []
        for name in ("source", "category"):
            texts = playlists.column(name).cast(pa.binary())
            content = pc.binary_join(pa.ListArray.from_arrays([0, len(texts)], texts), b"")[0]
            parts += [_int64(pc.binary_length(texts)), content.as_py()]
        songs = playlists.column("songs")
        parts += [_int64(pc.list_value_length(songs)), _int64(songs.flatten())]
        for stream, part in zip(self._streams, parts, strict=True):
            stream.update(part)

    def hexdigest(self) -> str:
        """The digest of all playlists so far: 64 hexadecimal digits."""
        return sha256(b"".join(stream.digest() for stream in self._streams)).hexdigest()


def _int64(numbers: pa.Array) -> memoryview:
    return memoryview(numbers.to_numpy().astype("<i8", copy=False))
