"""What happens after every epoch: the loss and now and then the ranking are measured, logged and judged."""

import json
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import structlog
from numpy.typing import NDArray

from song2vec.errors import SettingsError
from song2vec.metrics.ranking import mean_metrics
from song2vec.model import Floats
from song2vec.playlists.corpus import Ragged
from song2vec.settings import TrainSettings
from song2vec.train.checkpoint import Checkpoint
from song2vec.train.sampled_loss import LossSample
from song2vec_client.scoring import continue_rows

log = structlog.get_logger(__name__)

TOP = 100
MOST_SCORES = 2**20  # at a time: 4 MB, and as much for each step on the way to the best ones


@dataclass(frozen=True)
class Validation:
    """Playlists that are not trained on, to see while training how well the model ranks.

    Attributes:
        shown: rows of the songs that the model is shown.
        hidden: rows of the songs it has to find; -1 where it does not know one.
    """

    shown: Ragged
    hidden: Ragged

    def measure(self, vectors: Floats, context: Floats) -> float:
        """nDCG@100 of the model as it is, ranked as the client ranks."""
        top = min(TOP, len(vectors))
        rows, _ = continue_rows(vectors, context, self.shown.lists(), top, most=MOST_SCORES)
        return mean_metrics(rows, self.hidden)["ndcg"]


class Epochs:
    """Keeps what each epoch did; says when it is enough, and which epoch was the best.

    Attributes:
        checkpoint: where the state of the training is kept.
        records: what is known of each epoch: epoch, counted from 1, loss, words_per_second, seconds, and ndcg of some.
        chosen: the epoch whose vectors the model has, once `restore_best` was called.
    """

    def __init__(
        self,
        settings: TrainSettings,
        words: int,
        loss: LossSample,
        validation: Validation | None,
        checkpoint: Checkpoint,
    ) -> None:
        self.settings, self.words, self.loss, self.validation = settings, words, loss, validation
        self.checkpoint = checkpoint
        self.records: list[dict[str, Any]] = []
        self.chosen = 0
        self._begun = time.monotonic()

    @property
    def going_on(self) -> bool:
        """False once the ranking has not improved for `patience` measurements, or all epochs are done."""
        measured = [record["ndcg"] for record in self.records if "ndcg" in record]
        waited = len(measured) - 1 - int(np.argmax(measured)) if measured else 0
        stop = self.settings.patience and waited >= self.settings.patience
        return not stop and len(self.records) < self.settings.epochs

    @property
    def best(self) -> int | None:
        """The epoch with the best ranking, counted from 1; None if none was measured."""
        measured = [record for record in self.records if "ndcg" in record]
        return max(measured, key=lambda record: record["ndcg"])["epoch"] if measured else None

    @property
    def kept(self) -> int | None:
        """The epoch whose model the checkpoint has to hold; None if none may be wanted back."""
        return self.best if self.settings.patience and self.best != self.settings.epochs else None

    def end(self, vectors: Floats, context: Floats) -> None:
        """Measure and log an epoch.

        Args:
            vectors: float32 (songs, d), the input vectors after it.
            context: float32 (songs, d), the output vectors.

        Raises:
            SettingsError: the training diverged.
        """
        seconds = max(time.monotonic() - self._begun, 1e-9)
        epoch = len(self.records) + 1
        loss = self.loss.measure(vectors, context)
        if not np.isfinite([loss, vectors.sum(dtype=np.float64), context.sum(dtype=np.float64)]).all():
            self.checkpoint.remove()  # nobody wants to go on from here
            raise SettingsError(
                f"the training diverged in epoch {epoch}: the loss is {loss}. "
                f"Lower train.alpha (it is {self.settings.alpha})."
            )
        record = {"epoch": epoch, "loss": loss, "words_per_second": round(self.words / seconds), "seconds": seconds}
        self.records.append(record)
        if self.validation and (epoch % self.settings.measure_every == 0 or epoch == self.settings.epochs):
            record["ndcg"] = self.validation.measure(vectors, context)
            if self.kept == epoch:
                self.checkpoint.save_best(epoch, {"vectors": vectors, "context": context})
        self._say(record)
        self._begun = time.monotonic()

    def restore_best(self, vectors: Floats, context: Floats) -> None:
        """Write the vectors of the best epoch over those of the last one, if it was another."""
        self.chosen = last = len(self.records)
        if self.kept in (None, last):
            return
        if self.checkpoint.load_best(self.kept, {"vectors": vectors, "context": context}):
            self.chosen = self.kept
            log.info("the best epoch counts", epoch=self.kept, of=last)
        else:
            log.warning("the best epoch's model was not kept: the last epoch counts", best=self.kept, last=last)

    def to_array(self) -> NDArray[Any]:
        """The records, and how long the epoch under way took so far, for a checkpoint."""
        return np.array(json.dumps({"records": self.records, "seconds": time.monotonic() - self._begun}))

    def resume(self, saved: NDArray[Any]) -> None:
        """Go on from what `to_array` gave."""
        known = json.loads(str(saved))
        self.records, self._begun = known["records"], time.monotonic() - known["seconds"]

    def _say(self, record: dict[str, Any]) -> None:
        recent = self.records[-5:]
        left = sum(past["seconds"] for past in recent) / len(recent) * (self.settings.epochs - record["epoch"])
        ranking = {"validation_ndcg": round(record["ndcg"], 4)} if "ndcg" in record else {}
        log.info(
            "epoch",
            epoch=record["epoch"],
            of=self.settings.epochs,
            loss=round(record["loss"], 4),
            **ranking,
            words_per_second=record["words_per_second"],
            seconds=round(record["seconds"], 2),
            seconds_left=round(left),
        )
