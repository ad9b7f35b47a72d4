"""Prepared playlists as they are read for training: a batch at a time, and again where they are needed twice.

Reading twice, first to count the songs and then to give each its row, takes a second more per ten million songs, and
far less memory than holding all song numbers: only the rows stay, as int32.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from song2vec.errors import DataError
from song2vec.playlists.corpus import Ragged, Vocabulary
from song2vec.playlists.distinct import DistinctNumbers
from song2vec.plumbing.arrays import to_arrow, to_numpy

BATCH_SONGS = 200_000
BATCH_NAMES = 20_000
MOST_ROWS, MOST_WORDS = np.iinfo(np.int32).max, np.iinfo(np.uint32).max


@dataclass(frozen=True)
class PlaylistFile:
    """Chosen playlists of a file; they are on disk until they are read.

    Attributes:
        path: columns source, category, songs (tables.PLAYLISTS); songs are a list of int64.
        chosen: bool (playlists of the file,).
    """

    path: Path
    chosen: NDArray[np.bool_]

    def __len__(self) -> int:
        return int(np.count_nonzero(self.chosen))

    def only(self, playlists: NDArray[np.bool_]) -> "PlaylistFile":
        """Of the chosen playlists only those where `playlists`, bool (chosen playlists,), is true."""
        chosen = self.chosen.copy()
        chosen[chosen] = playlists
        return PlaylistFile(self.path, chosen)

    def read(self) -> Ragged:
        """All song numbers at once, int64, of playlists that are few."""
        flat, lengths = [np.empty(0, np.int64)], [np.zeros(1, np.int64)]
        for batch in self.batches():
            flat.append(batch.flat)
            lengths.append(batch.lengths)
        return Ragged(np.concatenate(flat), np.cumsum(np.concatenate(lengths)))

    def count_songs(self) -> Vocabulary:
        """Count all songs."""
        distinct = DistinctNumbers()
        for batch in self.batches():
            distinct.add(to_arrow(batch.flat))
        songs, counts = distinct.totals()
        order = np.argsort(-counts, kind="stable")
        return Vocabulary(songs[order], counts[order])

    def rows(self, vocabulary: Vocabulary) -> Ragged:
        """The playlists as rows of `vocabulary`, int32, with offsets in uint32; songs that have none are left out.

        Raises:
            DataError: there are more songs, or places in playlists, than these can number; the file cannot be read.
        """
        if len(vocabulary.songs) > MOST_ROWS:
            raise DataError(f"found {len(vocabulary.songs):,} songs, expected at most {MOST_ROWS:,}: raise min_count")
        rows_of = vocabulary.row_finder()
        with opened(self.path) as file:
            flat = np.empty(_song_count(file), np.int32)  # what is not written to takes no memory
        if len(flat) > MOST_WORDS:
            raise DataError(
                f"{self.path} holds {len(flat):,} songs, expected at most {MOST_WORDS:,}: train on fewer days"
            )
        offsets = np.zeros(len(self) + 1, np.uint32)
        playlists = words = 0
        for batch in self.batches():
            rows = rows_of(batch.flat)
            lists = batch.replaced(rows).where(rows >= 0)
            flat[words : words + len(lists.flat)] = lists.flat
            offsets[playlists + 1 : playlists + 1 + len(lists)] = words + lists.offsets[1:]
            playlists, words = playlists + len(lists), words + len(lists.flat)
        return Ragged(flat[:words], offsets)

    def batches(self) -> Iterator[Ragged]:
        """The chosen playlists in order, as song numbers, some `BATCH_SONGS` at a time.

        Raises:
            DataError: the file cannot be read, or is another one than it was.
        """
        with opened(self.path) as file:
            total = file.metadata.num_rows
            if total != len(self.chosen):
                raise DataError(f"{self.path} held {len(self.chosen):,} playlists, now {total:,}: it must not change")
            size = max(1, BATCH_SONGS * total // max(1, _song_count(file)))
            first = 0
            for batch in file.iter_batches(size, columns=["songs"], use_threads=False):
                lists = ragged(batch.column(0), "songs", self.path)
                chosen = self.chosen[first : first + len(lists)]
                yield lists if chosen.all() else lists.only(chosen)
                first += len(lists)


def open_playlists(path: Path, without: Path | None = None) -> PlaylistFile:
    """Open ``playlists.parquet``, leaving out the playlists that are held out.

    A held-out playlist is identified by (source, category). A held-out file that has no ``source`` leaves a category
    out whatever its source: better a playlist too few than one that is both trained on and measured with.

    Args:
        path: columns source, category, songs (tables.PLAYLISTS); songs are a list of int64.
        without: columns category and, if the file has it, source.

    Raises:
        DataError: a file cannot be read, a column is missing or of another type, no playlist is left.
    """
    names = ["category"]
    if without is not None:
        with opened(without, ["category"]) as file:
            names += ["source"] if "source" in file.schema_arrow.names else []
            heldout = _identity(file.read(names))
    with opened(path, [*names, "songs"]) as file:
        _check_type(file.schema_arrow.field("songs").type, "songs", path)
        chosen = np.ones(file.metadata.num_rows, bool)
        if without is not None:
            first = 0
            for batch in file.iter_batches(BATCH_NAMES, columns=names):
                is_heldout = pc.is_in(_identity(batch), value_set=heldout)
                chosen[first : first + batch.num_rows] = to_numpy(pc.cast(is_heldout, pa.uint8())) == 0
                first += batch.num_rows
    if not chosen.any():
        raise DataError(
            f"{path}: found {len(chosen):,} playlists, {len(chosen):,} of them held out; expected at least one to "
            "train on. Collect more playlists, or lower holdout.share."
        )
    return PlaylistFile(path, chosen)


@contextmanager
def opened(path: Path, names: list[str] | None = None) -> Iterator[Any]:
    """The Parquet file at `path`, with the columns `names`, to be read in small pieces."""
    try:
        with pq.ParquetFile(path, pre_buffer=False, buffer_size=2**20) as file:
            columns = file.schema_arrow.names
            missing = [name for name in names or [] if name not in columns]
            if missing:
                raise DataError(f"{path}: has the columns {', '.join(columns)}; expected also {', '.join(missing)}")
            yield file
    except FileNotFoundError:
        raise DataError(f"{path} does not exist: run the stage before, or check the path") from None
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(f"{path} is not a readable Parquet file ({error}): make it again") from None
    finally:
        pa.default_memory_pool().release_unused()  # or Arrow keeps it, to read more


def _song_count(file: Any) -> int:
    """How many songs the playlists of the file hold, at most: an empty list counts as one."""
    metadata = file.metadata
    place = next(place for place in range(metadata.num_columns) if file.schema.column(place).path.startswith("songs."))
    groups = range(metadata.num_row_groups)
    return sum(metadata.row_group(group).column(place).num_values for group in groups)


def _identity(table: Any) -> Any:
    """One text a playlist: its category, with its source before it where the table has one."""
    category = pc.cast(table["category"], pa.string())
    if "source" not in table.schema.names:
        return category
    return pc.binary_join_element_wise(pc.cast(table["source"], pa.string()), category, "\0")


def _check_type(kind: Any, name: str, path: Path) -> None:
    if not ((pa.types.is_list(kind) or pa.types.is_large_list(kind)) and pa.types.is_int64(kind.value_type)):
        raise DataError(f"{path}: column {name} is {kind}; expected list<int64>. Make the file with song2vec prepare.")


def ragged(column: Any, name: str, path: Path) -> Ragged:
    """The lists of song numbers in a column.

    Raises:
        DataError: it is of another type, or has nulls.
    """
    _check_type(column.type, name, path)
    flat = pc.list_flatten(column)
    if column.null_count or flat.null_count:
        raise DataError(f"{path}: column {name} has empty (null) values; expected a list of numbers in every row")
    lengths = to_numpy(pc.list_value_length(column))
    return Ragged(to_numpy(flat), np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]))
