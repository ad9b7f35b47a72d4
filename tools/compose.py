"""Fills the servers that docker-compose.yaml runs for trying song2vec out: a bucket, and the sample playlists."""

import json
import os
import sqlite3
import sys
import tempfile
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from tools.console import say

_TABLE = """
CREATE TABLE playlist_songs (
    playlist_id BIGINT NOT NULL, position INT NOT NULL, song VARCHAR(32), PRIMARY KEY (playlist_id, position)
)"""


def main(environment: Mapping[str, str] = os.environ) -> int:
    """Fill what is empty, unless the bucket is one of Google's; may be run again at any time."""
    if not environment.get("STORAGE_EMULATOR_HOST"):
        say("Nothing is filled: STORAGE_EMULATOR_HOST names no local storage server")
        return 0
    store = json.loads(environment["AIRFLOW_CONN_SONG2VEC_MODELS"])["extra"]["store"]
    make_bucket(store.removeprefix("gs://").partition("/")[0])
    load_sample(json.loads(environment["AIRFLOW_CONN_MARIADB_DEFAULT"]))
    return 0


def make_bucket(name: str) -> None:
    """Make a bucket on the storage server that STORAGE_EMULATOR_HOST names, unless it is there."""
    from google.api_core.exceptions import Conflict
    from google.cloud.storage import Client

    with suppress(Conflict):
        Client(project="local").create_bucket(name)


def load_sample(connection: Mapping[str, Any]) -> None:
    """Fill the table ``playlist_songs`` of a MariaDB with the sample playlists, unless it exists.

    Args:
        connection: an Airflow connection as JSON: host, port, login, password, schema.
    """
    import pymysql

    from tools.sample import generate

    database = pymysql.connect(
        host=connection["host"],
        port=connection["port"],
        user=connection["login"],
        password=connection["password"],
        database=connection["schema"],
        charset="utf8mb4",
    )
    with closing(database), database.cursor() as cursor, tempfile.TemporaryDirectory() as folder:
        if cursor.execute("SHOW TABLES LIKE 'playlist_songs'"):
            return
        generate(Path(folder))
        with closing(sqlite3.connect(Path(folder, "playlists.db"))) as sample:
            rows = sample.execute("SELECT playlist_id, position, song FROM playlist_songs").fetchall()
        cursor.execute(_TABLE)
        cursor.executemany("INSERT INTO playlist_songs VALUES (%s, %s, %s)", rows)
        database.commit()
        say(f"MariaDB: {len(rows):,} rows of sample playlists")


if __name__ == "__main__":
    sys.exit(main())
