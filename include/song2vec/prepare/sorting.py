"""A sort on disk: songs come row by row and go out playlist by playlist.

Each song is moved twice: to the part of the playlists that its own is in, then to its place there. A part fits
in memory, whatever the number of rows. Runs are sorted, rows of one playlist that stand together: there are
few of them where the source writes its playlists one after the other, as most do.
"""

from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


class Sorter:
    """Takes the songs of playlists that are numbered from 0 and gives them out in the playlists' order."""

    def __init__(self, folder: Path, lengths: NDArray[np.int64], part_songs: int) -> None:
        """Cut the playlists into parts.

        Args:
            folder: an empty one, for the parts.
            lengths: int64 (playlists,): how many songs will come for each.
            part_songs: how many songs a part has, apart from the rest of its last playlist.
        """
        self._folder = folder
        ends = np.cumsum(lengths)
        cuts = np.searchsorted(ends, np.arange(part_songs, ends[-1], part_songs))
        self._bounds = np.unique([0, *(cuts + 1), len(lengths)])

    def add(self, playlists: NDArray[np.int32], songs: NDArray[np.int64]) -> None:
        """Take songs, int64, and the playlist of each, int32; the songs of one playlist come in row order."""
        starts = np.flatnonzero(np.diff(playlists, prepend=-1))
        runs = np.stack([playlists[starts], np.diff(starts, append=len(playlists))], axis=1, dtype=np.int32)
        part = np.searchsorted(self._bounds, runs[:, 0], side="right") - 1
        if len(self._bounds) > 2:
            order = np.argsort(part.astype(np.min_scalar_type(len(self._bounds))), kind="stable")
            part, runs = part[order], runs[order]
            songs = _pieces(songs, starts[order], runs[:, 1])
        ends = np.concatenate([[0], np.cumsum(runs[:, 1], dtype=np.int64)])
        cuts = np.searchsorted(part, np.arange(len(self._bounds)))
        for number in np.flatnonzero(np.diff(cuts)):
            first, end = cuts[number], cuts[number + 1]
            self._append(f"{number}.runs", runs[first:end])
            self._append(f"{number}.songs", songs[ends[first] : ends[end]])

    @property
    def parts(self) -> list[tuple[int, int]]:
        """The first playlist of each part, and the one after its last."""
        return list(pairwise(self._bounds.tolist()))

    def songs(self, number: int) -> NDArray[np.int64]:
        """The songs of a part in the order of the playlists."""
        runs = np.fromfile(self._folder / f"{number}.runs", np.int32).reshape(-1, 2)
        songs = np.fromfile(self._folder / f"{number}.songs", np.int64)
        # Sorting number and place as one is stable, and five times as fast as argsort(kind="stable").
        order = np.sort(runs[:, 0].astype(np.int64) << 32 | np.arange(len(runs))) & 0xFFFFFFFF
        starts = np.cumsum(runs[:, 1], dtype=np.int64) - runs[:, 1]
        return _pieces(songs, starts[order], runs[order, 1])

    def _append(self, name: str, values: NDArray[np.int32] | NDArray[np.int64]) -> None:
        with (self._folder / name).open("ab") as file:
            values.tofile(file)


def _pieces(values: NDArray[np.int64], starts: NDArray[np.int64], lengths: NDArray[np.int32]) -> NDArray[np.int64]:
    """Pieces of `values` one after the other."""
    ends = np.cumsum(lengths, dtype=np.int64)
    index = np.repeat(starts - (ends - lengths), lengths)
    index += np.arange(len(index))
    pieces: NDArray[np.int64] = values[index]
    return pieces
