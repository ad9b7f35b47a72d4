"""`song2vec extract` against pandas.read_sql and against MariaDB's own client, on a private MariaDB.

    PYTHONPATH=include:. python -m benchmarks.bench_extract

5 M rows in 250,000 playlists, primary key (playlist_id, position). Each side reads every row in order, by
playlist and position. Ours writes its Parquet file as always; pandas and the client throw the rows away.
Each run of ours and of pandas is a process of its own, and so is its peak memory.
"""

import json
import os
import subprocess
import sys
import tempfile
import time

import pymysql
from benchmarks.lines import SMALL, compare, progress
from sqlalchemy import URL
from tests.rig.mariadb import private_server

PLAYLISTS, SONGS = (2_500 if SMALL else 250_000), 20
ROWS = PLAYLISTS * SONGS
PAIRS = 5
ORDERED = "SELECT playlist_id, position, song FROM playlist_songs ORDER BY playlist_id, position"
CHUNK = 50_000

# Each prints the seconds of the reading itself, imports and connecting left out, and the peak memory in MB.
_OURS = f"""
import json, logging, resource, sys, time
from pathlib import Path
import pandas  # pyarrow imports it, where it is installed, for the first array it makes
import structlog
from song2vec.settings import ExtractSettings
from song2vec.extract import extract
from song2vec.extract import open_engine
structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
settings = ExtractSettings()
engine = open_engine(sys.argv[1], settings)
started = time.perf_counter()
record = extract(engine, Path(sys.argv[2]), settings)
seconds = time.perf_counter() - started
assert record["rows"] == {ROWS}, record
print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""
_PANDAS = f"""
import json, resource, sys, time
import pandas
from sqlalchemy import create_engine
with create_engine(sys.argv[1]).connect() as connection:
    started = time.perf_counter()
    streamed = connection.execution_options(stream_results=True)
    rows = sum(len(chunk) for chunk in pandas.read_sql({ORDERED!r}, streamed, chunksize={CHUNK}))
    seconds = time.perf_counter() - started
assert rows == {ROWS}, rows
print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""


def main() -> None:
    """Print the three lines."""
    memory: list[float] = []
    memory_of_pandas: list[float] = []
    with private_server() as server, tempfile.TemporaryDirectory() as out:
        url = _fill(server)

        def ours() -> float:
            seconds, megabytes = _run(_OURS, url, out)
            memory.append(megabytes)
            return ROWS / seconds

        def read_sql() -> float:
            seconds, megabytes = _run(_PANDAS, url)
            memory_of_pandas.append(megabytes)
            return ROWS / seconds

        against = f"pandas.read_sql over pymysql, streamed, chunks of {CHUNK:,} rows"
        compare("extract-vs-read_sql", ours, read_sql, unit="rows/s", against=against, pairs=PAIRS)
        client = "mariadb --quick --batch to a pipe"
        compare("extract-vs-c-client", ours, lambda: _c_client(url), unit="rows/s", against=client, pairs=PAIRS)
    peaks = zip(memory, memory_of_pandas, strict=False)
    sides = iter([side for pair in peaks for side in pair])
    compare(
        "extract-peak-memory-mb",
        lambda: next(sides),
        lambda: next(sides),
        unit="MB",
        against=against,
        pairs=len(memory_of_pandas),
        less_is_better=True,
    )


def _fill(server: URL) -> URL:
    """Make the table on the server; songs are drawn alike everywhere."""
    progress(f"filling a table with {ROWS:,} rows; load of the machine: {os.getloadavg()[0]:.1f}")
    connection = pymysql.connect(
        host=server.host, port=server.port, user=server.username, password=server.password, autocommit=True
    )
    with connection, connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE IF NOT EXISTS song2vec_bench CHARACTER SET utf8mb4")
        cursor.execute("USE song2vec_bench")
        cursor.execute("DROP TABLE IF EXISTS playlist_songs")
        cursor.execute(
            "CREATE TABLE playlist_songs (playlist_id INT NOT NULL, position INT NOT NULL, song INT NOT NULL, "
            "PRIMARY KEY (playlist_id, position))"
        )
        cursor.execute(
            f"INSERT INTO playlist_songs SELECT seq DIV {SONGS}, seq MOD {SONGS}, 1 + seq * 245489 MOD 99991 "
            f"FROM seq_0_to_{ROWS - 1}"
        )
    return server.set(database="song2vec_bench")


def _run(script: str, url: URL, *arguments: str) -> tuple[float, float]:
    """Seconds and megabytes that `script` says it took."""
    where = url.render_as_string(hide_password=False)
    done = subprocess.run([sys.executable, "-c", script, where, *arguments], stdout=subprocess.PIPE, check=True)
    seconds, megabytes = json.loads(done.stdout)
    return seconds, megabytes


def _c_client(url: URL) -> float:
    command = ["mariadb", f"--host={url.host}", f"--port={url.port}", f"--user={url.username}", "--skip-column-names"]
    environment = {**os.environ, "MYSQL_PWD": url.password or ""}
    started = time.perf_counter()
    with subprocess.Popen(
        [*command, "--quick", "--batch", url.database, "-e", ORDERED], stdout=subprocess.PIPE, env=environment
    ) as client:
        rows = 0
        while piece := client.stdout.read(1 << 20):
            rows += piece.count(b"\n")
    seconds = time.perf_counter() - started
    if rows != ROWS:
        raise RuntimeError(f"the client gave {rows} rows of {ROWS}")
    return ROWS / seconds


if __name__ == "__main__":
    main()
