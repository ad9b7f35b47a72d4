"""Peak memory of `song2vec train` against its allowance, from few songs to a million.

    PYTHONPATH=include:. python -m benchmarks.bench_train_memory

The allowance: the playlists as int32, 200 MB for all else, the interpreter and its libraries among it, and the more of
what training holds (both matrices, their averages and the row states) and of what finding neighbours does (the
averages, two sparse tables of 8 bytes a word, 14 bytes a neighbour, and 64 MB of similarities at a time). Each size is
one epoch of the command line in a process of its own, with the ranking measured after it; `ours` is the most physical
memory that the process held, its libraries' pages included.
"""

import os
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from benchmarks.lines import SMALL, compare, progress

from song2vec.playlists.tables import PLAYLISTS
from song2vec.settings import load_settings

SIZES = [(1_000, 100_000)] if SMALL else [(10_000, 2_000_000), (100_000, 60_000_000), (1_000_000, 20_000_000)]
DIMENSIONS = 256
LENGTH = 20
PIECE = 10_000
REST_MB = 200


def main() -> None:
    """Print a line a size."""
    for songs, wanted in SIZES:
        with tempfile.TemporaryDirectory(prefix="song2vec-bench-") as name:
            folder = Path(name)
            progress(f"training on {wanted:,} words of {songs:,} songs")
            words = write_playlists(folder / "playlists.parquet", songs, wanted)
            peak = peak_mb(folder)
            known = len(np.load(folder / "model" / "songs.npy"))
        matrix = known * DIMENSIONS * 4
        training = 4 * matrix + 2 * known * 4
        finding = 2 * matrix + 16 * words + 14 * known * load_settings().train.neighbours + 64 * 2**20
        allowed = (max(training, finding) + words * 4) / 2**20 + REST_MB
        compare(
            f"train-peak-memory-{songs}-songs",
            lambda peak=peak: peak,
            lambda allowed=allowed: allowed,
            unit="MB",
            against=f"what training or finding neighbours holds, {words:,} words as int32, and {REST_MB} MB",
            pairs=1,
            less_is_better=True,
        )


def write_playlists(path: Path, songs: int, words: int) -> int:
    """Playlists of geometric length; many songs are rare, each is in some playlist. Returns how many words."""
    random = np.random.default_rng(1)
    done = 0
    with pq.ParquetWriter(path, PLAYLISTS) as writer:
        while done < words:
            offsets = np.concatenate([[0], np.cumsum(random.geometric(1 / LENGTH, PIECE))])
            numbers = 1_000 + (random.random(offsets[-1]) ** 3 * songs).astype(np.int64)
            lists = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(numbers))
            names = pa.array([f"{done}-{number}" for number in range(PIECE)])
            writer.write_batch(
                pa.record_batch([pa.array(["csv"] * PIECE), names, lists], schema=PLAYLISTS),
            )
            done += len(numbers)
    return done


def peak_mb(folder: Path) -> float:
    """Train one epoch on the playlists in `folder`; the peak resident memory of that process."""
    options = ["epochs=1", "measure_every=1", "min_count=1", f"vector_size={DIMENSIONS}"]
    command = [sys.executable, "-m", "song2vec", "train", str(folder / "playlists.parquet")]
    command += ["--out", str(folder / "model")]
    for option in options:
        command += ["--set", f"train.{option}"]
    silent = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    process = os.posix_spawn(sys.executable, command, os.environ, file_actions=silent)
    _, status, used = os.wait4(process, 0)
    if status:
        raise RuntimeError(f"training ended with {os.waitstatus_to_exitcode(status)}")
    return used.ru_maxrss / 1024


if __name__ == "__main__":
    main()
