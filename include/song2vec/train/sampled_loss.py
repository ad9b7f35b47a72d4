"""The loss that the log shows: right in float64, and comparable between epochs, threads and runs.

gensim keeps a float32 sum over the whole training: from some 1.7e7 it loses what it adds, from 2^27 it stands
still, and with several threads it counts a fraction. This module measures instead, after each epoch, the loss of
skip-gram with negative sampling (Mikolov et al. 2013, equation 4) on pairs that were drawn once::

    loss = mean over pairs (s, c) of [ -log σ(in_s · out_c)
                                       + negative · mean over noise songs n of -log σ(-in_s · out_n) ]

The pairs: a song of a playlist, drawn uniformly, and another of the same playlist at most `window` away.
The noise songs are drawn with probability proportional to count ** ns_exponent. The cost is bounded, whatever the data.
"""

from dataclasses import dataclass

import numpy as np

from song2vec.errors import DataError
from song2vec.model import Floats
from song2vec.playlists.corpus import Ints, Ragged, Vocabulary
from song2vec.settings import TrainSettings

PAIRS = 4_000
NOISE_SONGS = 500
BLOCK = 500  # pairs that are measured at a time: 2 MB of float64


@dataclass(frozen=True)
class LossSample:
    """A fixed sample to measure the loss on.

    Attributes:
        centres: int64 (pairs,), rows of the input vectors.
        contexts: int64 (pairs,), rows of the output vectors.
        noise: int64 (noise songs,), rows of the output vectors.
        negative: negative samples a pair.
    """

    centres: Ints
    contexts: Ints
    noise: Ints
    negative: int

    def measure(self, vectors: Floats, context: Floats) -> float:
        """The mean loss a pair. `vectors` and `context` are float32 (songs, dimensions)."""
        noise, total = context[self.noise].T, 0.0
        for start in range(0, len(self.centres), BLOCK):
            block = slice(start, start + BLOCK)
            centres = vectors[self.centres[block]]
            positive = np.einsum("pd,pd->p", centres, context[self.contexts[block]], dtype=np.float64)
            negative = (centres @ noise).astype(np.float64)
            total += np.logaddexp(0, -positive).sum()
            total += self.negative * np.logaddexp(0, negative).mean(axis=1).sum()
        return float(total / len(self.centres))


def draw_sample(playlists: Ragged, vocabulary: Vocabulary, settings: TrainSettings) -> LossSample:
    """Draw the sample; the same for the same data and settings.

    Args:
        playlists: rows of the known songs of each playlist.
        vocabulary: the songs and their counts.
        settings: window, negative, ns_exponent and seed.

    Raises:
        DataError: no playlist has two known songs, so that there is no pair to learn from.
    """
    rng = np.random.default_rng(settings.seed)
    paired = np.flatnonzero(playlists.lengths > 1)
    last = np.cumsum(playlists.lengths[paired])
    if not len(paired):
        raise DataError(
            f"none of the {len(playlists):,} playlists holds two songs that were seen at least "
            f"{settings.min_count} times; expected pairs of songs to learn from. "
            "Collect more playlists, or lower train.min_count."
        )
    place = rng.integers(last[-1], size=PAIRS)  # among the songs of the playlists that have two
    drawn = np.searchsorted(last, place, side="right")
    begins, ends = (playlists.offsets[paired[drawn] + edge] for edge in (0, 1))
    centre = ends - (last[drawn] - place)
    low = np.maximum(begins, centre - settings.window)
    high = np.minimum(ends - 1, centre + settings.window)
    other = rng.integers(low, high)  # the centre's own place is not drawn: what is at or after it moves one on
    other += other >= centre
    weights = vocabulary.counts.astype(np.float64) ** settings.ns_exponent
    noise = rng.choice(len(weights), NOISE_SONGS, p=weights / weights.sum())
    return LossSample(playlists.flat[centre], playlists.flat[other], noise, settings.negative)
