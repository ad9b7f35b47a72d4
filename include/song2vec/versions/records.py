"""The JSON records of a published version, such as ``metrics.json``."""

from typing import Any

from song2vec_client.format.fields import parse_json
from song2vec_client.version import Version


def read_record(version: Version, path: str) -> dict[str, Any]:
    """The record at `path` of a version, verified; empty where the version has none, or it is no JSON object.

    Raises:
        CorruptModelError: it is not what the manifest says, or no JSON.
    """
    if path not in version:
        return {}
    record = parse_json(version.read(path))
    return record if isinstance(record, dict) else {}
