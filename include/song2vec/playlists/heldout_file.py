"""Held-out playlists, as they are read to measure a model with."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from song2vec.errors import DataError
from song2vec.playlists.corpus import Ragged
from song2vec.playlists.playlist_file import opened, ragged

Texts = NDArray[np.str_]


@dataclass(frozen=True)
class Heldout:
    """Playlists with one part of their songs shown and the other hidden.

    Attributes:
        shown: song numbers that a recommender is shown.
        hidden: song numbers that it has to find.
        sources: (playlists,), where each comes from; None where the file does not say.
        categories: (playlists,), the playlists' ids; None likewise.
    """

    shown: Ragged
    hidden: Ragged
    sources: Texts | None = None
    categories: Texts | None = None

    def __len__(self) -> int:
        return len(self.shown)

    def only(self, playlists: NDArray[np.bool_]) -> "Heldout":
        """Only the playlists where `playlists`, bool (playlists,), is true."""
        return replace(
            self,
            shown=self.shown.only(playlists),
            hidden=self.hidden.only(playlists),
            sources=None if self.sources is None else self.sources[playlists],
            categories=None if self.categories is None else self.categories[playlists],
        )


def read_heldout(path: Path) -> Heldout:
    """Read the held-out playlists.

    Args:
        path: columns shown and hidden, lists of int64, and, if the file has them, source and category
            (tables.HELDOUT).

    Raises:
        DataError: the file cannot be read, a column is missing or of another type, there is no playlist.
    """
    names = ["shown", "hidden"]
    with opened(path, names) as file:
        more = [name for name in ("source", "category") if name in file.schema_arrow.names]
        table = file.read([*names, *more])
    if table.num_rows == 0:
        raise DataError(f"{path}: found no held-out playlist to measure with; raise holdout.share")
    texts = {name: np.array(pc.cast(table[name], pa.string()).to_pylist(), str) for name in more}
    shown, hidden = (ragged(table[name].combine_chunks(), name, path) for name in names)
    return Heldout(shown, hidden, texts.get("source"), texts.get("category"))
