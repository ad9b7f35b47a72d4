"""What a recommender gives to all playlists together: how much of the catalogue, and how popular songs.

=============== =================================================================================
coverage        share of the songs that can be recommended which at least one playlist is
                recommended (catalogue coverage: Ge, Delgado-Battenfeld and Jannach 2010)
popularity_bias popularity lift (Abdollahpouri et al. 2020): how many times more popular the
                recommended songs are than the hidden ones, less 1; each a mean over playlists of
                the mean over songs. 0: as popular as what people chose
=============== =================================================================================

Each comes with its 95 % interval over resamples of the playlists (`song2vec.metrics.bootstrap`).
"""

import numpy as np
from numpy.typing import NDArray

from song2vec.metrics.bootstrap import interval, resampled, resamples
from song2vec.metrics.ranking import Doubles
from song2vec.playlists.corpus import Ints, Ragged, Vocabulary

SCORES = 2**22
"""Numbers held at a time: 16 MiB."""

Figure = tuple[float, tuple[float, float]]
"""A figure, and the lower and the upper end of its interval."""
Nothing = tuple[None, None]


def coverage(recommended: Ints, songs: int, draws: int) -> Figure:
    """Share of the `songs` that can be recommended which are, to at least one playlist.

    A resample holds some playlists twice and others not at all, so that it always covers less than all playlists do.
    So only the spread of the resamples is used: the interval is theirs, moved until their mean is the figure.

    Args:
        recommended: int64 (playlists, top), song numbers; -1 where there is none.
        songs: how many can be recommended.
        draws: how many resamples.
    """
    from scipy.sparse import csr_array

    distinct, places = np.unique(recommended, return_inverse=True)
    starts = np.arange(len(recommended) + 1) * recommended.shape[1]
    ones = np.ones(recommended.size, np.float32)
    holds = csr_array((ones, places.ravel(), starts), shape=(len(recommended), len(distinct))).T.tocsr()
    holds = holds[distinct >= 0]
    shares = [
        np.count_nonzero(holds @ (weights.T > 0).astype(np.float32), axis=0) / songs
        for weights in resamples(len(recommended), draws, SCORES // max(1, len(distinct)))
    ]
    spread = np.concatenate(shares)
    figure = holds.shape[0] / songs
    low, high = interval(spread - spread.mean() + figure)
    return figure, (max(low, 0.0), min(high, 1.0))


def popularity_bias(recommended: Ints, hidden: Ragged, popularity: Vocabulary, draws: int) -> Figure | Nothing:
    """Popularity lift of the recommended songs over the hidden ones; nothing where no hidden song is known.

    Args:
        recommended: int64 (playlists, top), song numbers; -1 where there is none.
        hidden: song numbers.
        popularity: how often each song occurs in training; others count 0.
        draws: how many resamples.
    """
    hidden_counts = popularity.counts_of(hidden.flat)
    counts = popularity.counts_of(recommended.ravel()).reshape(recommended.shape)
    amount = (recommended >= 0).sum(axis=1)
    columns = np.column_stack(
        [
            *_share(counts.sum(axis=1), amount),
            *_share(np.bincount(hidden.owners, hidden_counts, len(hidden)), hidden.lengths),
        ]
    )
    figure = _lift(columns.mean(axis=0))
    if not np.isfinite(figure):
        return None, None
    lifts = _lift(resampled(columns, draws))
    return float(figure), interval(lifts[np.isfinite(lifts)])


def unknown_share(hidden: Ragged, vocabulary: Vocabulary, draws: int) -> Figure:
    """Share of the hidden songs that are not in the vocabulary, and so cannot be found."""
    unknown = np.bincount(hidden.owners, vocabulary.rows_of(hidden.flat) < 0, len(hidden))
    columns = np.column_stack([unknown, hidden.lengths])
    share = _ratio(columns.mean(axis=0))
    return float(share), interval(_ratio(resampled(columns, draws)))


def _share(sums: NDArray[np.integer | np.floating], amounts: Ints) -> tuple[Doubles, Doubles]:
    """Each playlist's mean, and whether it has one."""
    return np.asarray(sums / np.maximum(amounts, 1), np.float64), (amounts > 0).astype(np.float64)


def _lift(means: Doubles) -> Doubles:
    """How far recommended songs lie above hidden ones, from the means of the four columns, in the last axis."""
    recommended, any_recommended, hidden, any_hidden = np.moveaxis(means, -1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(any_recommended > 0, recommended / any_recommended, 0) / (hidden / any_hidden) - 1)


def _ratio(means: Doubles) -> Doubles:
    """The first column over the second; 0 where there is nothing."""
    part, whole = np.moveaxis(means, -1, 0)
    return np.asarray(np.divide(part, whole, out=np.zeros_like(part), where=whole > 0))
