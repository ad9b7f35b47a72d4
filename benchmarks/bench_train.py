"""Our trainer's speed beside gensim's, beside the processor's, with one thread and two, and as data grow.

    PYTHONPATH=include:. python -m benchmarks.bench_train

1 M words in playlists of geometric length, mean 20, of 50,000 songs by Zipf's law; both sides at 256 dimensions,
window 10, 20 negative samples, min_count 3, sample 1e-3. A word is one place in a playlist, read or skipped. gensim
reads its corpus_file, its fastest way; building its vocabulary does not count. Of ours the first epoch does not count:
it loads the compiled loop and makes the matrices. Each run is a process of its own.

The growth lines read every word (sample 0, min_count 1), so that they show what size costs and not how much is skipped.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from benchmarks.lines import SMALL, compare, progress
from threadpoolctl import threadpool_limits

from song2vec.playlists.corpus import Ints, Ragged, Vocabulary
from song2vec.playlists.tables import PLAYLISTS
from song2vec.settings import TrainSettings
from song2vec.train.skipgram import cut_passages
from song2vec.train.skipgram_trainer import keep_probabilities

WORDS, SONGS = (20_000, 1_000) if SMALL else (1_000_000, 50_000)
VOCABULARIES = {"1k": 1_000, "2k": 2_000} if SMALL else {"10k": 10_000, "100k": 100_000, "1m": 1_000_000}
LENGTHS = (5, 50) if SMALL else (5, 50, 500, 5_000)
EPOCHS = 2 if SMALL else 4  # the first does not count
THREADS = 2
PAIRS = 3
SQUARE = 512 if SMALL else 2048  # rows and columns of the matrices that the peak is measured with
SETTINGS = {"vector_size": 256, "window": 10, "negative": 20, "min_count": 3, "sample": 1e-3, "patience": 0}
READ_ALL = {"min_count": 1, "sample": 0}

# Each takes a folder, the threads and what else it needs, and prints the words a second.
_OURS = """
import json, logging, sys
from functools import partial
from pathlib import Path
import structlog
from song2vec.train.checkpoint import Checkpoint
from song2vec.settings import TrainSettings
from song2vec.playlists.playlist_file import open_playlists
from song2vec.train.loop import train_epochs
from song2vec.train.measuring import Measurements, draw_sample
from song2vec.train.skipgram_trainer import SkipGramTrainer
structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
folder, options = Path(sys.argv[1]), TrainSettings(workers=sys.argv[2], **json.loads(sys.argv[3]))
playlists = open_playlists(folder / "playlists.parquet")
counted = playlists.count_songs()
vocabulary, words = counted.seen(options.min_count), int(counted.counts.sum())
rows = playlists.rows(vocabulary)
measurements = Measurements(draw_sample(rows, vocabulary, options), None, every=1, last=options.epochs)
start = partial(SkipGramTrainer, rows, vocabulary, options)
history = train_epochs(start, options, words, measurements, Checkpoint(folder / "checkpoint", "", 86_400))[1]
later = history.records[1:]
print(len(later) * words / sum(record.seconds for record in later))
"""
_GENSIM = """
import json, sys, time
from pathlib import Path
from gensim.models import Word2Vec
folder, options = Path(sys.argv[1]), json.loads(sys.argv[3])
corpus = str(folder / "playlists.txt")
del options["patience"], options["epochs"]
model = Word2Vec(sg=1, workers=int(sys.argv[2]), **options)
model.build_vocab(corpus_file=corpus)
started = time.perf_counter()
model.train(corpus_file=corpus, total_words=model.corpus_total_words, total_examples=model.corpus_count, epochs=1)
print(model.corpus_total_words / (time.perf_counter() - started))
"""


def main() -> None:
    """Print the lines."""
    with tempfile.TemporaryDirectory(prefix="song2vec-bench-") as name:
        folder = Path(name)
        playlists = _write(folder, _draw(np.random.default_rng(1).geometric(1 / 20, WORDS // 20), SONGS))
        _beside_gensim(folder)
        _beside_the_processor(folder, playlists)
        compare(
            "train-threads-2-vs-1",
            lambda: _run(_OURS, folder, threads=2),
            lambda: _run(_OURS, folder, threads=1),
            unit="words/s",
            against="ours with 1 thread",
            pairs=PAIRS,
        )
        _growth(folder)


def _beside_gensim(folder: Path) -> None:
    for threads, name, pairs in ((THREADS, "train-vs-gensim", PAIRS), (1, "train-vs-gensim-1-thread", 1)):
        compare(
            name,
            lambda threads=threads: _run(_OURS, folder, threads),
            lambda threads=threads: _run(_GENSIM, folder, threads),
            unit="words/s",
            against=f"gensim {version('gensim')} corpus_file, {threads} worker{'s' * (threads > 1)}",
            pairs=pairs,
        )


def _beside_the_processor(folder: Path, playlists: Ragged) -> None:
    """What the six matrix products of our loop do a second, beside one large product with as many threads."""
    work = _products(playlists, TrainSettings(**SETTINGS)) / len(playlists.flat)
    compare(
        "train-share-of-sgemm-peak",
        lambda: _run(_OURS, folder, THREADS) * work / 1e9,
        lambda: _peak() / 1e9,
        unit="GFLOP/s",
        against=f"numpy's single-precision product of {SQUARE} x {SQUARE} matrices, {THREADS} threads, its best",
        pairs=PAIRS,
    )


def _growth(folder: Path) -> None:
    """Each size beside the smallest: how many words a second are left."""
    words = max(VOCABULARIES.values()) * 5 // 4
    sizes = {name: _draw(np.full(words // 20, 20), songs, all_of_them=True) for name, songs in VOCABULARIES.items()}
    _grow(folder, "train-growth-vocabulary", sizes, "songs, playlists of 20")
    sizes = {str(length): _draw(np.full(WORDS // length, length), SONGS) for length in LENGTHS}
    _grow(folder, "train-growth-length", sizes, f"songs a playlist, a vocabulary of {SONGS:,}")


def _grow(folder: Path, bench: str, sizes: dict[str, Ragged], what: str) -> None:
    for name, playlists in sizes.items():
        _write(folder / f"{bench}-{name}", playlists)
    settings = {**READ_ALL, "epochs": 2}
    first, *others = sizes
    for name in others:
        compare(
            f"{bench}-{name}",
            lambda name=name: _run(_OURS, folder / f"{bench}-{name}", THREADS, settings),
            lambda: _run(_OURS, folder / f"{bench}-{first}", THREADS, settings),
            unit="words/s",
            against=f"ours with {first} {what}",
            pairs=1,
        )


def _run(code: str, folder: Path, threads: int, settings: dict[str, Any] | None = None) -> float:
    """The words a second that `code` says it reached."""
    options = json.dumps({**SETTINGS, "epochs": EPOCHS, **(settings or {})})
    command = [sys.executable, "-c", code, str(folder), str(threads), options]
    return float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def _draw(lengths: Ints, songs: int, *, all_of_them: bool = False) -> Ragged:
    """Playlists of these lengths, the n-th song drawn in proportion to 1 / n."""
    random = np.random.default_rng(2)
    ends = np.cumsum(1 / np.arange(1, songs + 1))
    flat = np.searchsorted(ends, random.random(lengths.sum()) * ends[-1])
    if all_of_them:
        flat[random.choice(len(flat), songs, replace=False)] = np.arange(songs)
    return Ragged(flat + 10_000, np.concatenate([[0], np.cumsum(lengths)]))


def _write(folder: Path, playlists: Ragged) -> Ragged:
    """As Parquet for ours, as lines for gensim."""
    folder.mkdir(exist_ok=True)
    songs = pa.ListArray.from_arrays(pa.array(playlists.offsets, pa.int32()), pa.array(playlists.flat, pa.int64()))
    columns = [pa.repeat("made up", len(songs)), pa.array(map(str, range(len(songs)))), songs]
    pq.write_table(pa.table(columns, schema=PLAYLISTS), folder / "playlists.parquet")
    lines = (" ".join(map(str, playlist.tolist())) for playlist in playlists.lists())
    (folder / "playlists.txt").write_text("\n".join(lines) + "\n")
    progress(f"{len(playlists.flat):,} words in {len(playlists):,} playlists; load {os.getloadavg()[0]:.1f}")
    return playlists


def _products(playlists: Ragged, settings: TrainSettings) -> float:
    """Floating-point operations of an epoch's matrix products: 6 L (L + K) d a passage of L songs that are read.

    With the input vectors A and output vectors P of the songs, and N of the K noise songs, the products are AP', AN',
    and the gradients' EP, FN, E'A and F'A, where E is L x L and F is L x K.
    """
    random = np.random.default_rng(3)
    vocabulary = Vocabulary(*np.unique(playlists.flat, return_counts=True)).seen(settings.min_count)
    known = vocabulary.known(playlists)
    read = random.random(len(known.flat)) < keep_probabilities(vocabulary.counts, settings.sample)[known.flat]
    before = np.concatenate([[0], np.cumsum(read)])
    starts, lengths = cut_passages(known.offsets, random)
    length = before[starts + lengths] - before[starts]
    length = length[length > 1]  # fewer cannot be learned from
    return float(6 * settings.vector_size * (length * (length + settings.shared_negative)).sum())


def _peak() -> float:
    """Floating-point operations a second of a large matrix product: the best of several, after one to warm up."""
    left, right = np.random.default_rng(4).random((2, SQUARE, SQUARE), np.float32)
    seconds = []
    with threadpool_limits(THREADS, "blas"):
        for _ in range(20):
            started = time.perf_counter()
            left @ right
            seconds.append(time.perf_counter() - started)
    return 2 * SQUARE**3 / min(seconds[1:])


if __name__ == "__main__":
    main()
