"""Row by row, as any database gives a table or a query, and what its driver gives as Arrow columns."""

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, CursorResult

from song2vec.errors import SourceError
from song2vec.extract.playlist_table import PlaylistTable
from song2vec.settings import ExtractSettings


def rows_one_by_one(connection: Connection, settings: ExtractSettings) -> Iterator[tuple[pa.Array, pa.Array]]:
    """Categories and songs, two arrays of one length, of int64 or text: `fetch_rows` rows at a time, in order.

    Raises:
        SourceError: the query yields another number of columns.
        DBAPIError: the database refuses or is gone.
    """
    streamed = connection.execution_options(yield_per=settings.fetch_rows)
    if settings.query:
        # No parameters: a colon or a per cent sign in the user's query means what it means to the database.
        result = streamed.exec_driver_sql(settings.query, execution_options={"no_parameters": True})
    else:
        result = streamed.execute(PlaylistTable.of(connection, settings).rows())
    _check_columns(result)
    for rows in result.partitions(settings.fetch_rows):
        columns = list(zip(*rows, strict=True))
        yield as_column(columns[0]), as_column(columns[-1])


def as_column(values: Sequence[Any]) -> pa.Array:
    """The values of one column: int64 where all are whole numbers, else as text; without a loop in either case."""
    kinds = set(map(type, values))
    if kinds == {int}:
        try:
            return pa.array(values, pa.int64())
        except OverflowError:
            pass
    if kinds == {str}:
        return pa.array(values, pa.string())
    return pa.array([_text(value) for value in values], pa.string())


def _check_columns(result: CursorResult[Any]) -> None:
    names = list(result.keys()) if result.returns_rows else []
    if len(names) not in (2, 3):
        raise SourceError(
            f"extract.query yields {len(names)} columns{': ' + ', '.join(names) if names else ''}; "
            "expected playlist id, position, song, or playlist id, song"
        )


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)
