"""How sure a figure over playlists is: intervals by the bootstrap.

The percentile bootstrap (Efron and Tibshirani 1993, chapter 13): playlists are drawn with replacement, as many as
there are, again and again, and the figure is worked out for each of these resamples. The same playlists are drawn
for all figures: a column of differences between two recommenders gives the paired bootstrap (Sakai 2006).
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from song2vec.metrics.ranking import Doubles

SEED = 1
BLOCK = 2**21  # playlists drawn at a time, of all resamples: 16 MiB of weights


def intervals(values: Doubles, draws: int, *, block: int = BLOCK) -> Doubles:
    """The 95 % interval of the mean of each column.

    Args:
        values: float64 (playlists, columns), at least one playlist.
        draws: how many resamples.
        block: playlists to draw at a time.

    Returns:
        float64 (columns, 2), the 2.5th and the 97.5th percentile of the means. The same values give the same.
    """
    return np.percentile(resampled(values, draws, block=block), [2.5, 97.5], axis=0).T


def interval(figures: Doubles) -> tuple[float, float]:
    """The 95 % interval of a figure, from what it is in each resample, float64 (draws,)."""
    low, high = np.percentile(figures, [2.5, 97.5]).tolist()
    return low, high


def resampled(values: Doubles, draws: int, *, block: int = BLOCK) -> Doubles:
    """The mean of each column in each resample: float64 (draws, columns); arguments as for `intervals`."""
    playlists = len(values)
    weighted = [weights @ values / playlists for weights in resamples(playlists, draws, block // playlists)]
    return np.concatenate(weighted)


def resamples(playlists: int, draws: int, size: int) -> Iterator[NDArray[np.int64]]:
    """How often each resample draws each playlist: int64 (at most `size`, playlists) at a time, `draws` in all."""
    size = max(1, size)
    random = np.random.default_rng(SEED)
    for start in range(0, draws, size):
        count = min(size, draws - start)
        picks = random.integers(0, playlists, (count, playlists)) + playlists * np.arange(count)[:, None]
        yield np.bincount(picks.ravel(), minlength=count * playlists).reshape(count, playlists)
