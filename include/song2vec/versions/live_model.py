"""The live version as a model, to be measured beside a new one."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from song2vec.model import Model, read_model
from song2vec.playlists.heldout_file import Heldout
from song2vec.playlists.holdout_rule import HoldoutRule
from song2vec.records import Training
from song2vec.versions.live import LiveVersion
from song2vec.versions.records import read_record
from song2vec_client.model import SongModel
from song2vec_client.store import ModelStore


@dataclass(frozen=True)
class LiveModel:
    """A model to be measured beside another.

    Attributes:
        name: its version, or its folder.
        model: its vectors and songs.
        rule: which playlists it was not trained on; None where its records do not say it.
    """

    name: str
    model: Model
    rule: HoldoutRule | None

    def never_saw(self, heldout: Heldout) -> NDArray[np.bool_] | None:
        """Which of the held-out playlists it was surely not trained on; None where that is not known.

        Returns:
            bool (playlists,).
        """
        if self.rule is None or heldout.sources is None or heldout.categories is None:
            return None
        names = zip(heldout.sources.tolist(), heldout.categories.tolist(), strict=True)
        return np.array([self.rule.holds_out(*name) for name in names], bool)


def pull_live(store: ModelStore, live: LiveVersion) -> SongModel | None:
    """The live version as services ask it, pulled and verified; None while there is none."""
    version = live.open(store)
    return version.load() if version else None


def live_model(store: ModelStore, live: LiveVersion) -> LiveModel | None:
    """The live version as evaluation measures it, pulled and verified; None while there is none."""
    version = live.open(store)
    if version is None:
        return None
    return _measurable(version.name, Model.of(version.load()), read_record(version, Training))


def model_in(folder: Path) -> LiveModel:
    """The model in a folder that ``song2vec train`` wrote.

    Raises:
        DataError: the folder holds no model.
    """
    model, file = read_model(folder), folder / Training.FILE
    return _measurable(str(folder), model, Training.read(file) if file.is_file() else None)


def _measurable(name: str, model: Model, training: Training | None) -> LiveModel:
    return LiveModel(name, model, training.held_out if training else None)
