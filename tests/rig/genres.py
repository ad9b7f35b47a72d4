"""Playlists whose right answer is known by construction: each is drawn from one genre, and genres share no song."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from song2vec.playlists.tables import HELDOUT, PLAYLISTS

GENRE_SIZE = 15


def genre_of(song: int) -> int:
    """Songs 1000..1014 are genre 1, 2000..2014 genre 2, and so on."""
    return song // 1000


def genre_playlists(playlists: int, genres: int = 2, length: int = 8, seed: int = 1) -> list[list[int]]:
    rng = np.random.default_rng(seed)
    return [
        (1000 * (1 + number % genres) + rng.choice(GENRE_SIZE, length, replace=False)).tolist()
        for number in range(playlists)
    ]


def write_playlists(path: Path, playlists: Sequence[Sequence[int]], source: str = "csv") -> Path:
    rows = [
        {"source": source, "category": f"p{number}", "songs": list(songs)} for number, songs in enumerate(playlists)
    ]
    pq.write_table(pa.Table.from_pylist(rows, schema=PLAYLISTS), path)
    return path


def write_heldout(path: Path, playlists: dict[str, tuple[list[int], list[int]]], source: str = "csv") -> Path:
    """`playlists`: by category, the shown and the hidden songs."""
    rows = [
        {"source": source, "category": category, "shown": shown, "hidden": hidden}
        for category, (shown, hidden) in playlists.items()
    ]
    pq.write_table(pa.Table.from_pylist(rows, schema=HELDOUT), path)
    return path
