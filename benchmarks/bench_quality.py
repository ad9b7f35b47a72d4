"""How well models find the hidden half of playlists: ours beside gensim at the original settings, item-kNN and ALS.

    PYTHONPATH=include:. python -m benchmarks.bench_quality [--data DIR]

DIR holds train.parquet (source, category, songs), valid.parquet and test.parquet (shown, hidden); without it the
playlists are made up. The test part is only measured, once a run; all else is measured on the valid part. Models are
trained by the command line, each in a process of its own, whose user and system seconds, all threads and start-up
included, are what it needs. gensim's reference is kept under .cache/, by digest of the data and the settings.
"""

import argparse
import hashlib
import json
import logging
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from statistics import mean, stdev

import numpy as np
import structlog
from benchmarks.lines import SMALL, compare, progress
from benchmarks.made_up import make_up

from song2vec.evaluate.baselines import Holdings, neighbour_songs, popular_songs
from song2vec.metrics.ranking import mean_metrics
from song2vec.model import Floats, Model, read_model
from song2vec.playlists.corpus import Ints, Ragged, Vocabulary
from song2vec.playlists.heldout_file import Heldout, read_heldout
from song2vec.playlists.playlist_file import open_playlists
from song2vec.plumbing.files import whole_folder, write_json
from song2vec.settings import TrainSettings, load_settings, original_settings
from song2vec_client.scoring import continue_rows, top, unit_rows

KEPT = Path(".cache/bench-quality")
ORIGINAL = {"trainer": "gensim", "workers": "2", **({"epochs": "2"} if SMALL else {})}
GENSIM = {*original_settings(), "trainer", "vector_size", "min_count", "sample", "ns_exponent", "seed", "workers"}
SCHEDULES = (2, 25) if SMALL else (6, 8, 10, 12, 14, 16, 20, 25)  # epochs of a full training, fewest first
QUICK = {  # docs/training.md
    "window": "3",
    "far_weight": "0.05",
    "alpha": "0.25",
    "negative": "8",
    "shared_negative": "40",
    "ns_exponent": "0.6",
    "validation_playlists": "0",
}
SEEDS = range(1, 3) if SMALL else range(1, 6)
TOP = 100


def main() -> None:
    """Print the lines."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    options = argparse.ArgumentParser(description="Measures the quality of models.")
    options.add_argument("--data", type=Path, help="folder with train.parquet, valid.parquet and test.parquet")
    data: Path | None = options.parse_args().data
    with tempfile.TemporaryDirectory(prefix="song2vec-bench-") as name:
        folder = Path(name)
        data = data or make_up(folder / "data")
        progress(f"measuring on {data}; load of the machine: {os.getloadavg()[0]:.1f}")
        defaults = _train(data, folder / "default", {})[0]
        _final(data, defaults)
        _spread(data, folder, defaults)
        _beside_gensim(data, folder, defaults)


def _beside_gensim(data: Path, folder: Path, defaults: Model) -> None:
    """Default settings beside the original ones after 100 epochs, both scored alike; then the time to reach as much."""
    valid = read_heldout(data / "valid.parquet")
    model, seconds = _reference(data)
    against = f"gensim {version('gensim')}, original settings"
    for bench, scoring in (("", _by_client), ("cosine-", _by_cosine)):
        compare(
            f"quality-{bench}vs-gensim",
            lambda scoring=scoring: _measure(scoring, defaults, valid)["ndcg"],
            lambda scoring=scoring: _measure(scoring, model, valid)["ndcg"],
            unit="nDCG@100",
            against=f"{against}, on the valid part",
            pairs=1,
        )
    wanted = _best_scoring(model, valid)
    reached = _reach(wanted, data, folder, valid)
    if reached is None:
        progress(f"quality-cpu-to-seed-quality: no figure, for no training reaches {wanted:.4f}")
        return
    epochs, ndcg, ours = reached
    compare(
        "quality-cpu-to-seed-quality",
        lambda: ours,
        lambda: seconds,
        unit="CPU s",
        against=f"{against}, nDCG@100 {wanted:.4f} on the valid part; ours {ndcg:.4f} by all of {epochs} quick epochs",
        pairs=1,
        less_is_better=True,
    )


def _reach(wanted: float, data: Path, folder: Path, valid: Heldout) -> tuple[int, float, float] | None:
    """The shortest full training with the settings `QUICK` that ranks as well as `wanted`: epochs, nDCG, CPU seconds.

    The learning rate falls over a training, so that the first epochs of a long one are no measure: each length is
    a training of its own, and only the one that counts is paid for. A model's better scoring counts.
    """
    for epochs in SCHEDULES:
        model, seconds = _train(data, folder / "ours", {**QUICK, "epochs": str(epochs)})
        ndcg = _best_scoring(model, valid)
        progress(f"ours: {epochs} epochs: nDCG@100 {ndcg:.4f} of {wanted:.4f}, {seconds:.1f} CPU s")
        if ndcg >= wanted:
            return epochs, ndcg, seconds
    return None


def _final(data: Path, model: Model) -> None:
    """Default settings on the test part, beside what else one would use; the others learn from all playlists."""
    test, file = read_heldout(data / "test.parquet"), open_playlists(data / "train.parquet")
    ours = _measure(_by_client, model, test)
    holdings = Holdings.of(file).seen(load_settings().train.min_count)
    shown, hidden = _rows(test, holdings.songs)
    rivals = {
        "item-knn": ("item-kNN by cosine", lambda: neighbour_songs(holdings.table, shown, TOP)),
        "als": (f"implicit {version('implicit')} ALS, 128 factors", lambda: _als(holdings, shown)),
        "popularity": ("the most frequent songs", lambda: popular_songs(holdings.songs.counts, shown, TOP)),
    }
    for name, (against, recommend) in rivals.items():
        theirs = mean_metrics(recommend(), hidden)
        for bench, metric, unit in (("", "ndcg", "nDCG@100"), ("hr-", "hit_rate", "HR@10")):
            compare(
                f"quality-{bench}vs-{name}",
                lambda metric=metric: ours[metric],
                lambda theirs=theirs, metric=metric: theirs[metric],
                unit=unit,
                against=f"{against}, on the test part",
                pairs=1,
            )


def _spread(data: Path, folder: Path, defaults: Model) -> None:
    """With two threads over seeds; and with one, the same twice."""
    valid = read_heldout(data / "valid.parquet")

    def train(**settings: str) -> Model:
        return _train(data, folder / "spread", settings)[0]

    reached = [_measure(_by_client, train(seed=str(seed), workers="2"), valid)["ndcg"] for seed in SEEDS]
    compare(
        "quality-spread",
        lambda: min(reached),
        lambda: max(reached),
        unit="nDCG@100",
        against=f"the best of {len(reached)} seeds with 2 threads beside the worst, on the valid part; "
        f"mean {mean(reached):.4f}, standard deviation {stdev(reached):.4f}",
        pairs=1,
    )
    first, again = train(workers="1"), train(workers="1")
    if not (np.array_equal(first.vectors, again.vectors) and np.array_equal(first.context, again.context)):
        raise RuntimeError("two trainings with one thread and one seed differ; expected the same bits")
    compare(
        "quality-one-thread-twice",
        lambda: _measure(_by_client, first, valid)["ndcg"],
        lambda: _measure(_by_client, again, valid)["ndcg"],
        unit="nDCG@100",
        against="the same training again: every bit is the same",
        pairs=1,
    )


def _train(data: Path, out: Path, settings: dict[str, str]) -> tuple[Model, float]:
    """Train by the command line: the model, and the user and system seconds that the process took.

    The matrices are read at once: `out` may be written again.
    """
    command = [sys.executable, "-c", "import sys; from song2vec.cli.main import main; sys.exit(main())"]
    command += ["train", str(data / "train.parquet"), "--out", str(out), "--json"]
    command += [part for name, value in settings.items() for part in ("--set", f"train.{name}={value}")]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    progress(f"training: {settings or 'default settings'}")
    slow = settings.get("trainer") == "gensim"  # its epochs are shown
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=None if slow else subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    model = read_model(out)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Model(model.vocabulary, np.array(model.vectors), np.array(model.context)), seconds


def _reference(data: Path) -> tuple[Model, float]:
    """Gensim's model at the original settings and its CPU seconds; trained once for the same data."""
    settings = load_settings({f"train.{name}": value for name, value in ORIGINAL.items()}).train
    said = settings.model_dump_json(exclude=set(TrainSettings.model_fields) - GENSIM)
    key = hashlib.sha256(f"{version('gensim')} {said}".encode())
    key.update((data / "train.parquet").read_bytes())
    kept = KEPT / key.hexdigest()[:16]
    if not (kept / "reference.json").is_file():
        with whole_folder(kept) as folder:
            _, seconds = _train(data, folder / "model", ORIGINAL)
            write_json(folder / "reference.json", {"seconds": seconds, "load": os.getloadavg()[0]})
    return read_model(kept / "model"), json.loads((kept / "reference.json").read_text())["seconds"]


def _best_scoring(model: Model, part: Heldout) -> float:
    return max(_measure(scoring, model, part)["ndcg"] for scoring in (_by_client, _by_cosine))


def _measure(scoring: Callable[[Model, Ragged], Ints], model: Model, part: Heldout) -> dict[str, float]:
    shown, hidden = _rows(part, model.vocabulary)
    return mean_metrics(scoring(model, shown), hidden)


def _by_client(model: Model, shown: Ragged) -> Ints:
    """As the client continues playlists: by the context vectors."""
    return continue_rows(model.vectors, model.context, shown.lists(), TOP)[0]


def _by_cosine(model: Model, shown: Ragged) -> Ints:
    """By cosine to the mean of the shown songs' unit vectors, shown ones left out."""
    unit = unit_rows(model.vectors)
    found = [_nearest(unit, playlist) for playlist in shown.lists()]
    return np.stack(found)


def _nearest(unit: Floats, playlist: Ints) -> Ints:
    scores = unit @ unit[playlist].sum(axis=0)
    scores[playlist] = -np.inf
    rows, values = top(scores[None], min(TOP, len(unit)))
    return np.where(np.isneginf(values[0]), -1, rows[0])


def _als(holdings: Holdings, shown: Ragged) -> Ints:
    from implicit.als import AlternatingLeastSquares
    from scipy.sparse import csr_matrix
    from threadpoolctl import threadpool_limits

    ones = np.ones(len(shown.flat), np.float32)
    asked = csr_matrix((ones, (shown.owners, shown.flat)), (len(shown), len(holdings.songs.songs)))
    asked.data[:] = 1
    with threadpool_limits(1, "blas"):
        model = AlternatingLeastSquares(
            factors=128, regularization=0.05, alpha=20, iterations=15, random_state=1, use_gpu=False
        )
        model.fit(csr_matrix(holdings.table), show_progress=False)
        users = np.arange(len(shown))
        found, scores = model.recommend(users, asked, N=TOP, filter_already_liked_items=True, recalculate_user=True)
    return np.where(scores > -1e30, found, -1).astype(np.int64)  # what is filtered has the lowest of all scores


def _rows(part: Heldout, vocabulary: Vocabulary) -> tuple[Ragged, Ragged]:
    """Shown and hidden songs as rows; shown ones that are not known left out, hidden ones -1."""
    return vocabulary.known(part.shown), part.hidden.replaced(vocabulary.rows_of(part.hidden.flat))


if __name__ == "__main__":
    main()
