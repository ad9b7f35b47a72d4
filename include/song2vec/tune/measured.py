"""One training with some settings, and how well its model continues playlists."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from song2vec.evaluate import continued
from song2vec.model import read_model
from song2vec.playlists.corpus import Ints
from song2vec.playlists.heldout_file import Heldout
from song2vec.settings import Settings
from song2vec.train import Observer, train
from song2vec.tune.parts import Parts
from song2vec.tune.space import Values, apply


@dataclass(frozen=True)
class Trainings:
    """Trains on the part that trains, one model at a time.

    Attributes:
        parts: the playlists.
        settings: of section `train` those that are not tuned; how many recommendations `evaluate` looks at.
        folder: where a model is until it was asked. A training that was interrupted goes on from what is beside it.
    """

    parts: Parts
    settings: Settings
    folder: Path

    def recommended(self, values: Values, part: Heldout, observe: Observer | None = None) -> Ints:
        """What a model that is trained with the settings `values` recommends to playlists, as services ask it.

        Returns:
            int64 (playlists, ``evaluate.top``), song numbers, best first; -1 where there is none.

        Raises:
            SettingsError: the settings contradict each other, or the training diverged.
            StoppedError: the process was asked to stop, or the observer ended the training.
        """
        settings = self.settings.model_copy(update={"train": apply(self.settings.train, values)})
        model = self.folder / "model"
        train(self.parts.playlists, model, settings, heldout=self.parts.without, observe=observe)
        songs = continued(read_model(model), part.shown, settings.evaluate.top)
        self.clear()
        return songs

    def clear(self) -> None:
        """Delete the model, and what an ended training left."""
        shutil.rmtree(self.folder, ignore_errors=True)
