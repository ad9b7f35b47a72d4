"""One row a playlist: MariaDB puts the songs together, so that far fewer rows cross the wire.

Each playlist comes back as one text: the number of its rows, its id, and its songs, each followed by a mark.
Whatever can go wrong this way shows in the counts: a text cut at ``group_concat_max_len`` or at
``max_allowed_packet``, a song that contains the mark, different ids that a collation treats as equal. Then
`NotExactError` is raised, and the caller reads row by row (`by_row`). The rows that come out are exactly those that
reading row by row gives.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pymysql.constants import FIELD_TYPE as TYPE
from sqlalchemy import Connection, select

from song2vec.extract.by_row import as_column
from song2vec.extract.playlist_table import PlaylistTable
from song2vec.settings import ExtractSettings

LONGEST = 4 << 20
"""Longest text of one playlist, in bytes: some 600,000 songs; bounds the memory that one takes."""

_BATCH = 16 << 20  # characters of songs decoded at a time, and at most LONGEST more
_ROWS_AHEAD = 64  # playlists the driver holds
_MARK = "\x1f"  # follows each song; it is ASCII's unit separator
_SOME = "="  # before a text that is not NULL

_INTEGERS = {TYPE.TINY, TYPE.SHORT, TYPE.INT24, TYPE.LONG, TYPE.LONGLONG}
_TEXTS = {TYPE.VARCHAR, TYPE.VAR_STRING, TYPE.STRING, TYPE.BLOB, TYPE.TINY_BLOB, TYPE.MEDIUM_BLOB, TYPE.LONG_BLOB}
_SORT_ALIKE = _INTEGERS | {
    *(TYPE.DECIMAL, TYPE.NEWDECIMAL, TYPE.FLOAT, TYPE.DOUBLE),
    *(TYPE.DATE, TYPE.TIME, TYPE.DATETIME, TYPE.TIMESTAMP),
}
"""Types that GROUP_CONCAT sorts as a query does: not long texts: each compares only a part of them."""


class NotExactError(Exception):
    """Nothing proves that the server's aggregate is right: read row by row. The message says why."""


def can_aggregate(connection: Connection, settings: ExtractSettings) -> bool:
    """Whether playlists can be read this way: from a table with a position, on MariaDB."""
    is_mariadb = connection.dialect.name in ("mysql", "mariadb") and connection.dialect.driver == "pymysql"
    return is_mariadb and not settings.query and bool(settings.position_column)


def whole_playlists(connection: Connection, settings: ExtractSettings) -> Iterator[tuple[pa.Array, pa.Array]]:
    """Categories and songs, two arrays of one length, of int64 or text: the rows of whole playlists, in order.

    A yield holds some `fetch_rows` rows, fewer where songs are long, and up to one playlist more.

    Raises:
        NotExactError: at any time; what was yielded before is right, but may not be everything.
        DBAPIError: the database refuses or is gone.
    """
    plan = _plan(connection, PlaylistTable.of(connection, settings))
    connection.exec_driver_sql(f"SET SESSION group_concat_max_len = {LONGEST}")
    streamed = connection.execution_options(yield_per=_ROWS_AHEAD)
    result = streamed.exec_driver_sql(plan.statement, execution_options={"no_parameters": True})
    batch = _Batch()
    for rows in result.partitions(_ROWS_AHEAD):
        batch.add(rows)
        if batch.fields >= settings.fetch_rows or batch.size >= _BATCH:
            yield batch.decoded(plan)
            batch = _Batch()
    if batch.rows:
        yield batch.decoded(plan)


@dataclass(frozen=True)
class _Plan:
    """A statement, and what its result looks like.

    Attributes:
        statement: yields one text a playlist: the fields of the head, then the songs, each followed by a mark.
        head: the fields before the songs: "rows"; "length" only where songs are texts; "id" only where ids are whole
            numbers. Otherwise the id, and whether all rows have this very id, are columns of their own.
        integers: songs are whole numbers.
        nullable: an id or a song may be NULL, which becomes an empty field; `_SOME` stands before songs that are texts.
    """

    statement: str
    head: tuple[str, ...]
    integers: bool
    nullable: bool


def _plan(connection: Connection, table: PlaylistTable) -> _Plan:
    """The statement for the types that the table's columns have.

    Raises:
        NotExactError: a column has a type that the server and the driver may write differently as text.
    """
    columns = select(table.playlist, table.order[0], table.song).limit(0)
    described = connection.execute(columns).cursor.description
    playlist_type, position_type, song_type = (each[1] for each in described)
    if not (playlist_type in _INTEGERS | _TEXTS and position_type in _SORT_ALIKE and song_type in _INTEGERS | _TEXTS):
        raise NotExactError("a column's type is neither a whole number nor a text")
    nullable = bool(described[0][6] or described[2][6])
    integers = song_type in _INTEGERS

    playlist, song = (str(column.compile(connection)) for column in (table.playlist, table.song))
    order = ", ".join(str(column.compile(connection)) for column in table.order)
    item, head, id_columns = song, {"rows": "COUNT(*)"}, []
    if nullable:
        item = f"IFNULL({song}, '')" if integers else f"IFNULL(CONCAT('{_SOME}', {song}), '')"
    if not integers:
        prefixes = f" + COUNT({song})" if nullable else ""
        head["length"] = f"CAST(IFNULL(SUM(CHAR_LENGTH({song})), 0){prefixes} AS UNSIGNED)"
    if playlist_type in _INTEGERS:
        head["id"] = f"IFNULL({playlist}, '')" if nullable else playlist
    else:
        id_bytes = f"CAST({playlist} AS BINARY)"
        id_columns = [playlist, f"IFNULL(MIN({id_bytes}) = MAX({id_bytes}), 1)"]
    # One column rather than one for each field: every column costs the driver a tenth of the time.
    fields = ", ".join(f"{field}, '{_MARK}'" for field in head.values())
    text = f"CONCAT({fields}, GROUP_CONCAT({item}, '{_MARK}' ORDER BY {order} SEPARATOR ''))"
    columns_read = ", ".join([text, *id_columns])
    statement = f"SELECT {columns_read} FROM {table.name} GROUP BY {playlist} ORDER BY {playlist}"
    return _Plan(statement, tuple(head), integers, nullable)


class _Batch:
    """Rows of the result: some playlists, and what is counted of them."""

    def __init__(self) -> None:
        self.rows: list[Sequence[Any]] = []
        self.texts: list[str] = []
        self.marks: list[int] = []  # in each text
        self.fields = self.size = 0

    def add(self, rows: Sequence[Sequence[Any]]) -> None:
        """Take rows of the result.

        Raises:
            NotExactError: a text is NULL, because it is longer than the server sends, or it is bytes.
        """
        try:
            text = "".join([row[0] for row in rows])
        except TypeError:
            raise NotExactError("the songs did not come as text") from None
        marks = [row[0].count(_MARK) for row in rows]
        self.rows.extend(rows)
        self.texts.append(text)
        self.marks.extend(marks)
        self.fields += sum(marks)
        self.size += len(text)

    def decoded(self, plan: _Plan) -> tuple[pa.Array, pa.Array]:
        """Categories and songs; nothing loops over songs.

        Raises:
            NotExactError: a check fails.
        """
        fields = pc.split_pattern(pa.array(["".join(self.texts)]), _MARK).flatten()[:-1]
        size = np.array(self.marks)
        first = np.cumsum(size) - size
        places = {name: first + place for place, name in enumerate(plan.head)}
        head = {name: _integers(fields.take(pa.array(place)), plan.nullable) for name, place in places.items()}
        # All marks are there, so the last one is: nothing was cut off. But songs that are texts may contain marks,
        # as many as were cut off: then the length shows it.
        count = size - len(plan.head)
        if not np.array_equal(head["rows"], count):
            raise NotExactError("a playlist is too long for one text, or a song contains U+001F")
        if not plan.integers:
            lengths = pc.utf8_length(fields).to_numpy()
            head_lengths = sum(lengths[place] for place in places.values())
            if not np.array_equal(head["length"], np.add.reduceat(lengths, first) - head_lengths):
                raise NotExactError("a playlist is too long for one text")
        is_song = np.ones(len(fields), bool)
        is_song[np.concatenate(list(places.values()))] = False
        ids = head["id"] if "id" in head else _ids_of_columns(self.rows)
        categories = ids.take(pa.array(np.repeat(np.arange(len(ids)), count)))
        decode = _integers if plan.integers else _texts
        return categories, decode(fields, plan.nullable).filter(pa.array(is_song))


def _ids_of_columns(rows: Sequence[Sequence[Any]]) -> pa.Array:
    _, ids, are_one = zip(*rows, strict=True)
    if not all(are_one):
        raise NotExactError("the database treats different ids of playlists as equal")
    return as_column(ids)


def _integers(fields: pa.Array, nullable: bool) -> pa.Array:
    if nullable:
        fields = pc.if_else(pc.equal(fields, ""), None, fields)
    try:
        return fields.cast(pa.int64())  # "00012", of a ZEROFILL column, is 12 to the driver
    except pa.ArrowInvalid:
        raise NotExactError("a number is 2^63 or more") from None


def _texts(songs: pa.Array, nullable: bool) -> pa.Array:
    if not nullable:
        return songs
    return pc.if_else(pc.equal(songs, ""), None, pc.utf8_slice_codeunits(songs, len(_SOME)))
