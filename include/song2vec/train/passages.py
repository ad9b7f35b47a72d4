"""Cutting playlists into passages, in random order: what the hot loop reads. Import it where training begins."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from song2vec.train.compiled import PASSAGE, library, random

Places = NDArray[np.uint32]


def cut_passages(offsets: NDArray[Any], rng: np.random.Generator) -> tuple[Places, NDArray[np.uint8]]:
    """Cut playlists into passages, in random order.

    A playlist that is longer than a passage is cut at a random place and from there on at every full length, so
    that songs which a cut parts in one epoch are together in another. The order is shuffled while it grows
    (the inside-out Fisher-Yates shuffle, Knuth 1998, section 3.4.2), without an array of random places.

    Args:
        offsets: uint32 (playlists + 1,), where each playlist begins; other integers are copied.
        rng: for the cuts and the order.

    Returns:
        uint32 (passages,) where each begins, and uint8 (passages,) how long it is, at most `PASSAGE`.
        Together they are the playlists, nothing is left out.
    """
    offsets = np.ascontiguousarray(offsets, np.uint32)
    most = int(offsets[-1]) // PASSAGE + 2 * len(offsets)  # what is not written to takes no memory
    starts, lengths = np.empty(most, np.uint32), np.empty(most, np.uint8)
    count = library.cut_passages(offsets, len(offsets) - 1, *random(rng), starts, lengths)
    return starts[:count], lengths[:count]
