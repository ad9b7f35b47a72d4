"""Playlists as two flat arrays: all songs end to end, and where each playlist begins."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from song2vec.errors import DataError

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Ragged:
    """Lists of different lengths, laid end to end.

    Attributes:
        flat: int64 (rows,), the items of all lists.
        offsets: int64 (lists + 1,); list ``i`` is ``flat[offsets[i]:offsets[i + 1]]``.
    """

    flat: Ints
    offsets: Ints

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> Ints:
        """int64 (lists,)."""
        return np.diff(self.offsets)

    @property
    def owners(self) -> Ints:
        """int64 (rows,), for each item the number of its list."""
        return np.repeat(np.arange(len(self)), self.lengths)

    def lists(self) -> list[Ints]:
        """The lists as views of `flat`."""
        return np.split(self.flat, self.offsets[1:-1]) if len(self) else []

    def where(self, keep: NDArray[np.bool_]) -> "Ragged":
        """The same lists with only the items where `keep`, bool (rows,), is true."""
        kept = np.concatenate([[0], np.cumsum(keep)])
        return Ragged(self.flat[keep], kept[self.offsets])

    def only(self, lists: NDArray[np.bool_]) -> "Ragged":
        """Only the lists where `lists`, bool (lists,), is true."""
        lengths = self.lengths[lists]
        return Ragged(self.flat[np.repeat(lists, self.lengths)], np.concatenate([[0], np.cumsum(lengths)]))

    def replaced(self, flat: Ints) -> "Ragged":
        """The same lists with other items, int64 (rows,)."""
        return Ragged(flat, self.offsets)


@dataclass(frozen=True)
class Vocabulary:
    """The songs that get a vector, most frequent first, equally frequent ones by number.

    Attributes:
        songs: int64 (songs,).
        counts: int64 (songs,), how often each occurs.
    """

    songs: Ints
    counts: Ints

    def rows_of(self, songs: Ints) -> Ints:
        """The row of each of `songs`, int64 of the same shape; -1 where a song is not in the vocabulary."""
        order = np.argsort(self.songs)
        place = np.minimum(np.searchsorted(self.songs, songs, sorter=order), len(order) - 1)
        rows = order[place]
        return np.where(self.songs[rows] == songs, rows, -1)


def read_playlists(path: Path, without: Path | None = None) -> Ragged:
    """Read ``playlists.parquet``, leaving out the playlists that are held out.

    A held-out playlist is known by (source, category). A held-out file that has no ``source`` leaves a category
    out whatever its source: rather a playlist too few than one that was trained on and measured with.

    Args:
        path: columns source, category, songs (tables.PLAYLISTS); songs are a list of int64.
        without: columns category and, if the file has it, source.

    Raises:
        DataError: a file cannot be read, a column is missing or of another type, no playlist is left.
    """
    names = ["category", "songs"]
    if without is not None:
        heldout = _read(without, ["category"], optional="source")
        names += [name for name in heldout.column_names if name == "source"]
    table = _read(path, names)
    total = table.num_rows
    if without is not None:
        table = table.filter(pc.invert(pc.is_in(_identity(table), value_set=_identity(heldout))))
    if table.num_rows == 0:
        raise DataError(
            f"{path}: found {total:,} playlists, {total:,} of them held out; expected at least one to train on. "
            "Collect more playlists, or lower holdout.share."
        )
    return _ragged(table, "songs", path)


def read_heldout(path: Path) -> tuple[Ragged, Ragged]:
    """Read the shown and the hidden songs of the held-out playlists.

    Args:
        path: columns shown and hidden, lists of int64 (tables.HELDOUT).

    Raises:
        DataError: the file cannot be read, a column is missing or of another type, there is no playlist.
    """
    table = _read(path, ["shown", "hidden"])
    if table.num_rows == 0:
        raise DataError(f"{path}: found no held-out playlist to measure with; raise holdout.share")
    return _ragged(table, "shown", path), _ragged(table, "hidden", path)


def count_songs(playlists: Ragged, min_count: int) -> Vocabulary:
    """Count the songs and keep those that occur at least `min_count` times."""
    songs, counts = np.unique(playlists.flat, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    order = order[counts[order] >= min_count]
    return Vocabulary(songs[order], counts[order].astype(np.int64))


def _read(path: Path, names: Sequence[str], optional: str | None = None) -> Any:
    try:
        found = pq.read_schema(path).names
        missing = [name for name in names if name not in found]
        if missing:
            raise DataError(f"{path}: has the columns {', '.join(found)}; expected also {', '.join(missing)}")
        return pq.read_table(path, columns=[*names, *([optional] if optional in found else [])])
    except FileNotFoundError:
        raise DataError(f"{path} does not exist: run the stage before, or check the path") from None
    except pa.ArrowInvalid as error:
        raise DataError(f"{path} is not a readable Parquet file ({error}): make it again") from None


def _identity(table: Any) -> Any:
    """One text a playlist: its category, with its source before it where the table has one."""
    category = pc.cast(table["category"], pa.string())
    if "source" not in table.column_names:
        return category
    return pc.binary_join_element_wise(pc.cast(table["source"], pa.string()), category, "\0")


def _ragged(table: Any, name: str, path: Path) -> Ragged:
    column = table[name]
    kind = column.type
    if not ((pa.types.is_list(kind) or pa.types.is_large_list(kind)) and pa.types.is_int64(kind.value_type)):
        raise DataError(f"{path}: column {name} is {kind}; expected list<int64>. Make the file with song2vec prepare.")
    flat = pc.list_flatten(column)
    if column.null_count or flat.null_count:
        raise DataError(f"{path}: column {name} has empty (null) values; expected a list of numbers in every row")
    lengths = pc.list_value_length(column).to_numpy()
    return Ragged(flat.to_numpy(), np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]))
