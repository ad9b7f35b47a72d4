"""Playlists as two flat arrays, all songs end to end and where each playlist begins; and the songs that get a row."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Ragged:
    """Lists of different lengths, laid end to end.

    Attributes:
        flat: int64 or, where there are many, int32 (rows,), the items of all lists.
        offsets: int64 or, where there are many, uint32 (lists + 1,); list ``i`` is ``flat[offsets[i]:offsets[i + 1]]``.
    """

    flat: NDArray[Any]
    offsets: NDArray[Any]

    @classmethod
    def joined(cls, parts: Iterable["Ragged"]) -> "Ragged":
        """The lists of all `parts`, at least one, one after the other."""
        parts = list(parts)
        lengths = np.concatenate([part.lengths for part in parts])
        return cls(np.concatenate([part.flat for part in parts]), np.concatenate([[0], np.cumsum(lengths)]))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> Ints:
        """int64 (lists,)."""
        return np.diff(self.offsets).astype(np.int64, copy=False)

    @property
    def owners(self) -> Ints:
        """int64 (rows,), for each item the number of its list."""
        return np.repeat(np.arange(len(self)), self.lengths)

    def lists(self) -> list[NDArray[Any]]:
        """The lists as views of `flat`."""
        return np.split(self.flat, self.offsets[1:-1]) if len(self) else []

    def where(self, keep: NDArray[np.bool_]) -> "Ragged":
        """The same lists with only the items where `keep`, bool (rows,), is true."""
        counts = np.concatenate([[0], np.cumsum(keep)])  # items to keep before each
        return Ragged(self.flat[keep], counts[self.offsets])

    def only(self, lists: NDArray[np.bool_]) -> "Ragged":
        """Only the lists where `lists`, bool (lists,), is true."""
        lengths = self.lengths
        offsets = np.concatenate([[0], np.cumsum(lengths[lists])])
        return Ragged(self.flat[np.repeat(lists, lengths)], offsets)

    def replaced(self, flat: NDArray[Any]) -> "Ragged":
        """The same lists with other items, (rows,)."""
        return Ragged(flat, self.offsets)


@dataclass(frozen=True)
class Vocabulary:
    """Songs and how often they occur, most frequent first, equally frequent ones by number.

    Attributes:
        songs: int64 (songs,).
        counts: int64 (songs,), how often each occurs.
    """

    songs: Ints
    counts: Ints

    def seen(self, times: int) -> "Vocabulary":
        """Only the songs that occur at least `times` times."""
        enough = self.counts >= times
        return Vocabulary(self.songs[enough], self.counts[enough])

    def rows_of(self, songs: Ints) -> Ints:
        """The row of each of `songs`, int64 (n,); -1 where a song is not in the vocabulary."""
        return self.row_finder()(songs)

    def counts_of(self, songs: Ints) -> Ints:
        """How often each of `songs`, int64 (n,), occurs; 0 where a song is not in the vocabulary."""
        return np.append(self.counts, 0)[self.rows_of(songs)]

    def songs_of(self, rows: Ints) -> Ints:
        """The songs of `rows`, int64 of any shape; -1 stays -1."""
        return np.append(self.songs, -1)[rows]

    def known(self, playlists: Ragged) -> Ragged:
        """The playlists as rows; songs that are not in the vocabulary are left out."""
        rows = self.rows_of(playlists.flat)
        return playlists.replaced(rows).where(rows >= 0)

    def row_finder(self) -> Callable[[Ints], Ints]:
        """`rows_of` for many calls: the songs are sorted once for all of them."""
        order = np.argsort(self.songs)
        ascending = self.songs[order]

        def rows_of(songs: Ints) -> Ints:
            by_number = np.argsort(songs)  # numbers in order are found ten times as fast
            numbers = songs[by_number]
            place = np.minimum(np.searchsorted(ascending, numbers), len(order) - 1)
            rows = np.empty_like(songs)
            rows[by_number] = np.where(ascending[place] == numbers, order[place], -1)
            return rows

        return rows_of
