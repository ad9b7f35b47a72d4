"""Recommenders beside each other on the same playlists: means, intervals and differences."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from song2vec.metrics.bootstrap import intervals
from song2vec.metrics.ranking import METRICS, playlist_metrics
from song2vec.playlists.corpus import Ints, Ragged

MODEL = "model"


def compare(recommended: Mapping[str, Ints], hidden: Ragged, draws: int) -> dict[str, Any]:
    """Measure recommenders on the same playlists.

    Args:
        recommended: by name, of which one is ``model``: int64 (playlists, top), song numbers, best first.
        hidden: the songs of each playlist that are to be found, as numbers.
        draws: resamples of the bootstrap.

    Returns:
        ``{name: {metric: mean}, …, "playlists", "intervals": {name: {metric: [low, high]}},
        "differences": {other: {metric: {"mean", "interval"}}}}``; a difference is that of the model less the other,
        its interval that of the paired bootstrap: where it holds 0, chance may have made the difference.
    """
    values = {name: playlist_metrics(songs, hidden) for name, songs in recommended.items()}
    others = [name for name in values if name != MODEL]
    columns = np.hstack([*values.values(), *(values[MODEL] - values[other] for other in others)])
    means = columns.mean(axis=0).reshape(-1, len(METRICS)).tolist()
    spans = intervals(columns, draws).reshape(-1, len(METRICS), 2).tolist()
    found = dict(zip(values, zip(means, spans, strict=False), strict=False))
    apart = dict(zip(others, zip(means[len(values) :], spans[len(values) :], strict=True), strict=True))
    return {
        "playlists": len(hidden),
        **{name: _named(mean) for name, (mean, _) in found.items()},
        "intervals": {name: _named(span) for name, (_, span) in found.items()},
        "differences": {
            other: {
                metric: {"mean": mean, "interval": span} for metric, mean, span in zip(METRICS, *of_other, strict=True)
            }
            for other, of_other in apart.items()
        },
    }


def _named(figures: list[Any]) -> dict[str, Any]:
    return dict(zip(METRICS, figures, strict=True))
