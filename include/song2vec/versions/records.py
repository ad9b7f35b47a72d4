"""The JSON records of a published version, such as ``metrics.json``."""

from typing import Any

from song2vec_client.format.fields import parse_json
from song2vec_client.format.records import Manifest
from song2vec_client.store import ModelStore


def read_record(models: ModelStore, manifest: Manifest, path: str) -> dict[str, Any]:
    """The record at `path` of a version, verified; empty where the version has none, or it is no JSON object.

    Raises:
        CorruptModelError: it is not what the manifest says, or no JSON.
    """
    if all(entry.path != path for entry in manifest.files):
        return {}
    record = parse_json(models.read(manifest.version, path))
    return record if isinstance(record, dict) else {}
