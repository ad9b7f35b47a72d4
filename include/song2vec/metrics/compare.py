"""Recommenders beside each other on the same playlists: means, intervals and differences."""

from collections.abc import Mapping

import numpy as np

from song2vec.metrics.bootstrap import intervals
from song2vec.metrics.ranking import METRICS, Doubles, playlist_metrics
from song2vec.playlists.corpus import Ints, Ragged
from song2vec.records import ByRecommender, Compared, Difference, Differences, Figures, Spans

MODEL = "model"

Measured = Mapping[str, tuple[float, tuple[float, float]]]
"""Figures by metric, each with its interval."""
Beyond = Mapping[str, tuple[float | None, tuple[float, float] | None]]
"""The same, of metrics that may have no figure."""


def compare(
    recommended: Mapping[str, Ints], hidden: Ragged, draws: int, beyond: Mapping[str, Beyond] | None = None
) -> Compared:
    """Measure recommenders on the same playlists.

    Args:
        recommended: by name (the fields of `ByRecommender`), of which one is ``model``: int64 (playlists, top), song
            numbers, best first.
        hidden: the songs of each playlist that are to be found, as numbers.
        draws: resamples of the bootstrap.
        beyond: by name, figures that are measured otherwise, to be put beside those of `METRICS`.

    Returns:
        Means over the playlists, their intervals, and the differences of the model less each other, whose intervals
        are those of the paired bootstrap: where one holds 0, chance may have made the difference.
    """
    values = {name: playlist_metrics(songs, hidden) for name, songs in recommended.items()}
    others = [name for name in values if name != MODEL]
    measured = _measured(np.hstack([*values.values(), *(values[MODEL] - values[other] for other in others)]), draws)
    own = {name: {**figures, **(beyond or {}).get(name, {})} for name, figures in zip(values, measured, strict=False)}
    apart = dict(zip(others, measured[len(values) :], strict=True))
    return Compared(
        playlists=len(hidden),
        **{name: _figures(figures) for name, figures in own.items()},
        intervals=ByRecommender[Spans](**{name: _spans(figures) for name, figures in own.items()}),
        differences=ByRecommender[Differences](**{name: _differences(figures) for name, figures in apart.items()}),
    )


def _measured(columns: Doubles, draws: int) -> list[Measured]:
    """The mean and the interval of each column, float64 (playlists, columns), by metric, of one after another."""
    spans = [(low, high) for low, high in intervals(columns, draws).tolist()]
    pairs = list(zip(columns.mean(axis=0).tolist(), spans, strict=True))
    starts = range(0, len(pairs), len(METRICS))
    return [dict(zip(METRICS, pairs[start : start + len(METRICS)], strict=True)) for start in starts]


def _figures(measured: Beyond) -> Figures:
    return Figures(**{metric: figure for metric, (figure, _) in measured.items()})


def _spans(measured: Beyond) -> Spans:
    return Spans(**{metric: span for metric, (_, span) in measured.items()})


def _differences(measured: Measured) -> Differences:
    return Differences(**{metric: Difference(mean=mean, interval=span) for metric, (mean, span) in measured.items()})
