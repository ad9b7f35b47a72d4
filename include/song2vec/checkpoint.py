"""The state of a training on disk, to go on from after a crash: whole, and only for the same data and settings."""

import shutil
import time
import zipfile
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import structlog
from numpy.typing import NDArray

from song2vec.config import TrainSettings
from song2vec.corpus import Ragged, Vocabulary
from song2vec.files import whole_file

log = structlog.get_logger(__name__)

Arrays = Mapping[str, NDArray[Any]]

NOT_OF_THE_MODEL = {"workers", "checkpoint_seconds"}  # settings that may change on the way


def identity(playlists: Ragged, vocabulary: Vocabulary, settings: TrainSettings) -> str:
    """A digest of all that decides what a training does: 64 hexadecimal digits."""
    digest = sha256(settings.model_dump_json(exclude=NOT_OF_THE_MODEL).encode())
    for array in (vocabulary.songs, vocabulary.counts, playlists.offsets, playlists.flat):
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


class Checkpoint:
    """A folder with the newest state of one training, and the best model so far."""

    def __init__(self, folder: Path, whose: str, every: float, saved: Callable[[Path], None] = lambda _: None) -> None:
        """Open `folder`, which need not exist.

        Args:
            folder: where the files are.
            whose: `identity` of the training; the state of another one is not used.
            every: seconds between two savings, unless `save` is called.
            saved: called with each file after it was written, to keep it elsewhere too.
        """
        self.folder, self.whose, self.every, self._saved = folder, whose, every, saved
        self._last = time.monotonic()

    @property
    def due(self) -> bool:
        """Whether it is time to save."""
        return time.monotonic() - self._last >= self.every

    def save(self, state: Arrays) -> None:
        """Write `state`, replacing the one before; a crash leaves one of the two."""
        self._write("state.npz", {**state, "whose": np.array(self.whose)})
        self._last = time.monotonic()

    def load(self) -> dict[str, NDArray[Any]] | None:
        """The state to go on from; None, with a line in the log, if there is none that fits."""
        path = self.folder / "state.npz"
        if not path.exists():
            return None
        state = _read(path)
        found = str(state.pop("whose", "")) if state else ""
        if state and found == self.whose:
            return state
        reason = "is of other data or settings" if found else "cannot be read"
        log.warning(f"the checkpoint {reason}: training starts afresh", checkpoint=str(path))
        self.remove()
        return None

    def save_best(self, epoch: int, model: Arrays) -> None:
        """Keep the model of `epoch`, beside those kept before: a saved state may still need one of them."""
        self._write(_best(epoch), model)

    def load_best(self, epoch: int) -> dict[str, NDArray[Any]] | None:
        """The model that `save_best` kept; None if it is not there."""
        return _read(self.folder / _best(epoch))

    def forget_best(self, but: int) -> None:
        """Delete the kept models of all other epochs."""
        for path in self.folder.glob("best-*.npz"):
            if path.name != _best(but):
                path.unlink()

    def remove(self) -> None:
        """Delete all: the training is over, or starts afresh."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write(self, name: str, arrays: Arrays) -> None:
        started = time.monotonic()
        with whole_file(self.folder / name) as temporary, temporary.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
        self._saved(self.folder / name)
        log.debug("checkpoint saved", file=name, seconds=round(time.monotonic() - started, 2))


def _best(epoch: int) -> str:
    return f"best-{epoch}.npz"


def _read(path: Path) -> dict[str, NDArray[Any]] | None:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return dict(arrays)
    except (OSError, ValueError, zipfile.BadZipFile):
        return None
