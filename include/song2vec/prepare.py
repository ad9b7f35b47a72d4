"""Raw rows become playlists; every row that is left out goes to the quarantine with its reason.

DuckDB judges, sorts and groups, on all cores, and puts on disk what does not fit in memory. It reads the
raw files three times, so that no copy of them is kept: once to count, once to sort the songs that stay,
once for the quarantine.
"""

import glob
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import structlog

from song2vec import songs
from song2vec.config import PrepareSettings, Settings
from song2vec.distinct import DistinctNumbers
from song2vec.errors import DataError, SettingsError
from song2vec.files import whole_folder, write_json
from song2vec.fingerprint import Fingerprint
from song2vec.funnel import RULES, Funnel, funnel_table
from song2vec.holdout import hold_out
from song2vec.logs import fold
from song2vec.progress import track
from song2vec.tables import PLAYLISTS, QUARANTINE, RAW

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

log = structlog.get_logger(__name__)

BATCH_PLAYLISTS = 10_000
BATCH_ROWS = 100_000
NAME = "coalesce(category, category_number::VARCHAR)"
SAME_PLAYLIST = """(judged.source = playlists.source
    AND judged.category_number IS NOT DISTINCT FROM playlists.category_number
    AND judged.category IS NOT DISTINCT FROM playlists.category)"""
ROW_RULES = list(RULES)[:-1]  # the last rule, short_playlist, judges playlists


def prepare(raw: Sequence[Path], out: Path, settings: Settings) -> dict[str, Any]:
    """Make playlists of raw rows, as the original pipeline did, and account for every row.

    A playlist is what has one (source, category). Its songs are in row order: files by name, rows by line.
    Repeats of a song stay. Rules, in order, are those of ``funnel.RULES``; what a song is, is in ``songs``.

    Args:
        raw: raw Parquet files (``tables.RAW``) and folders of them, in any order.
        out: folder to write, whole: ``playlists.parquet`` and ``quarantine.parquet``, sorted, so that their
            bytes do not depend on the order of `raw` or the number of threads, ``heldout.parquet``,
            ``funnel.json``.
        settings: the sections ``prepare`` and ``holdout``.

    Returns:
        What ``funnel.json`` holds: ``{"rules": [{"rule", "rows_in", "rows_out", "rows_left_out",
        "playlists_in", "playlists_out", "playlists_left_out"}, …], "raw_rows", "rows", "playlists", "songs",
        "heldout", "fingerprint"}``; `songs` counts distinct songs.

    Raises:
        DataError: a raw file is missing or is none, or no playlist is left; the message shows the funnel.
        SettingsError: the memory of the settings is too little.
    """
    started = time.monotonic()
    files = raw_files(raw)
    log.info("preparing playlists", raw_files=len(files), min_songs=settings.prepare.min_songs)
    with whole_folder(out) as folder, _database(folder, settings.prepare) as database:
        _judge(database, files, settings.prepare)
        funnel = _count(database, settings.prepare.min_songs)
        table = funnel_table(funnel.to_record())
        if not funnel.playlists:
            raise DataError(f"no playlist is left. What became of the rows:\n{table}\nSee that the sources hold data")
        playlists = folder / "playlists.parquet"
        fingerprint, distinct = _write_playlists(database, playlists, funnel.rows)
        _write_quarantine(database, folder / "quarantine.parquet", settings.prepare.min_songs)
        record = {
            **funnel.to_record(),
            "songs": distinct,
            "heldout": hold_out(database, playlists, folder / "heldout.parquet", settings.holdout),
            "fingerprint": fingerprint,
        }
        write_json(folder / "funnel.json", record)
    fold("What became of the rows", table)
    log.info(
        "playlists are prepared",
        **{key: record[key] for key in ("raw_rows", "rows", "playlists", "songs", "heldout")},
        fingerprint=fingerprint[:8],
        seconds=round(time.monotonic() - started, 1),
    )
    return record


def raw_files(raw: Sequence[Path]) -> list[Path]:
    """The Parquet files that `raw`, files and folders, come to, each once.

    Raises:
        DataError: one does not exist, or is no file of raw rows; or there is none at all.
    """
    files: set[Path] = set()
    for path in raw:
        if not path.exists():
            raise DataError(f"there are no raw rows at {path}: run extract and collect first")
        files.update(found.resolve() for found in ([path] if path.is_file() else path.rglob("*.parquet")))
    if not files:
        raise DataError(f"there is no Parquet file in {', '.join(map(str, raw))}: run extract and collect first")
    for file in files:
        _check_schema(file)
    return sorted(files)


def _check_schema(file: Path) -> None:
    try:
        found = pq.read_schema(file)
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(f"{file} cannot be read as Parquet: {error}") from None
    if not found.equals(RAW):
        columns = ", ".join(f"{field.name} {field.type}" for field in found)
        raise DataError(f"{file} holds no raw rows, but the columns {columns}: give what extract and collect wrote")


@contextmanager
def _database(folder: Path, settings: PrepareSettings) -> Iterator["DuckDBPyConnection"]:
    import duckdb

    with TemporaryDirectory(dir=folder, prefix=".duckdb-") as spill:
        options: dict[str, Any] = {"memory_limit": settings.memory, "temp_directory": spill}
        if settings.threads:
            options["threads"] = settings.threads
        try:
            with closing(duckdb.connect(config=options)) as database:
                database.execute("SET enable_progress_bar = false")
                yield database
        except duckdb.OutOfMemoryException:
            raise SettingsError(f"prepare.memory = {settings.memory} is too little for this data: raise it") from None


def _judge(database: "DuckDBPyConnection", files: Sequence[Path], settings: PrepareSettings) -> None:
    """Make the view `judged`: every raw row with its song's number, or with the rule that leaves it out.

    Songs that came as numbers, nearly all, are judged without a look at text.
    """
    names = ", ".join(songs.quote(glob.escape(str(file))) for file in files)
    unknown = settings.unknown_song
    unknown_number = f"song_number = {int(unknown)}" if unknown.isascii() and unknown.isdecimal() else "false"
    database.execute(f"""
        CREATE VIEW raw AS FROM read_parquet([{names}], hive_partitioning = false);
        CREATE VIEW judged AS
        SELECT source, file, line, category_number, category, song_number, song,
            coalesce(nullif(song_number, 0), text_number) AS number,
            CASE WHEN problem IS NOT NULL THEN 'unreadable'
                 WHEN category_number IS NULL AND {songs.blank_sql("category")} THEN 'no_playlist'
                 WHEN {unknown_number} THEN 'unknown_song'
                 WHEN song_number > 0 THEN NULL
                 WHEN song_number = 0 THEN 'bad_song'
                 ELSE {songs.rule_sql("text", "text_number", unknown)} END AS reason
        FROM (
            SELECT *, {songs.number_sql("text")} AS text_number
            FROM (SELECT *, CASE WHEN song_number IS NULL THEN {songs.text_sql("song")} END AS text FROM raw)
        );
    """)


def _count(database: "DuckDBPyConnection", min_songs: int) -> Funnel:
    """Make the table `counted`, one row a playlist with its rows by rule and in all, and sum it up."""
    by_rule = ", ".join(f"count(*) FILTER (reason = '{rule}') AS {rule}" for rule in ROW_RULES)
    database.execute(f"""
        CREATE TABLE counted AS
        SELECT source, category_number, category, {by_rule}, count(*) FILTER (reason IS NULL) AS kept
        FROM judged GROUP BY ALL;
        CREATE TABLE playlists AS
        SELECT (row_number() OVER (ORDER BY source, name))::UINTEGER AS id,
            source, name, category_number, category, kept
        FROM (SELECT *, {NAME} AS name FROM counted) WHERE kept >= {min_songs};
        CREATE TABLE files AS
        SELECT (row_number() OVER (ORDER BY source, file))::UINTEGER AS position, source, file
        FROM (SELECT DISTINCT source, file FROM raw);
        CREATE VIEW kept_songs AS
        SELECT id, position, line, number AS song
        FROM judged JOIN playlists ON {SAME_PLAYLIST} JOIN files USING (file)
        WHERE reason IS NULL AND judged.source = files.source;
    """)
    steps = []
    named = f"NOT (category_number IS NULL AND {songs.blank_sql('category')})"
    for first in range(len(ROW_RULES) + 1):
        left = " + ".join([*ROW_RULES, "kept"][first:])  # rows that no rule before this one left out
        counts = f"coalesce(sum({left}), 0)::BIGINT, count(*) FILTER ({left} > 0 AND {named})"
        steps.append(_one(database, f"SELECT {counts} FROM counted"))
    steps.append(_one(database, "SELECT coalesce(sum(kept), 0)::BIGINT, count(*) FROM playlists"))
    rows, playlists = zip(*steps, strict=True)
    return Funnel.of(rows, playlists)


def _write_playlists(database: "DuckDBPyConnection", path: Path, rows: int) -> tuple[str, int]:
    """Write the playlists in the order of (source, category); return their fingerprint and the distinct songs.

    The songs come in one sorted stream, to be cut by the playlists' lengths: a sort goes to disk where it
    must, a list that grows in memory does not.
    """
    fingerprint, seen = Fingerprint(), DistinctNumbers()
    query = "SELECT song FROM kept_songs ORDER BY id, position, line"
    songs_in_order = _Stream(batch.column(0) for batch in _batches(database.cursor(), query, BATCH_ROWS))
    query = "SELECT source, name AS category, kept FROM playlists ORDER BY id"
    lists = _batches(database.cursor(), query, BATCH_PLAYLISTS)
    with pq.ParquetWriter(path, PLAYLISTS) as writer, track("prepare", "rows", rows) as advance:
        for batch in lists:
            offsets = np.concatenate([[0], np.cumsum(batch.column("kept").to_numpy())])
            values = songs_in_order.take(int(offsets[-1]))
            cut = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values)
            playlists = pa.record_batch([batch.column("source"), batch.column("category"), cut], schema=PLAYLISTS)
            fingerprint.update(playlists)
            seen.add(values)
            writer.write_batch(playlists)
            advance(len(values))
    return fingerprint.hexdigest(), len(seen.ascending())


def _write_quarantine(database: "DuckDBPyConnection", path: Path, min_songs: int) -> None:
    columns = """judged.source, file, line, coalesce(judged.category, judged.category_number::VARCHAR) AS category,
        coalesce(song, song_number::VARCHAR) AS value"""
    query = f"""
        SELECT {columns}, reason FROM judged WHERE reason IS NOT NULL
        UNION ALL
        SELECT {columns}, 'short_playlist' FROM judged JOIN counted AS playlists ON {SAME_PLAYLIST}
        WHERE reason IS NULL AND kept < {min_songs}
        ORDER BY ALL
    """
    with pq.ParquetWriter(path, QUARANTINE) as writer:
        for batch in _batches(database, query, BATCH_ROWS):
            writer.write_batch(batch.cast(QUARANTINE))


def _batches(database: "DuckDBPyConnection", query: str, rows: int) -> Iterator[pa.RecordBatch]:
    # Not execute().to_arrow_reader(): in DuckDB 2.0.0 it copies all rows first and, with
    # preserve_insertion_order off, loses the order that the query asked for.
    yield from database.sql(query).to_arrow_reader(rows)


def _one(database: "DuckDBPyConnection", query: str) -> tuple[int, ...]:
    (row,) = database.execute(query).fetchall()
    return tuple(row)


class _Stream:
    """Arrays in a row, to be taken in pieces of other sizes."""

    def __init__(self, arrays: Iterator[pa.Array]) -> None:
        self._arrays = arrays
        self._rest = pa.array([], pa.int64())

    def take(self, count: int) -> pa.Array:
        """The next `count` values."""
        pieces, missing = [self._rest], count - len(self._rest)
        while missing > 0:
            pieces.append(next(self._arrays))
            missing -= len(pieces[-1])
        together = pa.concat_arrays(pieces)
        self._rest = together[count:]
        return together[:count]
