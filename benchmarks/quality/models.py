"""Our models and gensim's: trained by the command line, and asked to continue playlists."""

import hashlib
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from benchmarks.lines import SMALL, progress
from benchmarks.quality.data import TOP, best_rows, figures, mean
from benchmarks.quality.tuning import KEPT

from song2vec.evaluate.recommend import continued
from song2vec.model import Model, read_model
from song2vec.playlists.corpus import Ints, Ragged
from song2vec.playlists.heldout_file import Heldout
from song2vec.plumbing.files import whole_folder, write_json
from song2vec.settings import TrainSettings, load_settings, original_settings
from song2vec_client.vote import unit_rows

ORIGINAL = {"trainer": "gensim", "workers": "2", **({"epochs": "2"} if SMALL else {})}
GENSIM = {*original_settings(), "trainer", "vector_size", "min_count", "sample", "ns_exponent", "seed", "workers"}

Scoring = Callable[[Model, Ragged], Ints]
"""Of a model and the shown songs of each playlist, int64 (playlists, TOP), song numbers."""


def train(data: Path, out: Path, settings: dict[str, str]) -> tuple[Model, float]:
    """Train into the folder `out`: the model, and the user and system seconds of the whole process."""
    if SMALL:
        settings = {"epochs": "5", **settings}
    command = [sys.executable, "-c", "import sys; from song2vec.cli.main import main; sys.exit(main())"]
    command += ["train", str(data / "train.parquet"), "--out", str(out), "--json"]
    command += [part for name, value in settings.items() for part in ("--set", f"train.{name}={value}")]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    progress(f"training: {settings or 'default settings'}")
    slow = settings.get("trainer") == "gensim"  # its epochs are shown
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=None if slow else subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return read_model(out), after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def reference(data: Path) -> tuple[Model, float]:
    """Gensim's model at the original settings and its CPU seconds; trained once for the same data."""
    settings = load_settings({f"train.{name}": value for name, value in ORIGINAL.items()}).train
    said = settings.model_dump_json(exclude=set(TrainSettings.model_fields) - GENSIM)
    key = hashlib.sha256(f"{version('gensim')} {said}".encode())
    key.update((data / "train.parquet").read_bytes())
    kept = KEPT / key.hexdigest()[:16]
    if not (kept / "reference.json").is_file():
        with whole_folder(kept) as folder:
            _, seconds = train(data, folder / "model", ORIGINAL)
            write_json(folder / "reference.json", {"seconds": seconds, "load": os.getloadavg()[0]})
    return read_model(kept / "model"), json.loads((kept / "reference.json").read_text())["seconds"]


def as_served(model: Model, shown: Ragged) -> Ints:
    """As services get it."""
    return continued(model, shown, TOP)


def by_cosine(model: Model, shown: Ragged) -> Ints:
    """By cosine to the sum of the shown songs' unit vectors."""
    unit = unit_rows(model.vectors)
    rows = best_rows(lambda asked: (asked @ unit) @ unit.T, model.vocabulary.known(shown), len(unit))
    return model.vocabulary.songs_of(rows)


def best_scoring(model: Model, part: Heldout) -> tuple[Scoring, float]:
    """The scoring that ranks best, and its nDCG."""
    reached = {scoring: mean(figures(scoring(model, part.shown), part), "ndcg") for scoring in (as_served, by_cosine)}
    return max(reached.items(), key=lambda found: found[1])
