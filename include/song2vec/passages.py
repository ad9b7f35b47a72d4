"""Cutting playlists into passages, in random order. Loads numba: import it where training begins."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from song2vec.corpus import Ints
from song2vec.skipgram import PASSAGE


@njit(cache=True)
def cut_passages(offsets: Ints, rng: np.random.Generator) -> tuple[Ints, NDArray[np.uint8]]:
    """Cut playlists into passages, in random order.

    A playlist that is longer than a passage is cut at a random place and from there on at every full length, so
    that songs which a cut parts in one epoch are together in another. The order is shuffled while it grows
    (the inside-out Fisher-Yates shuffle, Knuth 1998, section 3.4.2), without an array of random places.

    Args:
        offsets: int64 (playlists + 1,), where each playlist begins.
        rng: for the cuts and the order.

    Returns:
        int64 (passages,) where each begins, and uint8 (passages,) how long it is, at most `skipgram.PASSAGE`.
        Together they are the playlists, nothing is left out.
    """
    most = 0
    for playlist in range(len(offsets) - 1):
        most += (offsets[playlist + 1] - offsets[playlist] + 2 * PASSAGE - 2) // PASSAGE
    starts, lengths = np.empty(most, np.int64), np.empty(most, np.uint8)
    count = 0
    for playlist in range(len(offsets) - 1):
        start, end = offsets[playlist], offsets[playlist + 1]
        length = end - start if end - start <= PASSAGE else 1 + int(rng.random() * PASSAGE)
        while start < end:
            place = int(rng.random() * (count + 1))
            starts[count], lengths[count] = starts[place], lengths[place]
            starts[place], lengths[place] = start, length
            count += 1
            start += length
            length = min(PASSAGE, end - start)
    return starts[:count], lengths[:count]
