"""What the live version was trained on: the data to compare the next run's with."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from song2vec.playlists import changes
from song2vec.playlists.changes import DataIndex
from song2vec.records import Funnel
from song2vec.versions.live import LiveVersion
from song2vec.versions.records import read_record
from song2vec_client.store import ModelStore
from song2vec_client.version import Version


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
    version = live.open(store)
    return data_of(version) if version else None


def data_of(version: Version) -> LiveData:
    """The data of `version`; errors as for `live_data`."""
    index = _index(version) if changes.NAME in version else None
    return LiveData(version.name, read_record(version, Funnel), index)


def _index(version: Version) -> DataIndex:
    with TemporaryDirectory(prefix="song2vec-") as folder:
        path = Path(folder) / changes.NAME
        version.download(changes.NAME, path)
        return DataIndex.read(path)
