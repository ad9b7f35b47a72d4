"""What the version that a channel names was trained on: the data to compare the next run's with."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from song2vec.playlists import changes
from song2vec.playlists.changes import DataIndex
from song2vec.versions.live import live_pointer
from song2vec.versions.records import read_record
from song2vec_client.gcs.bucket import Bucket
from song2vec_client.store import ModelStore
from song2vec_client.version import Version


@dataclass(frozen=True)
class LastVersion:
    """The data of a published version.

    Attributes:
        version: its name.
        funnel: its ``funnel.json``; empty if it was published without.
        index: its playlists' digests; None if it was published without.
    """

    version: str
    funnel: Mapping[str, Any]
    index: DataIndex | None


def last_version(bucket: Bucket, channel: str) -> LastVersion | None:
    """The version that `channel` names, or None while it names none.

    Raises:
        CorruptModelError: a file is not what the version's manifest says.
    """
    live = live_pointer(bucket, channel)
    return data_of(ModelStore.of(bucket).version(live.version, live.manifest_sha256)) if live else None


def data_of(version: Version) -> LastVersion:
    """The data of `version`; errors as for `last_version`."""
    index = _index(version) if changes.NAME in version else None
    return LastVersion(version.name, read_record(version, "funnel.json"), index)


def _index(version: Version) -> DataIndex:
    with TemporaryDirectory(prefix="song2vec-") as folder:
        path = Path(folder) / changes.NAME
        version.download(changes.NAME, path)
        return DataIndex.read(path)
