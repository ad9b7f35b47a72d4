"""Playlists out of a database, as they are: streamed from one snapshot into ``playlists.parquet``."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import structlog
from sqlalchemy import ColumnClause, Connection, CursorResult, Engine, Select, column, quoted_name, select, table

from song2vec.config import ExtractSettings
from song2vec.errors import SourceError
from song2vec.files import write_json
from song2vec.progress import track
from song2vec.raw import raw_file
from song2vec.source import cut, open_engine, snapshot

__all__ = ["extract", "open_engine"]

log = structlog.get_logger(__name__)


def extract(engine: Engine, out: Path, settings: ExtractSettings) -> dict[str, Any]:
    """Stream the rows of the settings' table or query to ``out/playlists.parquet``, in playlist order.

    All rows are of one instant. Memory holds ``fetch_rows`` rows at a time, whatever the table's size.
    The record of it is written to ``out/extract.json``.

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
    log.info("reading the database", table=file, fetch_rows=settings.fetch_rows)
    path = out / "playlists.parquet"
    with (
        raw_file(path, "mariadb", file) as writer,
        snapshot(engine, settings) as connection,
        track("extract", "rows") as advance,
    ):
        for categories, songs in _chunks(connection, settings):
            first = writer.rows + 1
            writer.write(range(first, first + len(songs)), _texts(categories), _texts(songs))
            advance(len(songs))
    record = {"name": path.name, "source": "mariadb", "file": file, "rows": writer.rows}
    write_json(out / "extract.json", record)
    if not writer.rows:
        log.warning("the database gave no rows", table=file)
    log.info(
        "the database is read",
        rows=writer.rows,
        bytes=path.stat().st_size,
        seconds=round(time.monotonic() - started, 1),
    )
    return record


def _chunks(connection: Connection, settings: ExtractSettings) -> Iterator[tuple[Sequence[Any], Sequence[Any]]]:
    """Playlist ids and songs, `fetch_rows` at a time."""
    streamed = connection.execution_options(yield_per=settings.fetch_rows)
    if settings.query:
        # No parameters: a colon or a per cent sign in the user's query means what it means to the database.
        result = streamed.exec_driver_sql(settings.query, execution_options={"no_parameters": True})
    else:
        result = streamed.execute(_of_table(settings))
    try:
        _check_columns(result)
        for rows in result.partitions(settings.fetch_rows):
            columns = list(zip(*rows, strict=True))
            yield columns[0], columns[-1]
    except BaseException:  # the task was stopped, or its disk is full: do not wait for the rows not yet read
        cut(connection)
        raise


def _of_table(settings: ExtractSettings) -> Select[Any]:
    schema, _, name = settings.table.rpartition(".")
    playlist, song = _column(settings.playlist_column), _column(settings.song_column)
    position = _column(settings.position_column)
    # Columns that belong to a table are written "table"."column": SQLite takes a "column" that it does
    # not know for a text.
    table(quoted_name(name, True), playlist, song, position, schema=quoted_name(schema, True) if schema else None)
    query = select(playlist, song)
    return query.order_by(playlist, position) if settings.position_column else query


def _column(name: str) -> ColumnClause[Any]:
    return column(quoted_name(name, True))


def _check_columns(result: CursorResult[Any]) -> None:
    found = list(result.keys()) if result.returns_rows else []
    if len(found) not in (2, 3):
        raise SourceError(
            f"extract.query yields {len(found)} columns{': ' + ', '.join(found) if found else ''}; "
            "expected playlist id, position, song, or playlist id, song"
        )


def _texts(values: Sequence[Any]) -> pa.Array:
    """The values of one column as a string array; whole numbers and text, the usual case, without a loop."""
    kinds = set(map(type, values))
    if kinds == {int}:
        try:
            return pa.array(values, pa.int64()).cast(pa.string())
        except OverflowError:
            pass
    if kinds == {str}:
        return pa.array(values, pa.string())
    return pa.array([_text(value) for value in values], pa.string())


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)
