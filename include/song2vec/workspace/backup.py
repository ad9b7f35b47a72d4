"""A second place for the files of a checkpoint, for when another machine has to go on."""

from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from song2vec_client.errors import NotFoundError
from song2vec_client.gcs.bucket import Bucket


class Backup(Protocol):
    """A second place for the files of one folder. What goes wrong with it is an OSError or a Song2VecError."""

    def fetch(self, folder: Path) -> None:
        """Bring all its files into `folder`."""

    def keep(self, file: Path) -> None:
        """Keep `file`, replacing the one of that name."""

    def only(self, names: Collection[str]) -> None:
        """Delete all files but those named."""


class NoBackup:
    """The folder itself is enough: whoever goes on can read it."""

    def fetch(self, folder: Path) -> None:
        """Nothing to bring."""

    def keep(self, file: Path) -> None:
        """Nothing to do."""

    def only(self, names: Collection[str]) -> None:
        """Nothing to delete."""


class BucketBackup:
    """The files are objects under one prefix of a bucket."""

    def __init__(self, bucket: Bucket, prefix: str) -> None:
        self._bucket, self._prefix = bucket, prefix.rstrip("/") + "/"

    def fetch(self, folder: Path) -> None:
        """Download all, but not what another worker deletes meanwhile, which does not know yet that it was replaced."""
        for name in self._names():
            with suppress(NotFoundError):
                self._bucket.download(self._prefix + name, folder / name)

    def keep(self, file: Path) -> None:
        """Upload; readers see the old object or the new one, never a part."""
        self._bucket.put(self._prefix + file.name, file)

    def only(self, names: Collection[str]) -> None:
        """Delete the others."""
        for name in self._names():
            if name not in names:
                self._bucket.delete(self._prefix + name)

    def _names(self) -> list[str]:
        return [name.removeprefix(self._prefix) for name in self._bucket.names(self._prefix)]
