"""What the live version was trained on: the data to compare the next run's with."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from song2vec.playlists import changes
from song2vec.playlists.changes import DataIndex
from song2vec.records import Funnel
from song2vec.versions.live import LiveVersion
from song2vec.versions.records import read_record
from song2vec_client.format.records import Manifest
from song2vec_client.store import ModelStore


@dataclass(frozen=True)
class LiveData:
    """The data of a published version.

    Attributes:
        version: its name.
        funnel: what became of its rows; None if it was published without.
        index: its playlists' digests; None if it was published without.
    """

    version: str
    funnel: Funnel | None
    index: DataIndex | None


def live_data(store: ModelStore, live: LiveVersion) -> LiveData | None:
    """The data of the live version; None while there is none.

    Raises:
        NotFoundError: it was deleted.
        CorruptModelError: a file is not what the version's manifest says.
        DataError: its funnel or index is damaged.
    """
    return data_of(store, store.read_manifest(live.version, live.manifest_sha256)[0]) if live.version else None


def data_of(store: ModelStore, manifest: Manifest) -> LiveData:
    """The data of the version that `manifest` describes; errors as for `live_data`."""
    indexed = any(entry.path == changes.NAME for entry in manifest.files)
    index = _index(store, manifest.version) if indexed else None
    return LiveData(manifest.version, read_record(store, manifest, Funnel), index)


def _index(store: ModelStore, version: str) -> DataIndex:
    with TemporaryDirectory(prefix="song2vec-") as folder:
        path = Path(folder) / changes.NAME
        store.download(version, changes.NAME, path)
        return DataIndex.read(path)
