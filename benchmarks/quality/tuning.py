"""The settings of each rival: chosen on the valid part by one search, as many trials for everyone, and kept.

What was chosen, and what the rival then recommends to the playlists of the test part, is kept under .cache/ by digest
of the playlists, of what is tried and of the code: a change of any of them is measured anew.
"""

import hashlib
import inspect
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from benchmarks.lines import SMALL, progress
from benchmarks.quality.data import Data, figures, mean
from benchmarks.quality.rivals import RIVALS, Chosen, Rival

from song2vec.playlists.corpus import Ints
from song2vec.playlists.heldout_file import Heldout
from song2vec.plumbing.files import whole_file, write_json

KEPT = Path(".cache/bench-quality")
TRIALS = 2 if SMALL else 16


@dataclass(frozen=True)
class Tuned:
    """What the search found.

    Attributes:
        settings: the best.
        ndcg: nDCG@100 with them on the valid part; `hit_rate`: HR@10.
        seconds: CPU seconds of training and recommending with them.
        trials: how many settings were tried.
    """

    settings: dict[str, float]
    ndcg: float
    hit_rate: float
    seconds: float
    trials: int

    @property
    def words(self) -> str:
        """The settings, for people; empty where nothing is tuned."""
        return ", ".join(f"{name} {value:g}" for name, value in self.settings.items())


def tuned(data: Data, rival: Rival) -> Tuned:
    """Choose the settings of a rival on the valid part; what was chosen before is read."""
    kept = _kept(data, rival, "valid").with_suffix(".json")
    if kept.is_file():
        return Tuned(**json.loads(kept.read_text()))
    start = tuned(data, _named(rival.after)).settings if rival.after else rival.start
    trials: list[Tuned] = []

    def measure(settings: Chosen) -> float:
        songs, seconds = _recommended(data, rival, settings, data.valid)
        of_playlists = figures(songs, data.valid)
        ndcg, hit_rate = mean(of_playlists, "ndcg"), mean(of_playlists, "hit_rate")
        trials.append(Tuned(dict(settings), ndcg, hit_rate, seconds, len(trials) + 1))
        said = f"{rival.title}: trial {len(trials)}: {trials[-1].words or 'as it is'}"
        progress(f"{said}: nDCG@100 {ndcg:.4f}, HR@10 {hit_rate:.3f}, {seconds:.1f} CPU s, on the valid part")
        return ndcg

    climb(rival.axes, start, measure, TRIALS)
    best = max(trials, key=lambda trial: trial.ndcg)
    found = Tuned(best.settings, best.ndcg, best.hit_rate, best.seconds, len(trials))
    kept.parent.mkdir(parents=True, exist_ok=True)
    write_json(kept, asdict(found))
    return found


def recommended(data: Data, rival: Rival) -> Ints:
    """What the tuned rival recommends to the playlists of the test part: int64 (playlists, TOP), song numbers."""
    kept = _kept(data, rival, "test").with_suffix(".npy")
    if not kept.is_file():
        songs, _ = _recommended(data, rival, tuned(data, rival).settings, data.test)
        with whole_file(kept) as path, path.open("wb") as file:
            np.save(file, songs)
    return np.asarray(np.load(kept))


def climb(
    axes: Mapping[str, Sequence[float]], start: Chosen, measure: Callable[[Chosen], float], trials: int
) -> Chosen:
    """Walk along one axis after another, as long as it gets better, until nothing does or `trials` are used up.

    Args:
        axes: the values of each setting, in order.
        start: where to begin; its values are among those of the axes.
        measure: says how good settings are, the higher the better; asked once of each.
        trials: how often it is asked at most.

    Returns:
        The best settings that were measured.
    """
    found: dict[tuple[float, ...], float] = {}

    def value(point: tuple[float, ...]) -> float:
        if point not in found and len(found) < trials:
            found[point] = measure(dict(zip(axes, point, strict=True)))
        return found.get(point, -np.inf)

    best, before = tuple(start[name] for name in axes), None
    value(best)
    while best != before:
        before = best
        for place, values in enumerate(axes.values()):
            for step in (1, -1):
                while value(point := _beside(best, place, values, step)) > value(best):
                    best = point
    return dict(zip(axes, best, strict=True))


def _beside(point: tuple[float, ...], place: int, values: Sequence[float], step: int) -> tuple[float, ...]:
    """The point one step along an axis; the same one at its end."""
    at = min(max(values.index(point[place]) + step, 0), len(values) - 1)
    return (*point[:place], values[at], *point[place + 1 :])


def _recommended(data: Data, rival: Rival, settings: Chosen, part: Heldout) -> tuple[Ints, float]:
    """Song numbers, and the CPU seconds they took."""
    holdings = data.holdings
    before = time.process_time()
    rows = rival.recommend(holdings, holdings.songs.known(part.shown), settings)
    return holdings.songs.songs_of(rows), time.process_time() - before


def _kept(data: Data, rival: Rival, part: str) -> Path:
    said = [rival.name, json.dumps([rival.axes, rival.start]), str(TRIALS), data.digest("valid"), data.digest(part)]
    said += [inspect.getsource(rival.code)]
    return KEPT / f"{rival.name}-{part}-{hashlib.sha256(chr(0).join(said).encode()).hexdigest()[:16]}"


def _named(name: str) -> Rival:
    return next(rival for rival in RIVALS if rival.name == name)
