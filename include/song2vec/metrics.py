"""How well ranked recommendations find the hidden songs of held-out playlists.

Each figure is the mean over the playlists. ``H`` is the number of different hidden songs of a playlist,
counting those the model does not know: they are misses.

=========== =====================================================================================
ndcg        nDCG: a hit at rank r gives 1 / log2(r + 1); divided by the sum that min(top, H) hits at
            the first ranks would give (Järvelin and Kekäläinen 2002, with binary relevance)
hit_rate    HR@10: 1 if there is a hit among the first 10, else 0
r_precision share of the hidden songs that are among the first H; no more than `top` are looked at
recall      share of the hidden songs that are among the first `top`
=========== =====================================================================================

A playlist without hidden songs counts 0 everywhere.
"""

import numpy as np
from numpy.typing import NDArray

from song2vec.corpus import Ints, Ragged

HIT_RATE_AT = 10


def mean_metrics(recommended: Ints, hidden: Ragged) -> dict[str, float]:
    """Measure recommendations.

    Args:
        recommended: int64 (playlists, top), songs as rows or numbers, best first, each at most once in a
            row; -1 where there is none.
        hidden: for each playlist the songs to find, in the same numbering; -1 is a song the model does not
            know. Repeats of known songs count once, each -1 once.

    Returns:
        ``{"ndcg", "hit_rate", "r_precision", "recall"}``, each from 0 to 1.
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
    }
    return {name: float(np.mean(values)) for name, values in figures.items()}


def find_hits(recommended: Ints, hidden: Ragged) -> tuple[NDArray[np.bool_], Ints]:
    """Say which recommendations are hidden songs.

    Returns:
        bool (playlists, top), and int64 (playlists,) the number of different hidden songs.
    """
    known = hidden.flat >= 0
    span = 1 + max(recommended.max(initial=0), hidden.flat.max(initial=0))
    keys = np.unique(hidden.owners[known] * span + hidden.flat[known])  # one number a (playlist, song)
    asked = np.arange(len(hidden))[:, None] * span + recommended
    hits = np.isin(asked, keys) & (recommended >= 0)
    unknown = np.bincount(hidden.owners[~known], minlength=len(hidden))
    return hits, np.bincount(keys // span, minlength=len(hidden)) + unknown
