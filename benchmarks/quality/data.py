"""The playlists that everyone learns from, and those that everyone continues."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from song2vec.evaluate.baselines import Holdings
from song2vec.metrics.ranking import METRICS, Doubles, playlist_metrics
from song2vec.model import Floats
from song2vec.playlists.corpus import Ints, Ragged
from song2vec.playlists.heldout_file import Heldout, read_heldout
from song2vec.playlists.playlist_file import open_playlists
from song2vec.playlists.similarity import table_of
from song2vec.settings import load_settings
from song2vec_client.scoring import BLOCK_SCORES, top

TOP = 100

Score = Callable[[Any], Floats]
"""Of sparse float32 (playlists, songs), 1 where a song is shown, the scores of all songs, float32 alike."""


@dataclass(frozen=True)
class Data:
    """A folder with train.parquet, valid.parquet and test.parquet."""

    folder: Path

    @cached_property
    def holdings(self) -> Holdings:
        """What the rivals learn from: songs that as few playlists hold as the baselines of the pipeline ask for."""
        return Holdings.of(open_playlists(self.folder / "train.parquet")).seen(load_settings().train.min_count)

    @cached_property
    def valid(self) -> Heldout:
        """What settings are chosen on."""
        return read_heldout(self.folder / "valid.parquet")

    @cached_property
    def test(self) -> Heldout:
        """What is measured once."""
        return read_heldout(self.folder / "test.parquet")

    def digest(self, part: str) -> str:
        """The SHA-256 of what is trained on and of valid.parquet or test.parquet."""
        digest = hashlib.sha256()
        for name in ("train", part):
            digest.update((self.folder / f"{name}.parquet").read_bytes())
        return digest.hexdigest()


def figures(songs: Ints, part: Heldout) -> Doubles:
    """Measure recommendations, int64 (playlists, TOP), song numbers: float64 (playlists, metrics)."""
    return playlist_metrics(songs, part.hidden)


def mean(of_playlists: Doubles, metric: str) -> float:
    """The mean of one metric of `figures`."""
    return float(of_playlists[:, METRICS.index(metric)].mean())


def best_rows(score: Score, shown: Ragged, songs: int) -> Ints:
    """The best songs by `score` that a playlist does not show: int64 (playlists, TOP), rows; -1 where they run out.

    Args:
        score: says how good each song is.
        shown: rows of the shown songs of each playlist.
        songs: how many there are.
    """
    asked = table_of(shown, songs)
    best = np.full((len(shown), TOP), -1, np.int64)
    width, size = min(TOP, songs), max(1, 8 * BLOCK_SCORES // songs)
    for start in range(0, len(shown), size):
        block = asked[start : start + size]
        scores = score(block)
        scores[block.nonzero()] = -np.inf
        rows, values = top(scores, width)
        best[start : start + size, :width] = np.where(np.isneginf(values), -1, rows)
    return best
