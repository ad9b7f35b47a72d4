"""How well our models find the hidden half of playlists, beside rivals that are tuned on the same playlists.

    PYTHONPATH=include:. python -m benchmarks.bench_quality [--data DIR]

DIR holds train.parquet (source, category, songs), valid.parquet and test.parquet (shown, hidden); without it the
playlists are made up. The settings of the rivals are chosen on the valid part; ours are the defaults. The test part is
only measured, once a run. Ours is the mean of several seeds, playlist by playlist. Models are trained by the command
line, each in a process of its own, whose user and system seconds, all threads and start-up included, are what it needs.
"""

import argparse
import logging
import os
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import mean as mean_of
from statistics import stdev

import numpy as np
import structlog
from benchmarks.lines import SMALL, compare, progress
from benchmarks.made_up import make_up
from benchmarks.quality.data import Data, figures, mean
from benchmarks.quality.models import as_served, best_scoring, reference, train
from benchmarks.quality.rivals import RIVALS, Rival
from benchmarks.quality.tuning import Tuned, recommended, tuned

from song2vec.metrics.bootstrap import intervals
from song2vec.metrics.ranking import METRICS, Doubles
from song2vec.settings import load_settings

SCHEDULES = (2, 25) if SMALL else (6, 8, 10, 12, 14, 16, 20, 25)  # epochs of a full training, fewest first
QUICK = {  # docs/training.md
    "window": "3",
    "far_weight": "0.05",
    "alpha": "0.25",
    "negative": "8",
    "shared_negative": "40",
    "subset_share": "0",
    "validation_playlists": "0",
}
SEEDS = range(1, 3) if SMALL else range(1, 4)
SPREAD = range(1, 3) if SMALL else range(1, 6)  # seeds with two threads


def main() -> None:
    """Print the lines."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    options = argparse.ArgumentParser(description="Measures the quality of models.")
    options.add_argument("--data", type=Path, help="folder with train.parquet, valid.parquet and test.parquet")
    given: Path | None = options.parse_args().data
    with tempfile.TemporaryDirectory(prefix="song2vec-bench-") as name:
        folder = Path(name)
        data = Data(given or make_up(folder / "data"))
        progress(f"measuring on {data.folder}; load of the machine: {os.getloadavg()[0]:.1f}")
        chosen = {rival: tuned(data, rival) for rival in RIVALS}
        _beside_rivals(data, folder, chosen)
        _to_the_quality_of_gensim(data, folder)
        _spread(data, folder)


def _beside_rivals(data: Data, folder: Path, chosen: dict[Rival, Tuned]) -> None:
    """Our default settings on the test part, beside everyone else."""
    seeds = [_of_seed(data, folder, seed) for seed in SEEDS]
    for rival, found in chosen.items():
        theirs = figures(recommended(data, rival), data.test)
        settings = f": {found.words}" * bool(found.settings)
        tried = f", the best of {found.trials} on the valid part" * (found.trials > 1)
        title = f"{rival.title}{rival.restricted(data.holdings)}{settings}{tried}; {found.seconds:.1f} CPU s"
        _print_beside(rival.name, title, seeds, theirs)
    model, seconds = reference(data.folder)
    scoring, _ = best_scoring(model, data.valid)
    epochs = load_settings({"train.trainer": "gensim"}).train.epochs
    title = f"gensim {version('gensim')}, original settings, {epochs} epochs, {scoring.__name__}; {seconds:.0f} CPU s"
    _print_beside("gensim", title, seeds, figures(scoring(model, data.test.shown), data.test))


def _of_seed(data: Data, folder: Path, seed: int) -> Doubles:
    """The figures of a training with this seed on the test part."""
    model, seconds = train(data.folder, folder / f"seed-{seed}", {"seed": str(seed)})
    found = figures(as_served(model, data.test.shown), data.test)
    progress(f"ours: seed {seed}: nDCG@100 {mean(found, 'ndcg'):.4f} on the test part, {seconds:.1f} CPU s")
    return found


def _print_beside(name: str, title: str, seeds: Sequence[Doubles], theirs: Doubles) -> None:
    """One line a metric: the mean over our seeds, each of them, and the interval of the paired difference."""
    ours = np.mean(seeds, axis=0)
    spans = dict(zip(METRICS, intervals(ours - theirs, load_settings().evaluate.bootstrap).tolist(), strict=True))
    for bench, metric, unit in (("", "ndcg", "nDCG@100"), ("hr-", "hit_rate", "HR@10")):
        compare(
            f"quality-{bench}vs-{name}",
            lambda metric=metric: mean(ours, metric),
            lambda metric=metric: mean(theirs, metric),
            unit=unit,
            against=f"{title}; on the test part",
            pairs=1,
            difference=mean(ours - theirs, metric),
            interval=spans[metric],
            seeds=[mean(found, metric) for found in seeds],
        )


def _to_the_quality_of_gensim(data: Data, folder: Path) -> None:
    """The CPU seconds until a model of ours ranks as well as gensim's original settings after 100 epochs."""
    model, seconds = reference(data.folder)
    scoring, wanted = best_scoring(model, data.valid)
    reached = _reach(wanted, data, folder)
    if reached is None:
        progress(f"quality-cpu-to-seed-quality: no figure, for no training reaches {wanted:.4f}")
        return
    epochs, ndcg, ours = reached
    compare(
        "quality-cpu-to-seed-quality",
        lambda: ours,
        lambda: seconds,
        unit="CPU s",
        against=f"gensim {version('gensim')}, original settings, {scoring.__name__}, nDCG@100 {wanted:.4f} on the "
        f"valid part; ours {ndcg:.4f} by all of {epochs} quick epochs",
        pairs=1,
        less_is_better=True,
    )


def _reach(wanted: float, data: Data, folder: Path) -> tuple[int, float, float] | None:
    """The shortest full training with the settings `QUICK` that ranks as well as `wanted`: epochs, nDCG, CPU seconds.

    Each length is a training of its own, from the start of the process to the files of the model, and only the one
    that counts is paid for. A model's better scoring counts.
    """
    for epochs in SCHEDULES:
        model, seconds = train(data.folder, folder / f"quick-{epochs}", {**QUICK, "epochs": str(epochs)})
        _, ndcg = best_scoring(model, data.valid)
        progress(f"ours: {epochs} epochs: nDCG@100 {ndcg:.4f} of {wanted:.4f}, {seconds:.1f} CPU s")
        if ndcg >= wanted:
            return epochs, ndcg, seconds
    return None


def _spread(data: Data, folder: Path) -> None:
    """With two threads over seeds; and with one, the same twice."""

    def trained(name: str, **settings: str) -> tuple[Path, float]:
        model, _ = train(data.folder, folder / name, settings)
        return folder / name, mean(figures(as_served(model, data.valid.shown), data.valid), "ndcg")

    reached = [trained(f"threads-{seed}", seed=str(seed), workers="2")[1] for seed in SPREAD]
    compare(
        "quality-spread",
        lambda: min(reached),
        lambda: max(reached),
        unit="nDCG@100",
        against=f"the best of {len(reached)} seeds with 2 threads beside the worst, on the valid part; "
        f"mean {mean_of(reached):.4f}, standard deviation {stdev(reached):.4f}",
        pairs=1,
    )
    (first, ndcg), (again, ndcg_again) = trained("once", workers="1"), trained("twice", workers="1")
    for array in first.glob("*.npy"):
        if array.read_bytes() != (again / array.name).read_bytes():
            raise RuntimeError(f"two trainings with one thread and one seed differ in {array.name}; expected the same")
    compare(
        "quality-one-thread-twice",
        lambda: ndcg,
        lambda: ndcg_again,
        unit="nDCG@100",
        against="the same training again: every bit is the same",
        pairs=1,
    )


if __name__ == "__main__":
    main()
