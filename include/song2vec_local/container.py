"""What the ``init`` container of docker-compose.yaml does before Airflow's services start.

Airflow's database is brought up to date and the password of ``admin`` is written. Where the stack runs
a Cloud Storage server and a MariaDB of its own, they get a bucket and the sample playlists.
"""

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from song2vec_local.airflow_home import USER, command
from song2vec_local.console import say

_TABLE = """
CREATE TABLE playlist_songs (
    playlist_id BIGINT NOT NULL, position INT NOT NULL, song VARCHAR(32), PRIMARY KEY (playlist_id, position)
)"""


def main(environment: Mapping[str, str] = os.environ) -> int:
    """Make everything ready; may be run again at any time."""
    code = subprocess.run(command("db", "migrate"), check=False).returncode
    if code:
        return code
    write_password(Path(environment["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"]), environment)
    if environment.get("STORAGE_EMULATOR_HOST"):
        store = json.loads(environment["AIRFLOW_CONN_SONG2VEC_MODELS"])["extra"]["store"]
        make_bucket(store.removeprefix("gs://").partition("/")[0])
        load_sample(json.loads(environment["AIRFLOW_CONN_MARIADB_DEFAULT"]))
    say("Airflow may start")
    return 0


def write_password(path: Path, environment: Mapping[str, str]) -> None:
    """Write the password of ``admin`` in the format of Airflow's simple auth manager."""
    from song2vec.plumbing.files import whole_file

    with whole_file(path) as temporary:
        temporary.touch(mode=0o600)
        temporary.write_text(json.dumps({USER: environment["AIRFLOW_ADMIN_PASSWORD"]}), encoding="utf-8")


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

    from song2vec_local.sample import generate

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
