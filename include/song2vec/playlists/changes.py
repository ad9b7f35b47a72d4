"""What changed in the data: new, gone and changed playlists, new and gone songs.

Each version keeps a small index of the data it was trained on, 16 bytes a playlist and 8 bytes a song, so
that the next run can tell without the playlists themselves. Two playlists in a million fall on the same
64-bit digest with a chance of 1 in 37 million, and then a count is off by one.
"""

from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from song2vec.errors import DataError
from song2vec.playlists.distinct import DistinctNumbers
from song2vec.plumbing.files import whole_file

NAME = "data_index.npz"
BATCH_PLAYLISTS = 10_000


@dataclass(frozen=True)
class DataIndex:
    """What tells two states of the data apart; the same for the same playlists, in whatever order they come.

    Attributes:
        identities: uint64 (playlists,), ascending: a digest of each playlist's source and category.
        contents: uint64 (playlists,): a digest of its songs in order; row ``i`` belongs to ``identities[i]``.
        songs: int64 (songs,), ascending: every song that is in a playlist.
    """

    identities: NDArray[np.uint64]
    contents: NDArray[np.uint64]
    songs: NDArray[np.int64]

    @classmethod
    def of(cls, playlists: Path) -> "DataIndex":
        """The index of ``playlists.parquet``, read batch by batch."""
        identities, contents, songs = [], [], DistinctNumbers()
        with pq.ParquetFile(playlists) as file:
            for batch in file.iter_batches(BATCH_PLAYLISTS):
                identities.append(_identities(batch))
                contents.append(_contents(batch.column("songs")))
                songs.add(batch.column("songs").flatten())
        together = b"".join(identities), b"".join(contents)
        first, second = (np.frombuffer(digests, "<u8").astype(np.uint64) for digests in together)
        order = np.lexsort((second, first))
        return cls(first[order], second[order], songs.ascending())

    def write(self, path: Path) -> None:
        """Write the index as numpy's ``.npz``: the same bytes for the same index."""
        with whole_file(path) as temporary, temporary.open("wb") as file:
            np.savez(file, identities=self.identities, contents=self.contents, songs=self.songs)

    @classmethod
    def read(cls, path: Path) -> "DataIndex":
        """Read what `write` wrote.

        Raises:
            DataError: it is not an index.
        """
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return cls(arrays["identities"], arrays["contents"], arrays["songs"])
        except (ValueError, KeyError, TypeError, AttributeError, OSError, BadZipFile) as error:
            raise DataError(f"{path} is not an index of playlists: {error}") from None


@dataclass(frozen=True)
class PlaylistChanges:
    """How many playlists are new, gone, changed (other songs, or in another order) and the same."""

    new: int
    gone: int
    changed: int
    same: int


@dataclass(frozen=True)
class SongChanges:
    """How many songs are new, gone and the same."""

    new: int
    gone: int
    same: int


@dataclass(frozen=True)
class Changes:
    """What changed from one state of the data to the next."""

    playlists: PlaylistChanges
    songs: SongChanges


def compare(before: DataIndex, now: DataIndex) -> Changes:
    """Count what changed from `before` to `now`."""
    _, old, new = np.intersect1d(before.identities, now.identities, assume_unique=True, return_indices=True)
    same = int(np.count_nonzero(before.contents[old] == now.contents[new]))
    songs = len(np.intersect1d(before.songs, now.songs, assume_unique=True))
    return Changes(
        PlaylistChanges(
            new=len(now.identities) - len(new),
            gone=len(before.identities) - len(old),
            changed=len(new) - same,
            same=same,
        ),
        SongChanges(new=len(now.songs) - songs, gone=len(before.songs) - songs, same=songs),
    )


def in_words(changes: Changes) -> str:
    """What `compare` counted as a sentence's end: ``playlists: 12 new, 3 gone, …; songs: 5 new, …``."""
    return "; ".join(
        f"{what}: {', '.join(f'{count:,} {kind}' for kind, count in counts.items())}"
        for what, counts in asdict(changes).items()
    )


def _identities(playlists: pa.RecordBatch) -> bytes:
    pairs = zip(playlists.column("source").to_pylist(), playlists.column("category").to_pylist(), strict=True)
    return b"".join(_digest(f"{source}\0{category}".encode()) for source, category in pairs)


def _contents(songs: pa.ListArray) -> bytes:
    data = memoryview(songs.flatten().to_numpy().astype("<i8").tobytes())
    lengths = songs.value_lengths().to_numpy() * 8
    ends = np.cumsum(lengths)
    return b"".join(_digest(data[start:end]) for start, end in zip(ends - lengths, ends, strict=True))


def _digest(content: bytes | memoryview) -> bytes:
    return blake2b(content, digest_size=8).digest()
