"""The distinct numbers of many arrays and how often each occurs, in little more memory than they take themselves."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from song2vec.plumbing.arrays import to_numpy

Ints = NDArray[np.int64]


class DistinctNumbers:
    """Takes int64 arrays; sorts again only when as many have come as were sorted before."""

    def __init__(self) -> None:
        nothing = np.empty(0, np.int64)
        self._parts: list[tuple[Ints, Ints]] = [(nothing, nothing)]  # first what is sorted

    def add(self, numbers: pa.Array) -> None:
        """Take an int64 array without nulls."""
        distinct, counts = pc.value_counts(numbers).flatten()  # by hash: where songs repeat, faster than sorting
        self._parts.append((to_numpy(distinct), to_numpy(counts)))
        if sum(len(distinct) for distinct, _ in self._parts[1:]) > len(self._parts[0][0]):
            self.totals()

    def ascending(self) -> Ints:
        """All distinct numbers so far, int64, in ascending order."""
        return self.totals()[0]

    def totals(self) -> tuple[Ints, Ints]:
        """All distinct numbers so far, int64, in ascending order, and how often each occurs, int64."""
        numbers, counts = (np.concatenate(part) for part in zip(*self._parts, strict=True))
        order = np.argsort(numbers)
        numbers = numbers[order]
        first = np.flatnonzero(np.diff(numbers, prepend=numbers[:1] - 1))
        self._parts = [(numbers[first], np.add.reduceat(counts[order], first) if len(first) else counts)]
        return self._parts[0]
