"""How fast held-out playlists are continued and measured: ours beside a loop over gensim's most_similar.

    PYTHONPATH=include:. python -m benchmarks.bench_evaluate

1,000 playlists over 150,000 songs of 256 dimensions; made up, since how well they are continued does not matter here.
The model is one of our trainer's: it is scored two-way, with 100 neighbours a song.
gensim's loop asks for one playlist after the other, as one would write it first.
"""

import logging
import os
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import structlog
from benchmarks.lines import SMALL, compare, progress

from song2vec.evaluate import evaluate
from song2vec.evaluate.baselines import Holdings, neighbour_songs
from song2vec.evaluate.recommend import continued
from song2vec.metrics.ranking import mean_metrics
from song2vec.model import Model, read_model, write_model
from song2vec.playlists.corpus import Ints, Ragged, Vocabulary
from song2vec.playlists.heldout_file import read_heldout
from song2vec.playlists.playlist_file import open_playlists
from song2vec.playlists.tables import HELDOUT, PLAYLISTS
from song2vec.settings import load_settings
from song2vec_client.format.layout import TWO_WAY
from song2vec_client.vote import Neighbours

SONGS, DIMENSIONS, ASKED, TRAINED = (2_000, 16, 50, 1_000) if SMALL else (150_000, 256, 1_000, 100_000)
LENGTH = 20  # songs of a playlist, on average
TOP = 100
PAIRS = 3


def main() -> None:
    """Print the lines."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with tempfile.TemporaryDirectory(prefix="song2vec-bench-") as name:
        folder = Path(name)
        progress(f"making up {TRAINED:,} playlists of {SONGS:,} songs; load of the machine: {os.getloadavg()[0]:.1f}")
        model = _make_up(folder)
        asked = read_heldout(folder / "heldout.parquet")
        vectors = _in_gensim(model)
        compare(
            "evaluate-vs-gensim-loop",
            lambda: _seconds(lambda: mean_metrics(continued(model, asked.shown, TOP), asked.hidden)),
            lambda: _seconds(lambda: mean_metrics(_loop(vectors, asked.shown), asked.hidden)),
            unit=f"s for {ASKED:,} playlists x {SONGS:,} songs",
            against=f"a loop over most_similar of gensim {version('gensim')}, and the same metrics",
            pairs=PAIRS,
            less_is_better=True,
        )
        holdings = Holdings.of(open_playlists(folder / "playlists.parquet"))
        compare(
            "evaluate-item-knn-vs-gensim-loop",
            lambda: _seconds(lambda: neighbour_songs(holdings.table, holdings.songs.known(asked.shown), TOP)),
            lambda: _seconds(lambda: _loop(vectors, asked.shown)),
            unit=f"s for {ASKED:,} playlists x {SONGS:,} songs",
            against=f"the same loop; item-kNN learns from {TRAINED:,} playlists",
            pairs=1,
            less_is_better=True,
        )
        files = folder / "model", folder / "heldout.parquet", load_settings()
        compare(
            "evaluate-all-vs-gensim-loop",
            lambda: _seconds(lambda: evaluate(*files, playlists=folder / "playlists.parquet")),
            lambda: _seconds(lambda: _loop(vectors, asked.shown)),
            unit="s, with both baselines, intervals and slices",
            against="the same loop, which measures nothing",
            pairs=1,
            less_is_better=True,
        )


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _make_up(folder: Path) -> Model:
    """Playlists of songs by Zipf's law, half of each shown, and a model with random vectors."""
    random = np.random.default_rng(1)
    weights = 1 / np.arange(1, SONGS + 1)
    lengths = np.maximum(random.poisson(LENGTH, TRAINED + ASKED), 4)
    drawn = np.split(1 + random.choice(SONGS, lengths.sum(), p=weights / weights.sum()), np.cumsum(lengths)[:-1])
    lists = [songs.tolist() for songs in drawn]
    names = [str(number) for number in range(len(lists))]
    training = {"source": ["made up"] * TRAINED, "category": names[ASKED:], "songs": lists[ASKED:]}
    pq.write_table(pa.table(training, PLAYLISTS), folder / "playlists.parquet")
    halves = {"shown": [one[::2] for one in lists[:ASKED]], "hidden": [one[1::2] for one in lists[:ASKED]]}
    asked = {"source": ["made up"] * ASKED, "category": names[:ASKED], **halves}
    pq.write_table(pa.table(asked, HELDOUT), folder / "heldout.parquet")
    vectors, context = (random.standard_normal((SONGS, DIMENSIONS), dtype=np.float32) for _ in range(2))
    counts = np.bincount(np.concatenate(drawn), minlength=SONGS + 1)[1:]
    shape = (SONGS, load_settings().train.neighbours)
    weights = random.random(shape, np.float32).astype(np.float16)
    neighbours = Neighbours(random.integers(SONGS, size=shape, dtype=np.int32), weights)
    vocabulary = Vocabulary(np.arange(1, SONGS + 1), counts)
    (folder / "model").mkdir()
    write_model(folder / "model", Model(vocabulary, vectors, context, TWO_WAY, neighbours))
    return read_model(folder / "model")


def _in_gensim(model: Model) -> Any:
    from gensim.models import KeyedVectors

    vectors = KeyedVectors(DIMENSIONS)
    vectors.add_vectors(list(map(str, model.vocabulary.songs.tolist())), np.asarray(model.vectors))
    vectors.fill_norms()
    return vectors


def _loop(vectors: Any, shown: Ragged) -> Ints:
    found = np.full((len(shown), TOP), -1, np.int64)
    for row, songs in enumerate(shown.lists()):
        known = [str(song) for song in songs.tolist() if str(song) in vectors]
        if known:
            best = vectors.most_similar(known, topn=TOP)
            found[row] = [int(song) for song, _ in best]
    return found


if __name__ == "__main__":
    main()
