"""The state of a training on disk, to go on from after a crash: whole, and only for the same data and settings.

The folder holds ``state.npz``, the newest state, and ``best-N.npz`` if the best model so far is that of an epoch N
that is over. A state is written only after the best model that belongs to it, and the best models of older states are
deleted only after a newer state was written: at any moment, what a state needs is there.
"""

import shutil
import time
import zipfile
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

import numpy as np
import structlog
from numpy.typing import NDArray

from song2vec.plumbing.files import whole_file
from song2vec.settings import TrainSettings
from song2vec.workspace import Backup, NoBackup
from song2vec_client.errors import Song2VecError

log = structlog.get_logger(__name__)

Arrays = Mapping[str, NDArray[Any]]

FORMAT = 2  # of the state; another number, and states of before are refused
STATE = "state.npz"
MAY_CHANGE = {"workers", "checkpoint_seconds", "neighbours", "align"}  # on the way: they decide nothing of an epoch
UNREADABLE = (OSError, ValueError, EOFError, KeyError, TypeError, AttributeError, NotImplementedError, RuntimeError,
              zipfile.BadZipFile)  # fmt: skip  # what numpy and zipfile raise on a file that is damaged or not theirs


def identity(settings: TrainSettings, *data: NDArray[Any]) -> str:
    """A digest of all that decides what a training does: 64 hexadecimal digits."""
    digest = sha256(f"{FORMAT} {settings.model_dump_json(exclude=MAY_CHANGE)}".encode())
    for array in data:
        digest.update(f"{array.dtype.str} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


class Checkpoint:
    """A folder with the newest state of one training, and the best model so far."""

    def __init__(self, folder: Path, owner: str, every: float, backup: Backup | None = None) -> None:
        """Open `folder`, which need not exist.

        Args:
            folder: where the files are.
            owner: `identity` of the training; the state of another one is not used.
            every: seconds between two savings, unless `save` is called.
            backup: keeps the files elsewhere too.
        """
        self.folder, self.owner, self.every, self._backup = folder, owner, every, backup or NoBackup()
        self._best: int | None = None  # the epoch whose model was saved, everywhere
        self._last = time.monotonic()

    @property
    def due(self) -> bool:
        """Whether it is time to save."""
        return time.monotonic() - self._last >= self.every

    def save(self, state: Arrays, best: int | None) -> bool:
        """Replace the state; a crash leaves one of the two.

        Args:
            state: what `load` is to give back.
            best: the epoch whose model the state needs, saved by `save_best`; None: it needs none.

        Returns:
            Whether it was saved. If not, the log says why, and the state before is still there.
        """
        if best not in (None, self._best):
            return False  # its best model could not be saved, which was said: the older state stays, with its own
        saved = self._write(STATE, {**state, "owner": np.array(self.owner), "best": np.array(best or 0)})
        if saved:
            self._delete_all_but(STATE, _name(best))
        self._last = time.monotonic()
        return saved

    def load(self) -> dict[str, NDArray[Any]] | None:
        """The state to go on from; None, with a line in the log, if there is none that fits.

        Raises:
            Song2VecError: the backup does not answer.
        """
        self._backup.fetch(self.folder)
        path = self.folder / STATE
        state = _read(path) or {}
        problem = self._problem(state)
        if not problem:
            self._best = int(state["best"]) or None
            self._delete_all_but(STATE, _name(self._best))
            return state
        if path.exists():
            log.warning(f"the checkpoint {problem}: training starts afresh", checkpoint=str(path))
        self.remove()
        return None

    def _problem(self, state: Arrays) -> str:
        if not state:
            return "cannot be read"
        if str(state.get("owner")) != self.owner:
            return "is of other data or settings"
        if state["best"] and not (self.folder / _name(int(state["best"]))).exists():
            return "lacks the best model so far"
        return ""

    def save_best(self, epoch: int, model: Arrays) -> None:
        """Keep the model of `epoch`, beside the one before, which the saved state still needs."""
        if self._write(_name(epoch), model):
            self._best = epoch

    def load_best(self, epoch: int, model: Arrays) -> bool:
        """Write what `save_best` kept into the arrays of `model`.

        Returns:
            Whether that was possible. If not, the arrays are as they were.
        """
        try:
            with (self.folder / _name(epoch)).open("rb") as file, np.load(file, allow_pickle=False) as saved:
                if saved.zip.testzip() is not None:
                    return False
                for name, array in model.items():
                    array[:] = saved[name]
        except UNREADABLE:
            return False
        return True

    def remove(self) -> None:
        """Delete all: the training is over, or starts afresh."""
        self._delete_all_but()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write(self, name: str, arrays: Arrays) -> bool:
        started = time.monotonic()
        try:
            with whole_file(self.folder / name) as temporary, temporary.open("wb") as file:
                _save(file, arrays)
            self._backup.keep(self.folder / name)
        except (OSError, Song2VecError) as error:
            log.warning("the checkpoint could not be saved: training goes on without", file=name, error=str(error))
            return False
        log.info("checkpoint saved", file=name, seconds=round(time.monotonic() - started, 2))
        return True

    def _delete_all_but(self, *names: str) -> None:
        try:
            for path in self.folder.glob("*"):  # what a killed process was writing, too
                if path.name not in names:
                    path.unlink()
            self._backup.only(names)
        except (OSError, Song2VecError) as error:
            log.warning("old files of the checkpoint could not be deleted", error=str(error))


def _save(file: IO[bytes], arrays: Arrays) -> None:
    """What np.savez writes, without its copies, for which there may be no memory left."""
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array_header_1_0(member, np.lib.format.header_data_from_array_1_0(array))
                member.write(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)


def _name(best: int | None) -> str:
    return f"best-{best}.npz"


def _read(path: Path) -> dict[str, NDArray[Any]] | None:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return dict(arrays)
    except UNREADABLE:
        return None
