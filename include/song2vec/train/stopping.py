"""When a training has gone on for long enough, and which of its epochs is the best, by the ranking after each."""

from collections.abc import Sequence
from dataclasses import dataclass

Rankings = Sequence[float | None]
"""For each epoch that is done, how well the model ranked after it: more is better, None is not measured."""


@dataclass(frozen=True)
class EarlyStopping:
    """Stop once the ranking has not improved for some measurements; the best epoch counts.

    Attributes:
        epochs: most epochs.
        patience: measurements without a better one before it is enough; 0: all epochs are done, and the last counts.
    """

    epochs: int
    patience: int

    def enough(self, rankings: Rankings) -> bool:
        """Whether no further epoch is to be trained."""
        best, measured = _best(rankings), [ranking is not None for ranking in rankings]
        waited = sum(measured[best:]) if best else 0
        return len(rankings) >= self.epochs or 0 < self.patience <= waited

    def best(self, rankings: Rankings) -> int | None:
        """The epoch, counted from 1, whose model has to be kept because it may be the one that counts; None: none."""
        best = _best(rankings)
        return best if self.patience and best != self.epochs else None


def _best(rankings: Rankings) -> int | None:
    """The epoch with the best ranking, the first of equals; None if none was measured."""
    measured = {epoch: ranking for epoch, ranking in enumerate(rankings, 1) if ranking is not None}
    return max(measured, key=measured.__getitem__) if measured else None
