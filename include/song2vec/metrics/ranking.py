"""How well ranked recommendations find the hidden songs of held-out playlists.

``H`` is the number of different hidden songs of a playlist, counting those that no recommender knows: they are
misses. ``top`` is how many recommendations are looked at.

=========== =====================================================================================
ndcg        nDCG: a hit at rank r gives 1 / log2(r + 1); divided by the sum that min(top, H) hits at
            the first ranks would give (Järvelin and Kekäläinen 2002, with binary relevance)
hit_rate    HR@10: 1 if there is a hit among the first 10, else 0
r_precision share of the hidden songs that are among the first H; no more than `top` are looked at
recall      share of the hidden songs that are among the first `top`
mrr         1 / rank of the first hit, 0 without one (reciprocal rank: Voorhees 1999)
=========== =====================================================================================

A playlist without hidden songs counts 0 everywhere.
"""

import numpy as np
from numpy.typing import NDArray

from song2vec.playlists.corpus import Ints, Ragged

HIT_RATE_AT = 10
METRICS = ("ndcg", "hit_rate", "r_precision", "recall", "mrr")
"""The metrics that each playlist has."""

Doubles = NDArray[np.float64]


def playlist_metrics(recommended: Ints, hidden: Ragged) -> Doubles:
    """Measure recommendations, playlist by playlist.

    Args:
        recommended: int64 (playlists, top), songs as rows or numbers, best first, each at most once in a
            row; -1 where there is none.
        hidden: for each playlist the songs to find, in the same numbering; -1 is a song the model does not
            know. Repeats of known songs count once, each -1 once.

    Returns:
        float64 (playlists, metrics), each from 0 to 1, in the order of `METRICS`.
    """
    hits, sizes = find_hits(recommended, hidden)
    top = recommended.shape[1]
    ranks = np.arange(1, top + 1)
    gains = 1 / np.log2(ranks + 1)
    ideal = np.concatenate([[0], np.cumsum(gains)])[np.minimum(sizes, top)]
    size = np.maximum(sizes, 1)
    figures = {
        "ndcg": hits @ gains / np.where(ideal > 0, ideal, 1),
        "hit_rate": hits[:, :HIT_RATE_AT].any(axis=1),
        "r_precision": (hits & (ranks <= sizes[:, None])).sum(axis=1) / size,
        "recall": hits.sum(axis=1) / size,
        "mrr": (hits / ranks).max(axis=1, initial=0),
    }
    return np.column_stack([figures[name] for name in METRICS]).astype(np.float64)


def mean_metrics(recommended: Ints, hidden: Ragged) -> dict[str, float]:
    """The means of `playlist_metrics` over the playlists, by name."""
    means = playlist_metrics(recommended, hidden).mean(axis=0)
    return dict(zip(METRICS, means.tolist(), strict=True))


def find_hits(recommended: Ints, hidden: Ragged) -> tuple[NDArray[np.bool_], Ints]:
    """Say which recommendations are hidden songs.

    Returns:
        bool (playlists, top), and int64 (playlists,) the number of different hidden songs.
    """
    known = hidden.flat >= 0
    songs, places = np.unique(hidden.flat[known], return_inverse=True)  # numbers may be too large to multiply
    span = len(songs) + 1
    keys = np.unique(hidden.owners[known] * span + places)  # one number a (playlist, song)
    place = np.searchsorted(songs, recommended)
    is_song = np.append(songs, -1)[place] == recommended
    hits = np.isin(np.arange(len(hidden))[:, None] * span + place, keys) & is_song & (recommended >= 0)
    unknown = np.bincount(hidden.owners[~known], minlength=len(hidden))
    return hits, np.bincount(keys // span, minlength=len(hidden)) + unknown
