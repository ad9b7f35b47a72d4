"""Verified models on disk, shared by all processes of a machine, and bounded in size.

::

    <cache>/<version>-<digest>/        one model; it appears whole, by a rename
    <cache>/.<version>-<digest>.part/  one that is being written, or that a crash left
    <cache>/.lock                      locked by the one process that writes

Locks are those of ``flock``: the kernel lets go of them when their process ends, however it ends. So whoever
holds the lock of the cache knows that every ``.part`` is left over. Whoever uses a model holds a shared lock on
its manifest, and what is locked is not deleted: its place on disk would not come free before the last map of it.
"""

import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from song2vec_client.errors import CorruptModelError, NotFoundError, UnsupportedFormatError
from song2vec_client.format.fields import parse_json
from song2vec_client.format.layout import MANIFEST, is_version
from song2vec_client.format.records import Manifest

LIMIT = 10 * 2**30  # bytes

_LOCK = ".lock"
_ENTRY = re.compile(r"(\.?)(.+)-[0-9a-f]{16}(\.part)?", re.ASCII)


@dataclass(frozen=True)
class Lease:
    """A model that no process deletes before `release`, which is called once.

    Attributes:
        folder: where its files lie.
        release: lets it be deleted.
    """

    folder: Path
    release: Callable[[], None]


class Cache:
    """The folder described above.

    Attributes:
        folder: where models lie.
        limit: bytes that they may take together. The least recently used go first; one in use, by whatever
            process, stays, and so does the newest, so a model over the limit lies there alone.
    """

    def __init__(self, folder: Path, limit: int = LIMIT) -> None:
        self.folder, self.limit = folder, limit

    def find(self, version: str, sha256: str) -> Lease | None:
        """The model with this manifest, if it lies here whole; from now on it counts as used last."""
        folder = self._place(version, sha256)
        manifest = folder / MANIFEST
        try:
            lock = os.open(manifest, os.O_RDONLY)
        except OSError:
            return None
        lease = Lease(folder, partial(os.close, lock))
        fcntl.flock(lock, fcntl.LOCK_SH)
        if not (_is_whole(folder, sha256) and os.path.samestat(os.fstat(lock), manifest.stat())):
            lease.release()  # broken, or deleted while this waited
            return None
        with suppress(OSError):  # a cache that may only be read is good enough
            os.utime(manifest)
        return lease

    def add(self, version: str, sha256: str, size: int, write: Callable[[Path], None]) -> Lease:
        """The model with this manifest; `write` brings it into an empty folder unless it is here by now.

        One process writes at a time; the others wait, and find what it wrote.

        Args:
            version: the version.
            sha256: digest of its manifest.
            size: how many bytes will be written, to make room for.
            write: called with a folder; raises if no verified model could be put there, and nothing remains.

        Raises:
            OSError: the disk is full, or the cache may not be written.
        """
        folder = self._place(version, sha256)
        with self._alone():
            if found := self.find(version, sha256):
                return found
            self._make_room(size, folder)
            part = self.folder / f".{folder.name}.part"
            try:
                part.mkdir()
                write(part)
                part.rename(folder)
            finally:
                shutil.rmtree(part, ignore_errors=True)
            if written := self.find(version, sha256):
                return written
        raise NotFoundError(f"{folder} was written and is gone: who else deletes from the cache?")

    def _place(self, version: str, sha256: str) -> Path:
        return self.folder / f"{version}-{sha256[:16]}"

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(self.folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _make_room(self, size: int, broken: Path) -> None:
        """Delete what crashes left, `broken`, and the least recently used models until `size` bytes fit in."""
        shutil.rmtree(broken, ignore_errors=True)
        models: list[Path] = []
        for path in self.folder.iterdir():
            match = _ENTRY.fullmatch(path.name)
            if match and is_version(match[2]):
                if match[1]:
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    models.append(path)
        sizes = {model: _size(model) for model in models}
        for model in sorted(models, key=_last_used):
            if sum(sizes.values()) + size > self.limit and _delete(model):
                del sizes[model]


def default_cache() -> Path:
    """Where pulled models lie: SONG2VEC_CACHE, or ``song2vec`` in the user's cache folder."""
    if folder := os.environ.get("SONG2VEC_CACHE"):
        return Path(folder)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "song2vec"


def _is_whole(folder: Path, sha256: str) -> bool:
    """Whether the folder holds what was verified; sizes only: a digest of everything takes seconds."""
    try:
        content = (folder / MANIFEST).read_bytes()
        if hashlib.sha256(content).hexdigest() != sha256:
            return False
        manifest = Manifest.from_json(parse_json(content))
        return all((folder / entry.path).stat().st_size == entry.size for entry in manifest.model_files)
    except (OSError, CorruptModelError, UnsupportedFormatError):
        return False


def _last_used(model: Path) -> float:
    try:
        return (model / MANIFEST).stat().st_mtime
    except OSError:
        return 0


def _size(model: Path) -> int:
    return sum(path.stat().st_size for path in model.iterdir())


def _delete(model: Path) -> bool:
    """Delete a model unless a process uses it: at once for all who look for it, by a rename."""
    going = model.with_name(f".{model.name}.part")
    with ExitStack() as stack:
        try:
            if (manifest := model / MANIFEST).exists():  # without one it is in nobody's use
                lock = os.open(manifest, os.O_RDONLY)
                stack.callback(os.close, lock)
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            model.rename(going)
        except OSError:  # in use, or not ours to delete
            return False
    shutil.rmtree(going, ignore_errors=True)
    return True
