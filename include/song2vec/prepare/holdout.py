"""Which playlists are never trained on, and which half of each a model must guess.

Both choices follow from digests of the seed, the playlist's identity and the song, so they do not depend on
the order of the data, the machine or the version of a library; a playlist that was held out yesterday is
held out today, as long as there are about as many playlists.

The file says which rule it was chosen by. The rule stays with the model that was trained without these playlists:
it tells which playlists of a later day that model cannot have been trained on.
"""

import glob
import json
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from song2vec.playlists.holdout_rule import KEY, HoldoutRule
from song2vec.playlists.tables import HELDOUT
from song2vec.plumbing.files import whole_file
from song2vec.settings import HoldoutSettings

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


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
    most = min(round(total * settings.share), settings.max_playlists)
    choice = database.sql(
        """
        SELECT source, category, songs, digest FROM (
            SELECT *, sha256(concat_ws('/', $seed, source, category)) AS digest
            FROM read_parquet($playlists, hive_partitioning = false)
            WHERE list_min(songs) < list_max(songs)
            ORDER BY digest, source, category LIMIT $most
        ) ORDER BY source, category
        """,
        params={"playlists": glob.escape(str(playlists)), "seed": str(settings.seed), "most": most},
    )
    count, up_to = 0, ""
    with whole_file(out) as temporary, pq.ParquetWriter(temporary, HELDOUT) as writer:
        for batch in choice.to_arrow_reader(10_000):
            writer.write_batch(_halved(batch, settings.seed))
            count, up_to = count + batch.num_rows, max([up_to, *batch["digest"].to_pylist()])
        writer.add_key_value_metadata({KEY: json.dumps(HoldoutRule(settings.seed, up_to).to_json())})
    return count


def halve(source: str, category: str, songs: list[int], seed: int) -> tuple[list[int], list[int]]:
    """Split a playlist into what is shown and what is hidden, each in playlist order.

    Half of the distinct songs are hidden, the smaller half where their number is odd. All repeats of a song are on
    one side: a model that is shown a song does not recommend it, so it could never guess it.
    """

    def rank(song: int) -> bytes:
        return sha256(f"{seed}/{source}/{category}/{song}".encode()).digest()

    distinct = sorted(set(songs), key=rank)
    hidden = set(distinct[: len(distinct) // 2])
    return [song for song in songs if song not in hidden], [song for song in songs if song in hidden]


def _halved(batch: pa.RecordBatch, seed: int) -> pa.RecordBatch:
    rows = [
        {"source": row["source"], "category": row["category"], "shown": shown, "hidden": hidden}
        for row in batch.to_pylist()
        for shown, hidden in [halve(row["source"], row["category"], row["songs"], seed)]
    ]
    return pa.RecordBatch.from_pylist(rows, schema=HELDOUT)
