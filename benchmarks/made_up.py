"""Made-up playlists to measure quality with, where there are no real ones: harder than the sample data, and larger."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from benchmarks.lines import SMALL

from song2vec.model import Floats
from song2vec.playlists.tables import HELDOUT, PLAYLISTS
from song2vec.prepare.holdout import halve

SINGER, GENRE = 20, 400  # songs
SONGS, PLAYLISTS_TO_TRAIN, HELD_OUT = (2_000, 600, 50) if SMALL else (10_000, 6_000, 500)  # the last two: playlists


def make_up(folder: Path) -> Path:
    """Write train.parquet, valid.parquet and test.parquet into the new `folder`, the same every time.

    A song's frequency has a long tail. A person picks 60 % from two to five singers of one genre, 25 % from the whole
    genre and 15 % from all songs, in any order.
    """
    random = np.random.default_rng(5)
    loved = random.lognormal(sigma=1.2, size=SONGS)
    playlists = [_one_playlist(random, loved) for _ in range(PLAYLISTS_TO_TRAIN + 2 * HELD_OUT)]
    folder.mkdir()
    rows = [{"source": "made up", "category": str(n), "songs": songs} for n, songs in enumerate(playlists)]
    pq.write_table(pa.Table.from_pylist(rows[:PLAYLISTS_TO_TRAIN], schema=PLAYLISTS), folder / "train.parquet")
    valid, test = rows[PLAYLISTS_TO_TRAIN:-HELD_OUT], rows[-HELD_OUT:]
    for name, part in (("valid", valid), ("test", test)):
        halves = [
            {"source": row["source"], "category": row["category"], "shown": shown, "hidden": hidden}
            for row in part
            for shown, hidden in [halve(row["source"], row["category"], row["songs"], seed=1)]
        ]
        pq.write_table(pa.Table.from_pylist(halves, schema=HELDOUT), folder / f"{name}.parquet")
    return folder


def _one_playlist(random: np.random.Generator, loved: Floats) -> list[int]:
    genre = GENRE * int(random.integers(SONGS // GENRE))
    singers = genre + SINGER * random.choice(GENRE // SINGER, random.integers(2, 6), replace=False)
    favourites = (singers[:, None] + np.arange(SINGER)).ravel()
    pools = (favourites, np.arange(genre, genre + GENRE), np.arange(SONGS))
    sizes = random.multinomial(5 + random.geometric(1 / 15), (0.6, 0.25, 0.15))
    drawn = [
        random.choice(pool, size, p=loved[pool] / loved[pool].sum()) for pool, size in zip(pools, sizes, strict=True)
    ]
    return list(dict.fromkeys((1_000 + random.permutation(np.concatenate(drawn))).tolist()))
