"""The distinct numbers of many arrays, in little more memory than they take themselves."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray


class DistinctNumbers:
    """Takes int64 arrays; what came is sorted anew only when as many again have come."""

    def __init__(self) -> None:
        self._numbers = np.empty(0, np.int64)
        self._more: list[NDArray[np.int64]] = []

    def add(self, numbers: pa.Array) -> None:
        """Take an int64 array without nulls."""
        self._more.append(pc.unique(numbers).to_numpy())
        if sum(map(len, self._more)) > len(self._numbers):
            self.ascending()

    def ascending(self) -> NDArray[np.int64]:
        """All distinct numbers so far, int64, in ascending order."""
        together = pa.array(np.concatenate([self._numbers, *self._more]))
        self._numbers, self._more = np.sort(pc.unique(together).to_numpy()), []
        return self._numbers
