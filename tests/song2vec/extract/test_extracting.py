import json
import resource
import socket
import sqlite3
import threading
import tracemalloc
from contextlib import closing
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import structlog
from sqlalchemy import URL, create_engine, make_url, text
from sqlalchemy.pool import NullPool
from tests.rig.network import line_to

from song2vec.errors import SourceError, SourceUnavailableError
from song2vec.extract import extract, open_engine
from song2vec.extract.by_playlist import LONGEST
from song2vec.playlists.tables import RAW
from song2vec.settings import ExtractSettings
from song2vec_client.errors import PermanentError, TransientError

ROWS = [(1, 2, 20), (2, 1, 30), (1, 1, 10), (3, 1, 10), (1, 3, 20)]
IN_ORDER = [("1", "10"), ("1", "20"), ("1", "20"), ("2", "30"), ("3", "10")]


@pytest.fixture(params=["mariadb", "sqlite"])
def database(request, tmp_path) -> str:
    """The URL of an empty database: the same tests on both kinds."""
    if request.param == "mariadb":
        return request.getfixturevalue("mariadb")
    sqlite3.connect(tmp_path / "p.db").close()
    return f"sqlite:///{tmp_path / 'p.db'}"


def execute(url: str, *statements: str, rows=()) -> None:
    """Run statements, the last one for each of `rows` where there are any."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        for statement in statements[:-1] if rows else statements:
            connection.execute(text(statement))
        if rows:
            names = [f"c{i}" for i in range(len(rows[0]))]
            connection.execute(text(statements[-1]), [dict(zip(names, row, strict=True)) for row in rows])


def playlist_songs(url: str, rows=ROWS, song_type: str = "INTEGER") -> None:
    columns = f"playlist_id INTEGER, position INTEGER, song {song_type}"
    insert = "INSERT INTO playlist_songs VALUES (:c0, :c1, :c2)"
    execute(url, f"CREATE TABLE playlist_songs ({columns})", insert, rows=rows)


def read(url: str | URL, out: Path, **options) -> list[tuple[str | None, str | None]]:
    settings = ExtractSettings(**options)
    record = extract(open_engine(url, settings), out, settings)
    table = pq.read_table(out / "playlists.parquet")
    assert table.schema.equals(RAW)
    assert record == json.loads((out / "extract.json").read_text())
    assert record["rows"] == len(table)
    rows = table.to_pylist()
    assert [row["line"] for row in rows] == list(range(1, len(rows) + 1))
    assert {(row["source"], row["file"], row["problem"]) for row in rows} <= {("mariadb", record["file"], None)}
    return [(one_of(row, "category"), one_of(row, "song")) for row in rows]


def one_of(row: dict, name: str) -> str | None:
    """The source's text, which RAW keeps as a number where it can."""
    number = row[f"{name}_number"]
    assert number is None or row[name] is None
    return row[name] if number is None else str(number)


def test_rows_come_by_playlist_and_position(database, tmp_path):
    playlist_songs(database)
    assert read(database, tmp_path / "out") == IN_ORDER
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["extract.json", "playlists.parquet"]


def test_without_a_position_rows_come_as_the_table_gives_them(database, tmp_path):
    playlist_songs(database)
    rows = read(database, tmp_path / "out", position_column="")
    assert rows == [(str(playlist), str(song)) for playlist, _, song in ROWS]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT playlist_id, position, song FROM playlist_songs WHERE song > 15 ORDER BY position, playlist_id",
        "SELECT playlist_id, song FROM playlist_songs WHERE song > 15 ORDER BY position, playlist_id",
        "SELECT playlist_id, song FROM playlist_songs WHERE song > 15 AND ':x %s %' <> '' ORDER BY position, song DESC",
    ],
)
def test_a_query_of_ones_own_is_run_as_it_is(database, tmp_path, query):
    playlist_songs(database)
    assert read(database, tmp_path / "out", query=query) == [("2", "30"), ("1", "20"), ("1", "20")]


def test_names_are_quoted(database, tmp_path):
    quote = "`" if database.startswith("mariadb") else '"'
    names = [f"{quote}{name}{quote}" for name in ("order by", "재생 목록", "select", "a'b;--")]
    table, playlist, position, song = names
    execute(
        database,
        f"CREATE TABLE {table} ({playlist} INTEGER, {position} INTEGER, {song} INTEGER)",
        f"INSERT INTO {table} VALUES (:c0, :c1, :c2)",
        rows=ROWS,
    )
    rows = read(
        database,
        tmp_path / "out",
        table="order by",
        playlist_column="재생 목록",
        position_column="select",
        song_column="a'b;--",
    )
    assert rows == IN_ORDER


def test_values_are_kept_as_the_database_gives_them(database, tmp_path):
    values = ["12345", "?", " 7 ", "", None, "노래", "12345.0"]
    playlist_songs(database, [(1, place, value) for place, value in enumerate(values)], song_type="VARCHAR(20)")
    assert [song for _, song in read(database, tmp_path / "out")] == values


def test_numbers_of_other_types_are_written_plainly(database, tmp_path):
    execute(database, "CREATE TABLE playlist_songs (playlist_id VARCHAR(9), song DECIMAL(12, 1))")
    execute(database, "INSERT INTO playlist_songs VALUES ('a', 5), ('b', NULL), (NULL, 6)")
    rows = read(database, tmp_path / "out", position_column="")
    assert [playlist for playlist, _ in rows] == ["a", "b", None]
    assert [song and float(song) for _, song in rows] == [5, None, 6]


def test_an_empty_table_gives_no_rows(database, tmp_path):
    execute(database, "CREATE TABLE playlist_songs (playlist_id INTEGER, position INTEGER, song INTEGER)")
    assert read(database, tmp_path / "out") == []


def test_extracting_again_gives_the_same_bytes(database, tmp_path):
    playlist_songs(database)
    for out in ("one", "two"):
        read(database, tmp_path / out, fetch_rows=1_000)
    for name in ("playlists.parquet", "extract.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_memory_is_flat_whatever_the_size(database, tmp_path):
    """100,000 rows of 200 bytes are 20 MB and more; what is held at a time is 1,000 of them."""
    query = "SELECT seq, repeat('x', 200) FROM seq_1_to_100000"
    if database.startswith("sqlite"):
        numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)"
        query = f"{numbers} SELECT i, printf('%.200c', 'x') FROM n"
    tracemalloc.start()
    try:
        settings = ExtractSettings(query=query, fetch_rows=1_000)
        record = extract(open_engine(database, settings), tmp_path / "out", settings)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert record["rows"] == 100_000
    assert peak < 8_000_000


# Read by playlist, where the server lets it, or row by row: the same rows


SAME_ORDER = "SELECT playlist_id, song FROM playlist_songs ORDER BY playlist_id, position, CAST(song AS BINARY)"


def both_ways(url: str, out: Path, query: str = SAME_ORDER, **options) -> tuple[list[str], list]:
    """How the table was read, and its rows, which are those that the query gives."""
    plain = read(url, out / "plain", query=query)
    with structlog.testing.capture_logs() as logs:
        rows = read(url, out / "table", **options)
    assert rows == plain
    return [line["way"] for line in logs if "way" in line], rows


def create(url: str, columns: str, *rows: str) -> None:
    execute(url, f"CREATE TABLE playlist_songs ({columns})", *(f"INSERT INTO playlist_songs {each}" for each in rows))


NUMBERS = "SELECT seq DIV 7, 5000 - seq, seq * 7919 % 991 FROM seq_1_to_5000"


@pytest.mark.parametrize(
    ("columns", "rows"),
    [
        ("playlist_id INT, position INT, song INT, PRIMARY KEY (playlist_id, position)", NUMBERS),
        ("playlist_id INT, position INT, song INT", NUMBERS),
        ("playlist_id INT, position INT, song INT", "VALUES (1, 1, NULL), (1, 2, 5), (2, 1, NULL), (3, 1, 4)"),
        ("playlist_id INT, position INT, song INT", "VALUES (-3, -1, -5), (0, NULL, 0), (-3, -2, 6), (NULL, 1, 7)"),
        ("playlist_id INT, position INT, song INT", "VALUES (1, 1, 9), (1, 1, 8), (1, 1, 8), (1, 0, 8), (1, 1, 70)"),
        ("playlist_id INT, position INT, song INT", "SELECT 1, seq % 50, seq * 7919 % 100003 FROM seq_1_to_30000"),
        ("playlist_id SERIAL, position FLOAT, song BIGINT", f"VALUES ({2**63 - 1}, 1.5, {-(2**63)}), (1, 2, 3)"),
        ("playlist_id INT(6) ZEROFILL, position INT, song INT(9) ZEROFILL", "VALUES (12, 2, 34), (12, 1, 0)"),
        ("playlist_id INT, position DECIMAL(5, 2), song VARCHAR(9)", "VALUES (1, 10.5, 'b'), (1, 9.25, 'a')"),
        ("playlist_id INT, position DATETIME, song VARCHAR(9)", "VALUES (1, '2026-01-02', 'b'), (1, 250101, 'a')"),
        (
            "playlist_id INT, position INT, song VARCHAR(20)",
            "VALUES (1, 1, '1,2'), (1, 2, ''), (1, 3, NULL), (1, 4, '=')"
            ", (1, 5, '노래🎵'), (1, 6, 'a'), (1, 6, 'A'), (1, 7, ' 7 '), (1, 8, '?\\n\\\\'), (2, 1, ''), (3, 1, NULL)",
        ),
        ("playlist_id INT, position INT, song TEXT CHARACTER SET euckr NOT NULL", "VALUES (1, 1, '노래'), (1, 2, '')"),
        ("playlist_id INT, position INT, song VARCHAR(9) CHARACTER SET ucs2", "VALUES (1, 1, '노래'), (1, 2, 'x')"),
        ("playlist_id INT, position INT, song ENUM('b', 'a')", "VALUES (1, 1, 'a'), (1, 2, 'b'), (1, 3, NULL)"),
        ("playlist_id CHAR(9), position INT, song INT", "VALUES ('a,b', 2, 1), ('', 1, 2), (NULL, 1, 3), ('재', 1, 4)"),
        ("playlist_id VARBINARY(9), position INT, song INT", "VALUES (x'FF41', 2, 1), ('b', 1, 2), ('B', 1, 3)"),
    ],
)  # fmt: skip
def test_a_table_read_by_playlist_gives_the_rows_themselves(mariadb, tmp_path, columns, rows):
    create(mariadb, columns, rows)
    ways, result = both_ways(mariadb, tmp_path, fetch_rows=1_000)
    assert ways == ["by playlist"]
    assert result


@pytest.mark.parametrize(
    ("columns", "rows"),
    [
        ("playlist_id INT, position INT, song BIGINT", f"SELECT 1, seq, seq + {10**18} FROM seq_1_to_210000"),
        ("playlist_id INT, position INT, song VARCHAR(9000)", "SELECT 1, seq, REPEAT('노', 9000) FROM seq_1_to_200"),
        ("playlist_id INT, position INT, song VARCHAR(20)", "VALUES (1, 1, 'a\x1fb'), (1, 2, 'c')"),
        ("playlist_id INT, position INT, song BIGINT UNSIGNED", f"VALUES (1, 1, {2**64 - 1}), (1, 2, {2**63})"),
        ("playlist_id SERIAL, position INT, song INT", f"VALUES ({2**64 - 1}, 1, 2), (1, 2, 3)"),
        ("playlist_id INT, position INT, song VARBINARY(9)", "VALUES (1, 1, x'FF41'), (1, 2, 'b')"),
        ("playlist_id INT, position INT, song DECIMAL(12, 9)", "VALUES (1, 1, 0.000000001), (1, 2, 5)"),
        ("playlist_id INT, position INT, song DOUBLE", "VALUES (1, 1, 1e20), (1, 2, 5)"),
        ("playlist_id INT, position VARCHAR(9), song INT", "VALUES (1, '10', 1), (1, '9', 2)"),
        ("playlist_id INT, position ENUM('b', 'a'), song INT", "VALUES (1, 'a', 1), (1, 'b', 2)"),
        ("playlist_id VARCHAR(9), position INT, song INT", "VALUES ('a', 1, 1), ('A', 2, 2), ('a', 3, 3), ('b', 1, 4)"),
        ("playlist_id VARCHAR(9), position INT, song INT", "VALUES ('a', 1, 1), ('a ', 2, 2), ('a', 3, 3)"),
        ("playlist_id DOUBLE, position INT, song INT", "VALUES (-0e0, 1, 1), (0e0, 2, 2), (1.5, 1, 3)"),
    ],
)  # fmt: skip
def test_what_cannot_be_shown_to_be_right_is_read_row_by_row(mariadb, tmp_path, columns, rows):
    create(mariadb, columns, rows)
    ways, result = both_ways(mariadb, tmp_path)
    assert ways == ["by playlist", "row by row"]
    assert result


def test_songs_that_hide_a_cut_are_found(mariadb, tmp_path):
    """The first song holds as many marks as songs are cut off: only the length tells."""
    marks, size = 30_000, 100
    songs = marks + (LONGEST - marks - 1) // size
    rows = [f"VALUES (1, 0, REPEAT('\x1f', {marks}))", f"SELECT 1, seq, REPEAT('x', {size - 1}) FROM seq_1_to_{songs}"]
    create(mariadb, "playlist_id INT, position INT, song MEDIUMTEXT", *rows)
    query = "SELECT playlist_id, song FROM playlist_songs ORDER BY playlist_id, position"
    ways, result = both_ways(mariadb, tmp_path, query=query)
    assert ways == ["by playlist", "row by row"]
    assert len(result) == songs + 1


def test_a_view_and_a_table_of_another_database_are_read_by_playlist(mariadb, tmp_path):
    playlist_songs(mariadb)
    execute(mariadb, "CREATE VIEW v AS SELECT playlist_id, position, song + 0 AS song FROM playlist_songs")
    assert both_ways(mariadb, tmp_path, table="v") == (["by playlist"], IN_ORDER)
    other = make_url(mariadb).set(database="information_schema").render_as_string(hide_password=False)
    assert read(other, tmp_path / "other", table=f"{make_url(mariadb).database}.playlist_songs") == IN_ORDER


@pytest.mark.parametrize(
    "key", ["UNIQUE (playlist_id, song, position)", "UNIQUE (position, song)", "KEY (playlist_id)"]
)
def test_songs_at_one_position_come_in_a_fixed_order_whatever_the_keys(mariadb, tmp_path, key):
    create(mariadb, f"playlist_id INT, position INT, song INT, {key}", "VALUES (1, 1, 3), (1, 1, 2), (1, 1, 1)")
    assert both_ways(mariadb, tmp_path)[1] == [("1", "1"), ("1", "2"), ("1", "3")]


def test_all_rows_are_of_one_instant(mariadb, tmp_path):
    """A query that waits, inside the transaction, until another session has committed, does not see its rows."""
    playlist_songs(mariadb)
    name = make_url(mariadb).database
    lock = create_engine(mariadb, poolclass=NullPool)
    query = (
        f"SELECT playlist_id, song FROM (SELECT GET_LOCK('{name}', 30) AS got) AS waited "
        "STRAIGHT_JOIN playlist_songs WHERE got = 1 ORDER BY playlist_id, position"
    )
    with lock.connect() as holder:
        holder.execute(text(f"SELECT GET_LOCK('{name}', 0)"))
        rows: list = []
        reader = threading.Thread(target=lambda: rows.extend(read(mariadb, tmp_path / "out", query=query)))
        reader.start()
        waiting = "SELECT count(*) FROM information_schema.processlist WHERE db = :db AND state = 'User lock'"
        with lock.connect().execution_options(isolation_level="AUTOCOMMIT") as watcher:
            while reader.is_alive() and not watcher.execute(text(waiting), {"db": name}).scalar():
                pass
        execute(mariadb, "INSERT INTO playlist_songs VALUES (9, 1, 99)", "DELETE FROM playlist_songs WHERE song = 10")
        holder.execute(text(f"SELECT RELEASE_LOCK('{name}')"))
        reader.join()
    assert rows == IN_ORDER


# What a database may refuse: permanent


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"table": "no_such_table"}, "no_such_table"),
        ({"song_column": "no_such_column"}, "no_such_column"),
        ({"position_column": "no_such_position"}, "no_such_position"),
        ({"query": "SELEKT 1, 2"}, "SELEKT"),
        ({"query": "SELECT 1"}, "yields 1 columns: 1; expected playlist id, position, song"),
        ({"query": "SELECT 1 AS a, 2 AS b, 3 AS c, 4 AS d"}, "yields 4 columns: a, b, c, d"),
    ],
)
def test_what_the_database_refuses_is_permanent_and_named(database, tmp_path, options, named):
    playlist_songs(database)
    with pytest.raises(SourceError, match=named) as caught:
        read(database, tmp_path / "out", **options)
    assert isinstance(caught.value, PermanentError)
    assert "extract." in str(caught.value)
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize(
    "query",
    ["DELETE FROM playlist_songs", "DROP TABLE playlist_songs", "INSERT INTO playlist_songs VALUES (1, 1, 1)"],
)
def test_a_query_cannot_change_the_database(database, tmp_path, query):
    playlist_songs(database)
    with pytest.raises(SourceError):
        read(database, tmp_path / "out", query=query)
    assert read(database, tmp_path / "out") == IN_ORDER


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"password": "wrong-secret"}, "the user or the password is wrong"),
        ({"username": "nobody_known"}, "the user or the password is wrong"),
        ({"database": "no_such_database"}, "no database of that name"),
    ],
)
def test_a_wrong_connection_is_permanent_and_says_no_secret(mariadb, tmp_path, change, reason):
    url = make_url(mariadb).set(**change)
    with pytest.raises(SourceError, match=reason) as caught:
        read(url, tmp_path / "out")
    check_says_no_secret(caught.value, url)


def test_a_user_who_may_not_select_is_told_so(mariadb, tmp_path):
    playlist_songs(mariadb)
    url = make_url(mariadb)
    user = f"u_{str(url.database)[-8:]}"
    execute(
        mariadb, f"CREATE USER {user}@'%' IDENTIFIED BY 'sesame'", f"GRANT CREATE ON {url.database}.* TO {user}@'%'"
    )
    try:
        with pytest.raises(SourceError, match="grant it SELECT") as caught:
            read(url.set(username=user, password="sesame"), tmp_path / "out")
        check_says_no_secret(caught.value, url.set(username=user, password="sesame"))
    finally:
        execute(mariadb, f"DROP USER {user}@'%'")


@pytest.mark.parametrize(
    "url",
    [
        "no url: hunter2",
        "nosuchdb://user:hunter2@host/db",
        "mariadb+nosuchdriver://user:hunter2@host/db",
        "mariadb+pymysql://user:hunter2@host:port/db",
        "mariadb+mysqldb://user:hunter2@host/db",
        "sqlite:////no/such/hunter2.db",
    ],
)
def test_a_url_that_cannot_be_used_is_permanent_and_not_repeated(url):
    with pytest.raises(SourceError, match=r"expected|pymysql|does not exist") as caught:
        open_engine(url, ExtractSettings())
    assert "hunter2" not in str(caught.value)
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_a_missing_sqlite_file_is_not_made(tmp_path):
    with pytest.raises(SourceError):
        open_engine(f"sqlite:///{tmp_path / 'p.db'}", ExtractSettings())
    assert not list(tmp_path.iterdir())


# What may be better the next time: transient


def test_a_server_that_is_down_is_transient(tmp_path, mariadb):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = make_url(mariadb).set(host="127.0.0.1", port=unused.getsockname()[1])
        with pytest.raises(SourceUnavailableError, match="it does not answer") as caught:
            read(url, tmp_path / "out")
    assert isinstance(caught.value, TransientError)
    check_says_no_secret(caught.value, url)


def test_a_host_that_does_not_exist_is_transient(tmp_path):
    with pytest.raises(SourceUnavailableError, match="it does not answer"):
        read("mariadb+pymysql://user:secret@no-such-host.invalid/db", tmp_path / "out")


def test_a_connection_lost_in_the_middle_is_transient_and_leaves_what_was_there(mariadb, tmp_path):
    playlist_songs(mariadb)
    read(mariadb, tmp_path / "out")
    before = (tmp_path / "out/playlists.parquet").read_bytes()
    with (
        line_to(mariadb, most=300_000) as url,
        pytest.raises(SourceUnavailableError, match="the connection was lost") as caught,
    ):
        read(url, tmp_path / "out", query="SELECT seq, seq FROM seq_1_to_200000", fetch_rows=1_000)
    check_says_no_secret(caught.value, url)
    assert (tmp_path / "out/playlists.parquet").read_bytes() == before
    assert len(list((tmp_path / "out").iterdir())) == 2


@pytest.mark.parametrize("most", [0, 50_000])  # at the greeting, in the middle of the rows
def test_a_line_that_falls_silent_is_transient_and_a_second_try_gives_every_row_once(mariadb, tmp_path, most):
    create(mariadb, "playlist_id INT, position INT, song INT", "SELECT seq DIV 7, seq, seq FROM seq_1_to_50000")
    with (
        line_to(mariadb, most=most, then="silence") as url,
        pytest.raises(SourceUnavailableError, match=r"no answer came in time \(extract.timeout\)") as caught,
    ):
        read(url, tmp_path / "out", timeout=1)
    check_says_no_secret(caught.value, url)
    assert list((tmp_path / "out").iterdir()) == []
    assert read(mariadb, tmp_path / "out") == [(str(seq // 7), str(seq)) for seq in range(1, 50_001)]


def test_a_slow_line_takes_its_time_and_gives_every_row(mariadb, tmp_path):
    """The line takes longer than `timeout` for all, and less for each piece, of which a row has several."""
    create(mariadb, "playlist_id INT, position INT, song INT", "SELECT seq DIV 7, seq, seq FROM seq_1_to_700")
    with line_to(mariadb, piece=17, pause=0.008) as url:
        assert read(url, tmp_path / "out", timeout=1) == [(str(seq // 7), str(seq)) for seq in range(1, 701)]


def test_the_victim_of_a_deadlock_is_transient_and_a_second_try_gives_every_row_once(mariadb, tmp_path):
    """The reader, which locks what it reads, waits for the last rows; who holds those wants the first."""
    create(mariadb, "playlist_id INT PRIMARY KEY, song INT", "SELECT seq, seq FROM seq_1_to_5000")
    query = "SELECT playlist_id, song FROM playlist_songs ORDER BY playlist_id LOCK IN SHARE MODE"
    waiting = (  # not information_schema.innodb_lock_waits: that one stands still while it is looked at all the time
        "SELECT variable_value FROM information_schema.global_status "
        "WHERE variable_name = 'INNODB_ROW_LOCK_CURRENT_WAITS'"
    )
    other = create_engine(mariadb, poolclass=NullPool)
    caught: list[Exception] = []

    def be_the_victim() -> None:
        try:
            read(mariadb, tmp_path / "out", query=query, fetch_rows=1_000)
        except SourceUnavailableError as error:
            caught.append(error)

    with other.connect() as holder, other.connect().execution_options(isolation_level="AUTOCOMMIT") as watcher:
        holder.execute(
            text("UPDATE playlist_songs SET song = -1 WHERE playlist_id > 4000")
        )  # who changed more survives
        reader = threading.Thread(target=be_the_victim)
        reader.start()
        while reader.is_alive() and not int(watcher.execute(text(waiting)).scalar_one()):
            pass
        holder.execute(text("UPDATE playlist_songs SET song = -1 WHERE playlist_id = 1"))
        reader.join()
        holder.rollback()
    assert [str(error) for error in caught] == [
        "the database is not available: the query was the victim of a deadlock (1213)"
    ]
    assert list((tmp_path / "out").iterdir()) == []
    assert read(mariadb, tmp_path / "out", query=query) == [(str(seq), str(seq)) for seq in range(1, 5_001)]


def test_a_killed_connection_is_transient(mariadb, tmp_path):
    query = "SELECT 1, 2 FROM (SELECT 1) AS a WHERE SLEEP(20) = 0"
    killed = []

    def kill() -> None:
        find = text("SELECT id FROM information_schema.processlist WHERE db = :db AND state = 'User sleep'")
        with create_engine(mariadb, isolation_level="AUTOCOMMIT", poolclass=NullPool).connect() as connection:
            while not killed:
                for (process,) in connection.execute(find, {"db": make_url(mariadb).database}):
                    connection.execute(text(f"KILL {process}"))
                    killed.append(process)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        with pytest.raises(SourceUnavailableError):
            read(mariadb, tmp_path / "out", query=query)
    finally:
        killed.append(None)
        killer.join()


@pytest.mark.parametrize("number", [1040, 1205, 1213, 1317, 1969])
def test_what_the_server_calls_temporary_is_transient(mariadb, tmp_path, number):
    signal = f"SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = {number}, MESSAGE_TEXT = 'as in life'"
    execute(mariadb, f"CREATE FUNCTION fail() RETURNS INTEGER NOT DETERMINISTIC NO SQL BEGIN {signal}; RETURN 1; END")
    with pytest.raises(SourceUnavailableError, match=str(number)):
        read(mariadb, tmp_path / "out", query="SELECT 1, fail()")


def test_a_locked_table_is_transient(mariadb, tmp_path):
    playlist_songs(mariadb)
    with create_engine(mariadb, poolclass=NullPool).connect() as holder:
        holder.execute(text("LOCK TABLES playlist_songs WRITE"))
        with pytest.raises(SourceUnavailableError, match=r"locked by somebody else.*extract.timeout"):
            read(mariadb, tmp_path / "out", timeout=2)
        holder.execute(text("UNLOCK TABLES"))


def test_a_locked_sqlite_file_is_transient(tmp_path):
    url = f"sqlite:///{tmp_path / 'p.db'}"
    sqlite3.connect(tmp_path / "p.db").close()
    playlist_songs(url)
    with closing(sqlite3.connect(tmp_path / "p.db", isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        with pytest.raises(SourceUnavailableError, match="locked"):
            read(url, tmp_path / "out", timeout=1)


def test_a_reader_that_stops_early_leaves_at_once_and_nothing_behind(mariadb, tmp_path):
    """The rows not yet read, a hundred million, are not read first: that would outlast the time-out of the tests."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_000_000, limits[1]))  # as on a disk that is full
    try:
        with pytest.raises(OSError, match="File too large"):
            read(mariadb, tmp_path / "out", query="SELECT seq, SHA2(seq, 512) FROM seq_1_to_100000000")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list((tmp_path / "out").iterdir()) == []


def check_says_no_secret(error: BaseException, url) -> None:
    assert error.__cause__ is None
    assert error.__suppress_context__
    for secret in (url.password, url.username, url.host, str(url.port)):
        assert secret not in str(error)
