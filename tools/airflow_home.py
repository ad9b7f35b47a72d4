"""Airflow on this machine: its homes, its database, its commands.

Airflow is configured by the environment alone; an empty ``airflow.cfg`` in each home keeps it from writing
one of its own. ``make run`` and ``make up`` have a home each: a scheduler must never see a database that
``airflow dags test`` works on, for it would take over the tasks.
"""

import importlib.metadata
import json
import secrets
import shutil
import sqlite3
import subprocess
import sys
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from song2vec.plumbing.files import whole_file
from tools.console import say
from tools.places import Places

USER = "admin"


class LocalError(Exception):
    """The local stack cannot go on; the message says why and what to do."""


def command(*arguments: str) -> list[str]:
    """An Airflow command, for `subprocess`, by the Python that runs this."""
    return [sys.executable, "-m", "airflow", *arguments]


def fresh_home(places: Places) -> Path:
    """An empty home for one run; what an earlier run left is removed."""
    home = places.airflow / "run"
    shutil.rmtree(home, ignore_errors=True)
    return _with_config(home)


def lasting_home(places: Places) -> Path:
    """The home of ``make up``, kept from one time to the next; another version of Airflow gets another one."""
    return _with_config(places.airflow / f"up-{_version()}")


def make_database(places: Places, home: Path, environment: Mapping[str, str]) -> None:
    """Put an empty Airflow database into `home`, unless one is there.

    Airflow takes 8 s to create its tables, so that is done once, and copied.

    Raises:
        LocalError: ``airflow db migrate`` failed.
    """
    if (home / "airflow.db").exists():
        return
    schema = places.airflow / f"schema-{_version()}.db"
    if not schema.exists():
        say("Airflow: making its database, once (10 s)")
        with whole_file(schema) as temporary:
            _migrate(temporary, environment, home / "migrate.log")
    with whole_file(home / "airflow.db") as temporary:
        shutil.copyfile(schema, temporary)


def secrets_of(home: Path) -> dict[str, str]:
    """The password of the user ``admin`` and the keys of a home, made at random the first time."""
    path = home / "secrets.json"
    if not path.exists():
        made = {
            "password": secrets.token_urlsafe(9),
            "jwt": secrets.token_urlsafe(64),
            "session": secrets.token_urlsafe(32),
            "fernet": urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        }
        _write_private(path, made)
    kept: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    _write_private(home / "passwords.json", {USER: kept["password"]})  # Airflow's own format
    return kept


def _write_private(path: Path, record: Mapping[str, str]) -> None:
    with whole_file(path) as temporary:
        temporary.touch(mode=0o600)
        temporary.write_text(json.dumps(record), encoding="utf-8")


def _with_config(home: Path) -> Path:
    home.mkdir(parents=True, exist_ok=True)
    (home / "airflow.cfg").write_text("# Every setting comes from the environment.\n", encoding="utf-8")
    return home


def _migrate(database: Path, environment: Mapping[str, str], log: Path) -> None:
    url = {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{database}"}
    with log.open("w", encoding="utf-8") as output:
        done = subprocess.run(
            command("db", "migrate"), env={**environment, **url}, stdout=output, stderr=output, check=False
        )
    if done.returncode:
        raise LocalError(f"Airflow could not make its database: see {log}\n{tail(log)}")
    with closing(sqlite3.connect(database)) as connection:  # one whole file, nothing beside it
        connection.execute("PRAGMA journal_mode = DELETE")


def tail(path: Path, lines: int = 15) -> str:
    """The last lines of a log, indented."""
    text = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
    return "\n".join(f"    {line}" for line in text[-lines:])


def _version() -> str:
    return importlib.metadata.version("apache-airflow-core")
