"""Cutting playlists into passages, in random order: what the hot loop reads. Import it where training begins."""

import numpy as np
from numpy.typing import NDArray

from song2vec.compiled import PASSAGE, library, random
from song2vec.corpus import Ints


def cut_passages(offsets: Ints, rng: np.random.Generator) -> tuple[Ints, NDArray[np.uint8]]:
    """Cut playlists into passages, in random order.

    A playlist that is longer than a passage is cut at a random place and from there on at every full length, so
    that songs which a cut parts in one epoch are together in another. The order is shuffled while it grows
    (the inside-out Fisher-Yates shuffle, Knuth 1998, section 3.4.2), without an array of random places.

    Args:
        offsets: int64 (playlists + 1,), where each playlist begins.
        rng: for the cuts and the order.

    Returns:
        int64 (passages,) where each begins, and uint8 (passages,) how long it is, at most `PASSAGE`.
        Together they are the playlists, nothing is left out.
    """
    most = int(((np.diff(offsets) + 2 * PASSAGE - 2) // PASSAGE).sum())
    starts, lengths = np.empty(most, np.int64), np.empty(most, np.uint8)
    count = library.cut_passages(offsets, len(offsets) - 1, *random(rng), starts, lengths)
    return starts[:count], lengths[:count]
