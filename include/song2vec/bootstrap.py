"""How sure a mean over playlists is: intervals by the bootstrap."""

import numpy as np

from song2vec.metrics import Doubles

SEED = 1
BLOCK = 2**21  # playlists drawn at a time, of all resamples: 16 MiB of weights


def intervals(values: Doubles, draws: int) -> Doubles:
    """The 95 % interval of the mean of each column, by the percentile bootstrap (Efron and Tibshirani 1993, ch. 13).

    As many playlists as there are are drawn with replacement, `draws` times, the same ones for all columns: a column
    of differences between two recommenders on the same playlists gives the paired bootstrap (Sakai 2006).

    Args:
        values: float64 (playlists, columns), at least one playlist.
        draws: how many resamples.

    Returns:
        float64 (columns, 2), the 2.5th and the 97.5th percentile of the means. The same values give the same.
    """
    playlists = len(values)
    size = max(1, BLOCK // playlists)
    random = np.random.default_rng(SEED)
    means = []
    for start in range(0, draws, size):
        count = min(size, draws - start)
        drawn = random.integers(0, playlists, (count, playlists)) + playlists * np.arange(count)[:, None]
        weights = np.bincount(drawn.ravel(), minlength=count * playlists).reshape(count, playlists)
        means.append(weights @ values / playlists)
    return np.percentile(np.concatenate(means), [2.5, 97.5], axis=0).T
