"""The database: an engine with timeouts, a read-only snapshot, and its errors in our words.

A message never repeats what a driver says about a connection: it would name hosts and users.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, ExceptionContext, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InternalError, NoSuchModuleError
from sqlalchemy.pool import NullPool

from song2vec.errors import SourceError, SourceUnavailableError
from song2vec.settings import ExtractSettings

_UNAVAILABLE = {
    1040: "it has too many connections",
    1203: "this user has too many connections",
    1226: "this user has used up its share of the server",
    2002: "it does not answer: it is down, or the connection's host or port is wrong",
    2003: "it does not answer: it is down, or the connection's host or port is wrong",
    1205: "the table is locked by somebody else, and waiting for it timed out (extract.timeout)",
    1213: "the query was the victim of a deadlock",
    1053: "it is shutting down",
    1317: "the query was stopped by somebody",
    1969: "the query took longer than the server allows (max_statement_time)",
    1927: "the connection was killed",
    2006: "the connection was lost",
    2013: "the connection was lost, or no answer came in time (extract.timeout)",
}
"""MariaDB's error numbers that say: not now."""

_NOT_LET_IN = {
    1044: "this user may not use the database: grant it SELECT",
    1045: "the user or the password is wrong: correct the connection",
    1049: "it has no database of that name: correct the connection",
    1129: "it has blocked this machine after too many errors: have it run FLUSH HOSTS",
    1130: "it does not let this machine in: correct the user's host",
    1142: "this user may not read the table: grant it SELECT",
    1143: "this user may not read the column: grant it SELECT",
    1698: "the user or the password is wrong: correct the connection",
}


def open_engine(url: str | URL, settings: ExtractSettings) -> Engine:
    """An engine for `url` (``mariadb+pymysql://…``, ``sqlite:///…``) that waits no longer than the settings say.

    Nothing is connected yet.

    Raises:
        SourceError: the URL cannot be read, its driver is not installed, or it names an SQLite file
            that does not exist.
    """
    try:
        address = make_url(url)
        dialect = address.get_backend_name()
        if dialect in ("mysql", "mariadb"):
            address = address.update_query_dict({"charset": "utf8mb4"})
        engine = create_engine(address, poolclass=NullPool, connect_args=_timeouts(dialect, settings.timeout))
    except (ArgumentError, ValueError) as error:  # their texts may quote the URL
        forms = "mariadb+pymysql://USER:PASSWORD@HOST:PORT/DATABASE or sqlite:///FILE"
        what = str(error) if isinstance(error, NoSuchModuleError) else "the database's URL cannot be read"
        raise SourceError(f"{what}: expected {forms}") from None
    except ModuleNotFoundError as error:
        raise SourceError(
            f"the database's driver {error.name} is not installed: install it, or use mariadb+pymysql://…"
        ) from None
    if dialect == "sqlite":
        _must_exist(address)
    return engine


@contextmanager
def snapshot(engine: Engine, settings: ExtractSettings) -> Iterator[Connection]:
    """A connection inside one read-only transaction: it sees the data as of one instant.

    Raises:
        SourceUnavailableError: the database is gone, slow or locked; also from within the block.
        SourceError: the database refuses; also from within the block.
    """
    if not event.contains(engine, "handle_error", _cut_lost_connection):
        event.listen(engine, "handle_error", _cut_lost_connection)
    try:
        with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            _begin(connection, settings)
            yield connection
    except DBAPIError as error:
        raise _in_our_words(error) from None


def _begin(connection: Connection, settings: ExtractSettings) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA query_only = ON")
        connection.exec_driver_sql("BEGIN")
        return
    if connection.dialect.name not in ("mysql", "mariadb"):
        return
    wait = max(1, settings.timeout // 2)  # shorter than the driver's own, so that the server says what is locked
    connection.exec_driver_sql(f"SET SESSION lock_wait_timeout = {wait}, innodb_lock_wait_timeout = {wait}")
    # Read only for the session too: MariaDB ends the transaction by itself before it changes a table's definition.
    connection.exec_driver_sql("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    connection.exec_driver_sql("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")


def _timeouts(dialect: str, seconds: int) -> dict[str, Any]:
    if dialect in ("mysql", "mariadb"):
        return {"connect_timeout": seconds, "read_timeout": seconds, "write_timeout": seconds}
    if dialect == "sqlite":
        return {"timeout": seconds}
    return {}


def _must_exist(address: URL) -> None:
    name = address.database
    if name and name != ":memory:" and not name.startswith("file:") and not Path(name).is_file():
        raise SourceError("the connection names an SQLite file that does not exist: correct its path")


def _cut_lost_connection(context: ExceptionContext) -> None:
    if context.is_disconnect and context.connection is not None:
        _drop_unread(context.connection)


def cut(connection: Connection) -> None:
    """End a connection at once, whatever is still on its way; to be called while its result is still in use."""
    if not connection.closed and not connection.invalidated:
        _drop_unread(connection)
        connection.invalidate()


def _drop_unread(connection: Connection) -> None:
    """Make PyMySQL forget an unfinished result.

    PyMySQL 1.2.4 reads it to its end before it closes, minutes for a large table, and fails in a
    destructor where the connection is lost. This goes when its SSCursor can be closed without reading on.
    """
    driver = connection.connection.dbapi_connection
    result = getattr(driver, "_result", None)
    if driver is not None and result is not None and hasattr(result, "unbuffered_active"):
        result.unbuffered_active = False
        driver._result = None


def _in_our_words(error: DBAPIError) -> SourceError | SourceUnavailableError:
    """The driver's error, sorted into permanent and transient."""
    cause = error.orig
    code = cause.args[0] if cause is not None and cause.args else None
    if code in _UNAVAILABLE:
        return SourceUnavailableError(f"the database is not available: {_UNAVAILABLE[code]} ({code})")
    if code in _NOT_LET_IN:
        return SourceError(f"the database refuses: {_NOT_LET_IN[code]} ({code})")
    name = getattr(cause, "sqlite_errorname", "")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return SourceUnavailableError("the database is not available: the SQLite file is locked by somebody else")
    out_of_step = isinstance(error, InternalError) and not isinstance(code, int)  # PyMySQL lost count of packets
    if error.connection_invalidated or out_of_step or not code:
        return SourceUnavailableError("the database is not available: the connection was lost")
    text = " ".join(str(part) for part in cause.args) if cause is not None else ""
    return SourceError(
        f"the database refuses the query: {text}. Check extract.table, extract.playlist_column, "
        "extract.position_column, extract.song_column or extract.query, and that the user may SELECT"
    )
