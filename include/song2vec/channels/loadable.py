"""Whether a published version can be loaded: asked before a channel moves to it."""

import hashlib

import structlog

from song2vec.errors import NotFoundError
from song2vec_client import errors as client_errors
from song2vec_client.errors import CorruptModelError
from song2vec_client.format.layout import file_name
from song2vec_client.format.records import Manifest
from song2vec_client.gcs.bucket import Bucket
from song2vec_client.store import ModelStore

log = structlog.get_logger(__name__)


def read_manifest(bucket: Bucket, version: str) -> tuple[Manifest, str]:
    """The manifest of a version, and the sha256 of its bytes.

    Raises:
        NotFoundError: it is not published.
    """
    try:
        manifest, content = ModelStore.of(bucket).read_manifest(version)
    except client_errors.NotFoundError:
        raise NotFoundError(f"no version {version} in {bucket.uri}: `song2vec versions` lists what there is") from None
    return manifest, hashlib.sha256(content).hexdigest()


def insist_loadable(bucket: Bucket, version: str) -> None:
    """Check that every file of `version` is there as its manifest says, then load the model as a service does.

    The store's own checksums are compared for all files, so that nothing is downloaded for those that clients
    do not use; those that they use are pulled and verified, unless they lie in this machine's cache.

    Raises:
        CorruptModelError: a file is missing or another one, or the model does not load.
    """
    manifest, _ = read_manifest(bucket, version)
    there = {stored.name: (stored.size, stored.crc32c) for stored in bucket.listing(file_name(version, ""))}
    problems = []
    for entry in manifest.files:
        found = there.get(file_name(version, entry.path))
        if found != (entry.size, entry.crc32c):
            problems.append(f"{entry.path} is {'missing' if found is None else 'not what the manifest says'}")
    if problems:
        raise CorruptModelError(f"version {version} of {bucket.uri} is damaged: {', '.join(problems)}")
    model = ModelStore.of(bucket).load(version)
    log.info("the version is whole and loads", version=version, files=len(manifest.files), songs=len(model))
