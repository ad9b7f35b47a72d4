"""Playlists out of a database, as they are: streamed from one snapshot into ``playlists.parquet``."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import structlog
from sqlalchemy import Engine

from song2vec.extract.by_playlist import NotExactError, can_aggregate, whole_playlists
from song2vec.extract.by_row import rows_one_by_one
from song2vec.extract.engine import cut, snapshot
from song2vec.plumbing.files import write_json
from song2vec.plumbing.progress import track
from song2vec.raw import raw_file
from song2vec.settings import ExtractSettings

log = structlog.get_logger(__name__)


def extract(engine: Engine, out: Path, settings: ExtractSettings) -> dict[str, Any]:
    """Stream the rows of the settings' table or query to ``out/playlists.parquet``, in playlist order.

    All rows are as of one instant. Memory holds ``fetch_rows`` rows at a time, whatever the table's size.
    On MariaDB a table with a position column is read a playlist at a time, which is faster; where nothing proves that
    this gives the same rows, they are read one by one, again from the beginning.
    The record is also written to ``out/extract.json``.

    Args:
        engine: from `open_engine`.
        out: folder to write to; other files in it stay.
        settings: what to read.

    Returns:
        ``{"name": "playlists.parquet", "source": "mariadb", "file": table or "query", "rows": …}``.

    Raises:
        SourceUnavailableError: the database is gone, slow or locked; nothing is written, try again.
        SourceError: the database refuses the password, the table, a column or the query.
    """
    started = time.monotonic()
    file = "query" if settings.query else settings.table
    path = out / "playlists.parquet"
    try:
        rows = _copy(engine, path, file, settings, aggregate=True)
    except NotExactError as why:
        log.info("the rows are read one by one, from the beginning", table=file, reason=str(why))
        rows = _copy(engine, path, file, settings, aggregate=False)
    record = {"name": path.name, "source": "mariadb", "file": file, "rows": rows}
    write_json(out / "extract.json", record)
    if not rows:
        log.warning("the database gave no rows", table=file)
    log.info(
        "the database is read",
        rows=rows,
        bytes=path.stat().st_size,
        seconds=round(time.monotonic() - started, 1),
    )
    return record


def _copy(engine: Engine, path: Path, file: str, settings: ExtractSettings, *, aggregate: bool) -> int:
    """Write the rows of one snapshot, by playlist if `aggregate` is set and the database can; return how many."""
    with (
        raw_file(path, "mariadb", file) as writer,
        snapshot(engine, settings) as connection,
        track("extract", "rows") as advance,
    ):
        by_playlist = aggregate and can_aggregate(connection, settings)
        read, way = (whole_playlists, "by playlist") if by_playlist else (rows_one_by_one, "row by row")
        log.info("reading the database", table=file, way=way, fetch_rows=settings.fetch_rows)
        batches = read(connection, settings)  # named: its result must outlive the loop, for `cut`
        try:
            for categories, songs in batches:
                lines = np.arange(writer.rows + 1, writer.rows + 1 + len(songs))
                writer.write(lines, categories, songs)
                advance(len(songs))
        except BaseException:  # the task was stopped, or its disk is full: do not wait for the rows not yet read
            cut(connection)
            raise
    return writer.rows
