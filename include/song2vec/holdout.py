"""Which playlists are never trained on, and which half of each a model must guess.

Both choices follow from digests of the seed, the playlist's identity and the song, so they do not depend on
the order of the data, the machine or the version of a library; a playlist that was held out yesterday is
held out today, while the number of playlists is about the same.

The file says by which rule it was chosen, and the rule stays with the model that was trained without these
playlists: from it follows which playlists of a later day that model cannot have been trained on.
"""

import glob
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from song2vec.config import HoldoutSettings
from song2vec.files import whole_file
from song2vec.tables import HELDOUT

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_KEY = "song2vec.holdout"  # in the metadata of the file


@dataclass(frozen=True)
class HoldoutRule:
    """Every playlist whose digest is at most `up_to` was held out.

    Attributes:
        seed: of the choice.
        up_to: the highest digest that was chosen, 64 hexadecimal digits.
    """

    seed: int
    up_to: str

    def holds_out(self, source: str, category: str) -> bool:
        """Whether the playlist was not trained on, had it been there or not."""
        return _digest(self.seed, source, category) <= self.up_to

    def to_json(self) -> dict[str, Any]:
        """As it stands in ``training.json``."""
        return asdict(self)

    @classmethod
    def from_json(cls, record: Any) -> "HoldoutRule | None":
        """The rule in a record; None where it holds none."""
        match record:
            case {"seed": int(seed), "up_to": str(up_to)}:
                return cls(seed, up_to)
        return None


def read_rule(path: Path) -> HoldoutRule | None:
    """The rule by which the playlists of the file `path` were chosen; None where it does not say it."""
    metadata: Mapping[bytes, bytes] = pq.read_metadata(path).metadata or {}
    return HoldoutRule.from_json(json.loads(metadata.get(_KEY.encode(), b"null")))


def hold_out(database: "DuckDBPyConnection", playlists: Path, out: Path, settings: HoldoutSettings) -> int:
    """Choose playlists of `playlists` (``tables.PLAYLISTS``) and write them and the rule to `out` (``tables.HELDOUT``).

    The share is rounded to whole playlists and cut to ``max_playlists``; a playlist of one song, however
    often repeated, cannot be halved and is never chosen. Rows are in the order of (source, category).

    Args:
        database: runs the choice.
        playlists: the prepared playlists; they stay as they are.
        out: the file to write.
        settings: how many, and the seed.

    Returns:
        How many playlists are held out.
    """
    total = pq.read_metadata(playlists).num_rows
    wanted = min(round(total * settings.share), settings.max_playlists)
    chosen = database.sql(
        """
        SELECT source, category, songs, digest FROM (
            SELECT *, sha256(concat_ws('/', $seed, source, category)) AS digest
            FROM read_parquet($playlists, hive_partitioning = false)
            WHERE list_min(songs) < list_max(songs)
            ORDER BY digest, source, category LIMIT $wanted
        ) ORDER BY source, category
        """,
        params={"playlists": glob.escape(str(playlists)), "seed": str(settings.seed), "wanted": wanted},
    )
    count, up_to = 0, ""
    with whole_file(out) as temporary, pq.ParquetWriter(temporary, HELDOUT) as writer:
        for batch in chosen.to_arrow_reader(10_000):
            writer.write_batch(_halved(batch, settings.seed))
            count, up_to = count + batch.num_rows, max([up_to, *batch["digest"].to_pylist()])
        writer.add_key_value_metadata({_KEY: json.dumps(HoldoutRule(settings.seed, up_to).to_json())})
    return count


def halve(source: str, category: str, songs: list[int], seed: int) -> tuple[list[int], list[int]]:
    """Split a playlist into what is shown and what is hidden, each in playlist order.

    Half of the distinct songs are hidden, the smaller half where they are odd. All repeats of a song are on
    one side: a model that is shown a song does not recommend it, so it could never guess it.
    """

    def rank(song: int) -> bytes:
        return sha256(f"{seed}/{source}/{category}/{song}".encode()).digest()

    distinct = sorted(set(songs), key=rank)
    hidden = set(distinct[: len(distinct) // 2])
    return [song for song in songs if song not in hidden], [song for song in songs if song in hidden]


def _digest(seed: int, source: str, category: str) -> str:
    """What the query of `hold_out` orders by."""
    return sha256(f"{seed}/{source}/{category}".encode()).hexdigest()


def _halved(batch: pa.RecordBatch, seed: int) -> pa.RecordBatch:
    rows = [
        {"source": row["source"], "category": row["category"], "shown": shown, "hidden": hidden}
        for row in batch.to_pylist()
        for shown, hidden in [halve(row["source"], row["category"], row["songs"], seed)]
    ]
    return pa.RecordBatch.from_pylist(rows, schema=HELDOUT)
