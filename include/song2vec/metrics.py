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

A playlist without hidden songs counts 0 everywhere. Of all recommendations together:

=============== =================================================================================
coverage        share of the songs that can be recommended which at least one playlist is
                recommended (catalogue coverage: Ge, Delgado-Battenfeld and Jannach 2010)
popularity_bias popularity lift (Abdollahpouri et al. 2020): how many times more popular the
                recommended songs are than the hidden ones, less 1; each a mean over playlists of
                the mean over songs. 0: as popular as what people chose
=============== =================================================================================
"""

import numpy as np
from numpy.typing import NDArray

from song2vec.corpus import Ints, Ragged, Vocabulary

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
    there = np.append(songs, -1)[place] == recommended
    hits = np.isin(np.arange(len(hidden))[:, None] * span + place, keys) & there & (recommended >= 0)
    unknown = np.bincount(hidden.owners[~known], minlength=len(hidden))
    return hits, np.bincount(keys // span, minlength=len(hidden)) + unknown


def coverage(recommended: Ints, songs: int) -> float:
    """Share of the `songs` that can be recommended which are, to at least one playlist."""
    return len(np.unique(recommended[recommended >= 0])) / songs


def popularity_bias(recommended: Ints, hidden: Ragged, popularity: Vocabulary) -> float | None:
    """Popularity lift of the recommended songs over the hidden ones; None where no hidden song is known.

    Args:
        recommended: int64 (playlists, top), song numbers; -1 where there is none.
        hidden: song numbers.
        popularity: how often each song occurs in training; others count 0.
    """
    chosen = popularity.counts_of(hidden.flat)
    given = popularity.counts_of(recommended.ravel()).reshape(recommended.shape)
    amount = (recommended >= 0).sum(axis=1)
    expected = _mean_share(np.bincount(hidden.owners, chosen, minlength=len(hidden)), hidden.lengths)
    return _mean_share(given.sum(axis=1), amount) / expected - 1 if expected else None


def _mean_share(sums: NDArray[np.number], amounts: Ints) -> float:
    """The mean over playlists of each one's mean; a playlist with nothing does not count."""
    some = amounts > 0
    return float(np.mean(sums[some] / amounts[some])) if some.any() else 0.0
