"""One row a playlist: MariaDB puts the songs together, so that far fewer rows cross the wire.

An answer about a playlist is one text: the number of its rows, its id, and its songs, each followed by a mark.
Whatever can go wrong on this way shows in the counts: an answer cut at ``group_concat_max_len`` or at
``max_allowed_packet``, a song that holds the mark, ids that differ and that a collation holds for equal. Then
`NotExactError` is raised, and the caller reads row by row. What comes out is, to the row, what reading row by
row gives.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pymysql.constants import FIELD_TYPE as TYPE
from sqlalchemy import Connection, select

from song2vec.extract.playlist_table import PlaylistTable
from song2vec.extract.values import as_column
from song2vec.settings import ExtractSettings

LONGEST = 4 << 20
"""Longest answer about one playlist, in bytes: some 600,000 songs; bounds the memory that one needs."""

_BATCH = 16 << 20  # characters of songs decoded at a time, at most and LONGEST more
_ROWS_AHEAD = 64  # playlists the driver holds
_MARK = "\x1f"  # follows each song; it is ASCII's unit separator
_SOME = "="  # before a text that is not NULL

_INTEGERS = {TYPE.TINY, TYPE.SHORT, TYPE.INT24, TYPE.LONG, TYPE.LONGLONG}
_TEXTS = {TYPE.VARCHAR, TYPE.VAR_STRING, TYPE.STRING, TYPE.BLOB, TYPE.TINY_BLOB, TYPE.MEDIUM_BLOB, TYPE.LONG_BLOB}
_SORT_ALIKE = _INTEGERS | {
    *(TYPE.DECIMAL, TYPE.NEWDECIMAL, TYPE.FLOAT, TYPE.DOUBLE),
    *(TYPE.DATE, TYPE.TIME, TYPE.DATETIME, TYPE.TIMESTAMP),
}
"""Types that are sorted inside GROUP_CONCAT as they are outside: not long texts, of which each compares a part."""


class NotExactError(Exception):
    """The server's aggregate cannot be told from a wrong one: read row by row. The text says why."""


def can_aggregate(connection: Connection, settings: ExtractSettings) -> bool:
    """Whether this way may be tried: a table with a position, on MariaDB."""
    known = connection.dialect.name in ("mysql", "mariadb") and connection.dialect.driver == "pymysql"
    return known and not settings.query and bool(settings.position_column)


def whole_playlists(connection: Connection, settings: ExtractSettings) -> Iterator[tuple[pa.Array, pa.Array]]:
    """Categories and songs, two arrays of one length, of int64 or text: the rows of whole playlists, in order.

    A yield holds some `fetch_rows` rows, or fewer where songs are long, and up to a playlist more.

    Raises:
        NotExactError: at any time; what was yielded before is right, what is missing is unknown.
        DBAPIError: the database refuses or is gone.
    """
    plan = _plan(connection, PlaylistTable.of(connection, settings))
    connection.exec_driver_sql(f"SET SESSION group_concat_max_len = {LONGEST}")
    streamed = connection.execution_options(yield_per=_ROWS_AHEAD)
    answer = streamed.exec_driver_sql(plan.statement, execution_options={"no_parameters": True})
    batch = _Batch()
    for rows in answer.partitions(_ROWS_AHEAD):
        batch.add(rows)
        if batch.fields >= settings.fetch_rows or batch.size >= _BATCH:
            yield batch.decoded(plan)
            batch = _Batch()
    if batch.rows:
        yield batch.decoded(plan)


@dataclass(frozen=True)
class _Plan:
    """A statement, and what its answers look like.

    Attributes:
        statement: yields, of each playlist, a text of fields: the head, then the songs. Each is followed by a mark.
        head: what stands before the songs; "id" only where ids are whole numbers, "length" only where songs are texts.
            Else the ids, and whether each is one and not several, are columns of their own.
        integers: songs are whole numbers.
        nullable: an id or a song may be NULL, which is an empty field; `_SOME` stands before songs that are texts.
    """

    statement: str
    head: tuple[str, ...]
    integers: bool
    nullable: bool


def _plan(connection: Connection, table: PlaylistTable) -> _Plan:
    """The statement for the types that the table's columns have.

    Raises:
        NotExactError: for types of which the server's own text may differ from the driver's.
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
    item, head, columns_apart = song, {"rows": "COUNT(*)"}, []
    if nullable:
        item = f"IFNULL({song}, '')" if integers else f"IFNULL(CONCAT('{_SOME}', {song}), '')"
    if not integers:
        somes = f" + COUNT({song})" if nullable else ""
        head["length"] = f"CAST(IFNULL(SUM(CHAR_LENGTH({song})), 0){somes} AS UNSIGNED)"
    if playlist_type in _INTEGERS:
        head["id"] = f"IFNULL({playlist}, '')" if nullable else playlist
    else:
        id_bytes = f"CAST({playlist} AS BINARY)"
        columns_apart = [playlist, f"IFNULL(MIN({id_bytes}) = MAX({id_bytes}), 1)"]
    # One column and not one a field: each costs the driver a tenth of the time.
    fields = ", ".join(f"{field}, '{_MARK}'" for field in head.values())
    answer = f"CONCAT({fields}, GROUP_CONCAT({item}, '{_MARK}' ORDER BY {order} SEPARATOR ''))"
    columns_read = ", ".join([answer, *columns_apart])
    statement = f"SELECT {columns_read} FROM {table.name} GROUP BY {playlist} ORDER BY {playlist}"
    return _Plan(statement, tuple(head), integers, nullable)


class _Batch:
    """Answers about some playlists."""

    def __init__(self) -> None:
        self.rows: list[Sequence[Any]] = []
        self.texts: list[str] = []
        self.marks: list[int] = []  # of each answer
        self.fields = self.size = 0

    def add(self, rows: Sequence[Sequence[Any]]) -> None:
        """Raises NotExactError: an answer is longer than the server sends, or of bytes."""
        try:
            text = "".join([row[0] for row in rows])
        except TypeError:
            raise NotExactError("the songs are no text") from None
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
        # Each mark is there, so the last is: nothing was cut off. A text may hold marks of its own: its length
        # says whether there are as many of them as were cut off.
        count = size - len(plan.head)
        if not np.array_equal(head["rows"], count):
            raise NotExactError("a playlist is too long for one answer, or a song holds U+001F")
        if not plan.integers:
            lengths = pc.utf8_length(fields).to_numpy()
            of_heads = sum(lengths[place] for place in places.values())
            if not np.array_equal(head["length"], np.add.reduceat(lengths, first) - of_heads):
                raise NotExactError("a playlist is too long for one answer")
        is_song = np.ones(len(fields), bool)
        is_song[np.concatenate(list(places.values()))] = False
        ids = head["id"] if "id" in head else _ids_apart(self.rows)
        categories = ids.take(pa.array(np.repeat(np.arange(len(ids)), count)))
        decode = _integers if plan.integers else _texts
        return categories, decode(fields, plan.nullable).filter(pa.array(is_song))


def _ids_apart(rows: Sequence[Sequence[Any]]) -> pa.Array:
    _, ids, are_one = zip(*rows, strict=True)
    if not all(are_one):
        raise NotExactError("ids of playlists differ that the database holds for equal")
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
