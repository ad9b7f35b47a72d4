"""The client beside gensim's KeyedVectors: similar songs in batches and one by one, loading, and memory.

Both hold the same 500,000 vectors of 256 numbers, and are asked for ten neighbours. The vectors are random: an
exact search takes as long on any others. Ours are published to a storage server on this machine and pulled from it,
as our trainer's are, to be scored two-way, with 100 neighbours a song; and once more as gensim's are, to be scored
one-way: how long it takes to continue a playlist, what is pulled and how much memory it takes are compared between the
two.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.lines import SMALL, compare, progress

from song2vec.settings import load_settings
from song2vec_client import Bucket, ModelStore
from song2vec_client.format.layout import (
    CONTEXT,
    COUNTS,
    MANIFEST,
    MODEL_FILES,
    NEIGHBOUR_WEIGHTS,
    NEIGHBOURS,
    ONE_WAY,
    SONGS,
    TWO_WAY,
    VECTORS,
    channel_name,
    file_name,
)
from song2vec_client.format.records import FileEntry, Manifest, Pointer
from tools.gcs import GcsServer

SIZE, DIMENSIONS = (5_000, 32) if SMALL else (500_000, 256)
ASKED = 64 if SMALL else 1_024  # songs, in a batch
ASKED_IN_A_LOOP = 16 if SMALL else 64
PLAYLIST = 20  # songs
PLAYLISTS = 4 if SMALL else 16
PROCESSES = 4
VERSIONS = {TWO_WAY: "20260131T040000Z-0123abcd", ONE_WAY: "20260130T040000Z-0123abcd"}  # the first is live
GENSIM = "gensim 4.4.0 KeyedVectors"

SERVICE = """
import sys
from song2vec_client import ModelStore
model = ModelStore(sys.argv[1], cache=sys.argv[2]).load(sys.argv[3])
model.similar_batch(model.songs[:64], 10)
if sys.argv[4] == "continues":
    model.continue_playlist(model.songs[:20], 10)
print("ready", flush=True)
sys.stdin.readline()
"""


def main() -> None:
    """Print every figure."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(GcsServer(folder / "server"))
        os.environ["STORAGE_EMULATOR_HOST"] = server.url
        server.create_bucket("bench")
        progress(f"publishing {SIZE:,} songs × {DIMENSIONS}")
        _publish("gs://bench/models", _write(folder))
        store = ModelStore("gs://bench/models", cache=folder / "cache")
        progress("pulling them")
        for version in VERSIONS.values():
            store.load(version)
        _speed(store, _gensim(folder))
        _memory(store)
        _size(store)  # first: what this process maps too would be counted by half
        _continuing(store)


def _speed(store: ModelStore, saved: Path) -> None:
    from gensim.models import KeyedVectors

    model, theirs = store.load(), KeyedVectors.load(str(saved), mmap="r")
    theirs.fill_norms()
    rng = np.random.default_rng(1)
    batch = [int(song) for song in rng.choice(model.songs, ASKED)]
    some = batch[:ASKED_IN_A_LOOP]

    def one_by_one() -> None:
        for song in some:
            model.similar(song, 10)

    def gensim() -> float:
        return _milliseconds(lambda: [theirs.most_similar(str(song), topn=10) for song in some]) / len(some)

    compare(
        "client-batch-vs-gensim",
        lambda: _milliseconds(lambda: model.similar_batch(batch, 10)) / len(batch),
        gensim,
        unit="ms a song",
        against=f"{GENSIM}.most_similar in a loop",
        pairs=5,
        less_is_better=True,
    )
    compare(
        "client-single-vs-gensim",
        lambda: _milliseconds(one_by_one) / len(some),
        gensim,
        unit="ms a song",
        against=f"{GENSIM}.most_similar",
        pairs=5,
        less_is_better=True,
    )
    compare(
        "client-warm-load-ms",
        lambda: _milliseconds(store.load),
        lambda: _milliseconds(lambda: KeyedVectors.load(str(saved), mmap="r")),
        unit="ms",
        against=f"{GENSIM}.load with mmap, of a local file; ours asks the store which version is live",
        pairs=9,
        less_is_better=True,
    )


def _memory(store: ModelStore) -> None:
    compare(
        f"client-memory-{PROCESSES}-processes",
        lambda: _megabytes(store, TWO_WAY, PROCESSES),
        lambda: PROCESSES * _megabytes(store, TWO_WAY),
        unit="MB (PSS)",
        against=f"{PROCESSES} times one process alone",
        pairs=1,
        less_is_better=True,
    )


def _size(store: ModelStore) -> None:
    """What it takes that playlists are continued in both directions and with neighbours."""

    def pulled(scoring: str) -> float:
        return sum(entry.size for entry in store.version(VERSIONS[scoring]).manifest.model_files) / 1e6

    def memory(scoring: str) -> float:
        return _megabytes(store, scoring, continues=True)

    _two_way_vs_one_way("pulled", pulled, unit="MB", pairs=1)
    _two_way_vs_one_way("memory", memory, unit="MB (PSS), after similar and continue", pairs=1)


def _continuing(store: ModelStore) -> None:
    models = {scoring: store.load(version) for scoring, version in VERSIONS.items()}
    rng = np.random.default_rng(2)
    playlists = [rng.choice(models[TWO_WAY].songs, PLAYLIST, replace=False) for _ in range(PLAYLISTS)]

    def continued(scoring: str) -> float:
        ask = models[scoring].continue_playlist
        return _milliseconds(lambda: [ask(playlist, 10) for playlist in playlists]) / PLAYLISTS

    _two_way_vs_one_way("continue", continued, unit=f"ms a playlist of {PLAYLIST} songs", pairs=7)


def _two_way_vs_one_way(what: str, measure: Callable[[str], float], *, unit: str, pairs: int) -> None:
    compare(
        f"client-{what}-two-way-vs-one-way",
        lambda: measure(TWO_WAY),
        lambda: measure(ONE_WAY),
        unit=unit,
        against="the same vectors scored one-way",
        pairs=pairs,
        less_is_better=True,
    )


def _milliseconds(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return 1_000 * (time.perf_counter() - began)


def _megabytes(store: ModelStore, scoring: str, processes: int = 1, *, continues: bool = False) -> float:
    """The memory that processes of a service take together, each page counted once: their proportional set sizes.

    They ask for similar songs, and where they are to, also how a playlist continues.
    """
    asks = "continues" if continues else ""
    command = [sys.executable, "-c", SERVICE, store.bucket.uri, str(store.cache.folder), VERSIONS[scoring], asks]
    with ExitStack() as stack:
        started = [
            stack.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
            for _ in range(processes)
        ]
        for process in started:
            if process.stdout is None or process.stdout.readline() != b"ready\n":
                raise RuntimeError("a service did not start: see above")
        sizes = [Path(f"/proc/{process.pid}/smaps_rollup").read_text() for process in started]
        for process in started:
            process.communicate(b"\n")
    return sum(int(line.split()[1]) for size in sizes for line in size.splitlines() if line.startswith("Pss:")) / 1e3


def _write(folder: Path) -> Path:
    rng = np.random.default_rng(0)
    model = folder / "model"
    model.mkdir()
    for name in (VECTORS, CONTEXT):
        np.save(model / name, rng.standard_normal((SIZE, DIMENSIONS), dtype=np.float32))
    np.save(model / SONGS, rng.permutation(2 * SIZE)[:SIZE])
    np.save(model / COUNTS, np.arange(SIZE, 0, -1))
    shape = (SIZE, load_settings().train.neighbours)
    np.save(model / NEIGHBOURS, rng.integers(SIZE, size=shape, dtype=np.int32))
    np.save(model / NEIGHBOUR_WEIGHTS, rng.random(shape, np.float32).astype(np.float16))
    return model


def _publish(uri: str, model: Path) -> None:
    """The model as a version that is scored two-way, and without its neighbours as one that is scored one-way."""
    bucket, now = Bucket.open(uri), datetime.now(UTC).replace(microsecond=0)
    manifests = {}
    for scoring, version in VERSIONS.items():
        files = []
        for name in MODEL_FILES[scoring]:
            stored = bucket.create(file_name(version, name), model / name)
            files.append(FileEntry(name, stored.size, stored.sha256, stored.crc32c))
        manifest = Manifest(version, None, now, True, "accepted", {}, "", "", tuple(files), scoring=scoring)
        manifests[scoring] = bucket.create(file_name(version, MANIFEST), manifest.to_bytes())
    pointer = Pointer(1, "production", VERSIONS[TWO_WAY], manifests[TWO_WAY].sha256, None, "bench", now, "bench")
    bucket.create(channel_name("production"), pointer.to_bytes())


def _gensim(folder: Path) -> Path:
    from gensim.models import KeyedVectors

    theirs = KeyedVectors(DIMENSIONS)
    songs = [str(song) for song in np.load(folder / "model" / SONGS)]
    theirs.add_vectors(songs, np.load(folder / "model" / VECTORS))
    theirs.save(str(folder / "gensim.kv"))
    return folder / "gensim.kv"


if __name__ == "__main__":
    main()
