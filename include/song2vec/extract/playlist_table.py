"""The settings' table: its names, quoted, and the order in which its rows are read."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnClause,
    ColumnElement,
    Connection,
    LargeBinary,
    Select,
    cast,
    column,
    quoted_name,
    select,
    table,
)

from song2vec.settings import ExtractSettings


@dataclass(frozen=True)
class PlaylistTable:
    """A table with one row a song, as SQLAlchemy's columns.

    Attributes:
        name: the table, with its schema where the settings name one, quoted for the database.
        order: what the rows of one playlist are sorted by: the position and, where two rows may share one,
            the song's bytes, so that reading again gives the same rows in the same order. Empty without a position.
    """

    name: str
    playlist: ColumnClause[Any]
    song: ColumnClause[Any]
    order: tuple[ColumnElement[Any], ...]

    @classmethod
    def of(cls, connection: Connection, settings: ExtractSettings) -> "PlaylistTable":
        """Look at the table that the settings name.

        Raises:
            DBAPIError: there is no such table, or this user may not read it.
        """
        schema, _, name = settings.table.rpartition(".")
        # Columns that belong to a table are written "table"."column": SQLite takes an unknown "column"
        # for a text.
        playlist, song = _column(settings.playlist_column), _column(settings.song_column)
        position = _column(settings.position_column)
        rows = table(
            quoted_name(name, True), playlist, song, position, schema=quoted_name(schema, True) if schema else None
        )
        quoted = connection.dialect.identifier_preparer.format_table(rows)
        if not settings.position_column:
            return cls(quoted, playlist, song, ())
        if connection.dialect.name not in ("mysql", "mariadb"):
            return cls(quoted, playlist, song, (position, song))
        # MariaDB sorts again, instead of following the index, when told to sort by more than a unique key.
        unique = _one_song_a_position(connection, quoted, settings)
        return cls(quoted, playlist, song, (position,) if unique else (position, cast(song, LargeBinary)))

    def rows(self) -> Select[Any]:
        """Playlist and song of all rows, by playlist, each in its order; as the table has them without a position."""
        query = select(self.playlist, self.song)
        return query.order_by(self.playlist, *self.order) if self.order else query


def _column(name: str) -> ColumnClause[Any]:
    return column(quoted_name(name, True))


def _one_song_a_position(connection: Connection, name: str, settings: ExtractSettings) -> bool:
    """Whether a unique key without NULLs allows a playlist only one song at each position."""
    columns: dict[str, set[str]] = {}
    for index in connection.exec_driver_sql(f"SHOW INDEX FROM {name}").mappings():
        # A key over a part of a text (Sub_part), or over what may be NULL, does not say that whole values differ.
        whole = not index["Non_unique"] and not index["Null"] and index["Sub_part"] is None
        columns.setdefault(index["Key_name"], set()).add(index["Column_name"].casefold() if whole else "")
    key = {settings.playlist_column.casefold(), settings.position_column.casefold()}
    return any(names <= key for names in columns.values())
