"""The records of a published version."""

from song2vec.errors import DataError
from song2vec.records import AnyRecord
from song2vec_client.version import Version


def read_record(version: Version, kind: type[AnyRecord]) -> AnyRecord | None:
    """The record of a version, verified; None where the version has none.

    Raises:
        CorruptModelError: the file is not what the manifest says.
        DataError: it holds no such record.
    """
    if kind.FILE not in version:
        return None
    try:
        return kind.parse(version.read(kind.FILE))
    except DataError as error:
        raise DataError(f"{kind.FILE} of version {version.name} is damaged: {error}") from None
