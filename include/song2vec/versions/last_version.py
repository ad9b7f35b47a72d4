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
from song2vec_client.format.records import Manifest
from song2vec_client.gcs.bucket import Bucket
from song2vec_client.store import ModelStore


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


def last_version(store: Bucket, channel: str) -> LastVersion | None:
    """The version that `channel` names, or None while it names none.

    Raises:
        CorruptModelError: a file is not what the version's manifest says.
    """
    live = live_pointer(store, channel)
    return data_of(store, ModelStore.of(store).read_manifest(live.version, live.manifest_sha256)[0]) if live else None


def data_of(store: Bucket, manifest: Manifest) -> LastVersion:
    """The data of the version that `manifest` describes; errors as for `last_version`."""
    models = ModelStore.of(store)
    indexed = any(entry.path == changes.NAME for entry in manifest.files)
    index = _index(models, manifest.version) if indexed else None
    return LastVersion(manifest.version, read_record(models, manifest, "funnel.json"), index)


def _index(models: ModelStore, version: str) -> DataIndex:
    with TemporaryDirectory(prefix="song2vec-") as folder:
        path = Path(folder) / changes.NAME
        models.download(version, changes.NAME, path)
        return DataIndex.read(path)
