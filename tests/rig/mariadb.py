"""A real MariaDB: a private `mariadbd` that lives as long as the test run, or the server MARIADB_URL names.

The server is Debian's, started as an unprivileged user with small files in a folder of its own. The kernel
kills it when the test run dies, however it dies.
"""

import contextlib
import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pymysql
import pytest
from sqlalchemy import URL, make_url

PASSWORD = "a-password-for-tests"
SMALL_AND_FAST = [
    "--no-defaults",
    "--innodb-log-file-size=4M",
    "--innodb-buffer-pool-size=32M",
    "--innodb-flush-method=nosync",  # the data does not outlive the tests
    "--innodb-flush-log-at-trx-commit=0",
]


@pytest.fixture
def mariadb(mariadb_server: URL) -> Iterator[str]:
    """The URL, password included, of an empty database of the test's own."""
    name = f"song2vec_test_{uuid4().hex[:8]}"
    _execute(mariadb_server, f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    yield mariadb_server.set(database=name).render_as_string(hide_password=False)
    _execute(mariadb_server, f"DROP DATABASE {name}")


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[URL]:
    """The URL of a server on which databases may be created."""
    with private_server() as url:
        yield url


@contextlib.contextmanager
def private_server() -> Iterator[URL]:
    """The same for who is no test: the server that MARIADB_URL names, or one that lives as long as the block."""
    if "MARIADB_URL" in os.environ:
        yield make_url(os.environ["MARIADB_URL"]).set(drivername="mariadb+pymysql")
        return
    with tempfile.TemporaryDirectory(prefix="song2vec-mariadb-", ignore_cleanup_errors=True) as name:
        folder, user = Path(name), _unprivileged()
        if user:
            shutil.chown(folder, user)
        _install(folder, user)
        with _serving(folder, user) as port:
            yield URL.create("mariadb+pymysql", "song2vec", PASSWORD, "127.0.0.1", port)


def _install(folder: Path, user: str | None) -> None:
    """Make the system tables, by the server itself: a third of the time that mariadb-install-db takes."""
    (folder / "data" / "mysql").mkdir(parents=True)
    if user:
        shutil.chown(folder / "data", user)
        shutil.chown(folder / "data" / "mysql", user)
    share = Path("/usr/share/mysql")
    names = ["mysql_system_tables.sql", "mysql_performance_tables.sql", "mysql_system_tables_data.sql"]
    account = f"GRANT ALL ON *.* TO 'song2vec'@'127.0.0.1' IDENTIFIED BY '{PASSWORD}' WITH GRANT OPTION;"
    tables = "\n".join((share / name).read_text(encoding="utf-8") for name in names)
    bootstrap = subprocess.run(
        [_mariadbd(), *SMALL_AND_FAST, "--bootstrap", f"--datadir={folder / 'data'}"],
        input=f"USE mysql;\n{tables}\nFLUSH PRIVILEGES;\n{account}\n",
        text=True,
        capture_output=True,
        user=user,
        check=False,
    )
    if bootstrap.returncode:
        pytest.fail(f"mariadbd could not make its system tables:\n{bootstrap.stderr[-2000:]}", pytrace=False)


@contextlib.contextmanager
def _serving(folder: Path, user: str | None) -> Iterator[int]:
    port = _free_port()
    log = folder / "server.log"
    command = [_mariadbd(), *SMALL_AND_FAST, f"--datadir={folder / 'data'}", f"--socket={folder / 'socket'}"]
    command += [f"--port={port}", "--bind-address=127.0.0.1", "--skip-name-resolve", "--max-connections=50"]
    with log.open("wb") as output:
        server = subprocess.Popen(command, stdout=output, stderr=output, user=user, preexec_fn=_die_with_parent)  # noqa: PLW1509 - one system call
    try:
        _wait_until_ready(server, port, log)
        yield port
    finally:
        server.kill()
        server.wait()


def _wait_until_ready(server: subprocess.Popen, port: int, log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(pymysql.OperationalError):
            pymysql.connect(host="127.0.0.1", port=port, user="song2vec", password=PASSWORD).close()
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(0.05)
    pytest.fail(f"mariadbd did not start:\n{log.read_text(errors='replace')[-2000:]}", pytrace=False)


def _die_with_parent() -> None:
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def _mariadbd() -> str:
    found = shutil.which("mariadbd", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if not found:
        pytest.fail(
            "these tests need a MariaDB server: `apt-get install mariadb-server`, "
            "or set MARIADB_URL=mariadb+pymysql://USER:PASSWORD@HOST to one that may create databases",
            pytrace=False,
        )
    return found


def _unprivileged() -> str | None:
    """The user to run the server as, which refuses root; None: the current one."""
    if os.getuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "mysql" if "mysql" in names else "nobody"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _execute(server: URL, statement: str) -> None:
    where = {"host": server.host, "port": server.port or 3306, "user": server.username, "password": server.password}
    given: dict[str, Any] = {key: value for key, value in where.items() if value is not None}
    connection = pymysql.connect(**given)
    try:
        connection.cursor().execute(statement)
    finally:
        connection.close()
