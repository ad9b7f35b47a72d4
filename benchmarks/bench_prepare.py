"""`song2vec collect` and `prepare` against the original pandas recipe and against a bare DuckDB query.

    PYTHONPATH=include:. python -m benchmarks.bench_prepare

One CSV of 10 M rows in 500,000 playlists, 2 % of the songs unknown and 3 % written as decimal numbers. Ours
writes raw rows, playlists, quarantine, funnel and held-out playlists; pandas keeps its lists in memory;
DuckDB writes the lists, in row order, and checks nothing. Each run is a process of its own, and so is its peak
memory. Last, ours on 1 M and on 66 M rows, the size of the Million Playlist Dataset, with the same 20 rows a
playlist.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from benchmarks.lines import SMALL, compare, progress

ROWS = 100_000 if SMALL else 10_000_000
FEW, MANY = (10_000, 200_000) if SMALL else (1_000_000, 66_000_000)
A_PLAYLIST = 20
PAIRS = 3
MOST_MEMORY = 4_000  # MB

# Each prints the seconds of the work itself, imports left out, and the peak memory in MB.
_HEAD = """
import json, logging, re, sys, time
from pathlib import Path
csv, out = Path(sys.argv[1]), Path(sys.argv[2])
"""
_TAIL = """
seconds = time.perf_counter() - started
# Not ru_maxrss: a child's starts from that of its parent, which wrote the data.
peak = re.search(r"VmHWM:\\s*([0-9]+)", Path("/proc/self/status").read_text())
print(json.dumps([seconds, int(peak[1]) / 1024]))
"""
_OURS = f"""{_HEAD}
import duckdb, pandas, structlog  # the first two are imported on the way
from song2vec.collect import collect
from song2vec.settings import load_settings
from song2vec.prepare import prepare
structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
settings = load_settings()
started = time.perf_counter()
collect(csv, out / "raw", settings.collect)
prepare([out / "raw"], out / "prepared", settings)
{_TAIL}"""
_PANDAS = f"""{_HEAD}
import pandas
started = time.perf_counter()
data = pandas.read_csv(csv, dtype=str)
data = data[data["master_number"] != "?"]
data["song"] = data["master_number"].map(lambda x: str(int(float(x))))
lists = data.groupby("Category", sort=False)["song"].agg(list)
lists = lists[lists.map(len) > 3]
{_TAIL}"""
_DUCKDB = f"""{_HEAD}
import duckdb
database = duckdb.connect()
database.execute("SET enable_progress_bar = false")
started = time.perf_counter()
database.execute(f'''
    COPY (
        SELECT Category, list(CAST(CAST(master_number AS DOUBLE) AS BIGINT) ORDER BY row) AS songs
        FROM (SELECT *, row_number() OVER () AS row FROM read_csv('{{csv}}', all_varchar = true))
        WHERE master_number <> '?' GROUP BY Category HAVING count(*) > 3
    ) TO '{{out / "lists.parquet"}}'
''')
{_TAIL}"""


def main() -> None:
    """Print the lines."""
    with tempfile.TemporaryDirectory(prefix="song2vec-bench-") as name:

        def run(code: str, csv: Path) -> tuple[float, float]:
            with tempfile.TemporaryDirectory(dir=name) as out:
                done = subprocess.run(
                    [sys.executable, "-c", code, str(csv), out], check=True, stdout=subprocess.PIPE, text=True
                )
            seconds, memory = json.loads(done.stdout)
            return seconds, memory

        csv = _write(Path(name) / "collected.csv", ROWS)
        pandas = "the original recipe in pandas"
        compare(
            "prepare-vs-pandas",
            lambda: ROWS / run(_OURS, csv)[0],
            lambda: ROWS / run(_PANDAS, csv)[0],
            unit="rows/s",
            against=pandas,
            pairs=PAIRS,
        )
        compare(
            "prepare-memory-vs-pandas",
            lambda: run(_OURS, csv)[1],
            lambda: run(_PANDAS, csv)[1],
            unit="MB",
            against=pandas,
            pairs=1,
            less_is_better=True,
        )
        compare(
            "prepare-vs-bare-duckdb",
            lambda: ROWS / run(_OURS, csv)[0],
            lambda: ROWS / run(_DUCKDB, csv)[0],
            unit="rows/s",
            against="one DuckDB query, row order kept, nothing checked",
            pairs=PAIRS,
        )
        few, many = _write(Path(name) / "few.csv", FEW), _write(Path(name) / "many.csv", MANY)
        memory: list[float] = []

        def rate_of_many() -> float:
            seconds, peak = run(_OURS, many)
            memory.append(peak)
            return MANY / seconds

        compare(
            "prepare-growth",
            rate_of_many,
            lambda: FEW / run(_OURS, few)[0],
            unit="rows/s",
            against=f"itself: {MANY:,} rows beside {FEW:,}",
            pairs=1,
        )
        compare(
            "prepare-growth-memory",
            memory.pop,
            lambda: MOST_MEMORY,
            unit="MB",
            against=f"the limit, at {MANY:,} rows",
            pairs=1,
            less_is_better=True,
        )


def _write(path: Path, rows: int) -> Path:
    """Playlists of geometric length, mean 20, mostly in one piece; songs by Zipf's law."""
    progress(f"writing {rows:,} rows")
    random = np.random.default_rng(1)
    lengths = random.geometric(1 / A_PLAYLIST, rows // A_PLAYLIST)
    playlists = np.repeat(random.permutation(rows // A_PLAYLIST), lengths)[:rows]
    playlists = np.concatenate([playlists, random.integers(0, rows // A_PLAYLIST, rows - len(playlists))])
    numbers = random.zipf(1.3, rows) % 150_000 + 1_000
    kinds = random.random(rows)
    with path.open("w") as file:
        file.write("Category,master_number\n")
        for start in range(0, rows, 500_000):
            piece = slice(start, start + 500_000)
            file.writelines(
                f"{playlist},{'?' if kind < 0.02 else f'{number}.0' if kind < 0.05 else number}\n"
                for playlist, number, kind in zip(
                    playlists[piece].tolist(), numbers[piece].tolist(), kinds[piece].tolist(), strict=True
                )
            )
    return path


if __name__ == "__main__":
    main()
