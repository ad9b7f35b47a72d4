"""Where the files of one run live: a local folder, or a bucket when tasks run on many machines.

Stages read and write local paths. With a bucket, what a stage reads is downloaded to a scratch folder
first, and what it wrote is uploaded after it ended well, so any worker can take any task.
"""

import json
import os
import shutil
import tempfile
import weakref
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from song2vec.plumbing.files import read_json, write_json
from song2vec.workspace.backup import Backup, BucketBackup, NoBackup
from song2vec_client.errors import ConflictError, NotFoundError
from song2vec_client.gcs.bucket import Bucket


class RunFolder(Protocol):
    """The files of one run."""

    def uri(self, name: str) -> str:
        """Where `name` ("model", "prepared/playlists.parquet") is or will be; fit for XCom."""

    def fetch(self, uri: str) -> Path:
        """A local path that holds the file or folder at `uri`.

        Raises:
            NotFoundError: nothing is there.
        """

    def stage(self, name: str) -> AbstractContextManager[Path]:
        """Give the local path that a stage writes the folder `name` to; it is kept when the block ends well."""

    def backup(self, name: str) -> Backup:
        """Give a place `name` for files of a stage that is still at work, so that whoever tries it again finds them."""

    def record(self, name: str) -> dict[str, Any] | None:
        """The JSON object that was kept as `name`; None where there is none."""

    def keep(self, name: str, record: Mapping[str, Any]) -> dict[str, Any]:
        """Keep a JSON object as `name` for good: where there is one already, that one stays, and is returned."""


def open_run_folder(workspace: str, *names: str) -> RunFolder:
    """The folder `names` (DAG id, run id) of `workspace`, a local folder or ``gs://bucket/prefix``."""
    if workspace.startswith("gs://"):
        return BucketRunFolder("/".join([workspace.rstrip("/"), *names]))
    return LocalRunFolder(Path(workspace).expanduser().resolve().joinpath(*names))


class LocalRunFolder:
    """A run's files on this machine: nothing is copied."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def uri(self, name: str) -> str:
        """The path itself."""
        return str(self.root / name)

    def fetch(self, uri: str) -> Path:
        """The path itself, if something is there."""
        path = Path(uri)
        if not path.exists():
            raise NotFoundError(
                f"{path} is not there: the stage before did not write it, or another machine did. Run that "
                "stage again; when tasks run on several machines, set SONG2VEC_WORKSPACE to gs://BUCKET/PREFIX."
            )
        return path

    @contextmanager
    def stage(self, name: str) -> Iterator[Path]:
        """The path itself: stages write whole files and folders by themselves."""
        yield self.root / name

    def backup(self, name: str) -> Backup:
        """None: whoever tries again finds the files where they were."""
        return NoBackup()

    def record(self, name: str) -> dict[str, Any] | None:
        """What the file `name` holds."""
        path = self.root / name
        return read_json(path) if path.exists() else None

    def keep(self, name: str, record: Mapping[str, Any]) -> dict[str, Any]:
        """Write the file `name`, unless it exists."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{name}.", dir=path.parent) as scratch:
            whole = Path(scratch) / name
            write_json(whole, record)
            with suppress(FileExistsError):
                os.link(whole, path)  # of two who do it at once, one wins
        return read_json(path)


class BucketRunFolder:
    """A run's files in a bucket, through a scratch folder that is deleted with this object."""

    def __init__(self, root: str) -> None:
        self.root = root
        self._bucket = Bucket.open(root)
        self._scratch = Path(tempfile.mkdtemp(prefix="song2vec-"))
        weakref.finalize(self, shutil.rmtree, self._scratch, ignore_errors=True)

    def uri(self, name: str) -> str:
        """``gs://…/name``."""
        return f"{self.root}/{name}"

    def fetch(self, uri: str) -> Path:
        """Download what is at `uri`, once."""
        name = uri.removeprefix(self.root + "/")
        path = self._scratch / name
        if not path.exists():
            names = [each for each in self._bucket.names(name) if each == name or each.startswith(name + "/")]
            if not names:
                raise NotFoundError(f"{uri} is not there: the stage before did not write it. Run that stage again.")
            for each in names:
                self._bucket.download(each, self._scratch / each)
        return path

    @contextmanager
    def stage(self, name: str) -> Iterator[Path]:
        """A scratch path; what is there when the block ends well is uploaded, records (JSON) last."""
        path = self._scratch / name
        yield path
        files = sorted((file for file in path.rglob("*") if file.is_file()), key=lambda file: file.suffix == ".json")
        for file in files:
            self._bucket.put(f"{name}/{file.relative_to(path).as_posix()}", file)

    def backup(self, name: str) -> Backup:
        """``gs://…/name``: the scratch folder is lost with the machine, or with this object."""
        return BucketBackup(self._bucket, name)

    def record(self, name: str) -> dict[str, Any] | None:
        """What the object `name` holds."""
        try:
            content, _ = self._bucket.read(name)
        except NotFoundError:
            return None
        record: dict[str, Any] = json.loads(content)
        return record

    def keep(self, name: str, record: Mapping[str, Any]) -> dict[str, Any]:
        """Create the object `name`, unless it exists."""
        with suppress(ConflictError):
            self._bucket.create(name, json.dumps(record).encode())
        return self.record(name) or dict(record)
