"""The records of a published version."""

from song2vec.errors import DataError
from song2vec.records import AnyRecord
from song2vec_client.format.records import Manifest
from song2vec_client.store import ModelStore


def read_record(store: ModelStore, manifest: Manifest, kind: type[AnyRecord]) -> AnyRecord | None:
    """The record of a version, verified; None where the version has none.

    Raises:
        CorruptModelError: the file is not what the manifest says.
        DataError: it holds no such record.
    """
    if all(entry.path != kind.FILE for entry in manifest.files):
        return None
    try:
        return kind.parse(store.read(manifest.version, kind.FILE))
    except DataError as error:
        raise DataError(f"{kind.FILE} of version {manifest.version} is damaged: {error}") from None
