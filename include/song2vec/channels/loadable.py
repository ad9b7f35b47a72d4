"""Whether a version is published and can be loaded: checked before a channel moves to it."""

import structlog

from song2vec_client.errors import CorruptModelError, NotFoundError
from song2vec_client.format.layout import file_name, is_version
from song2vec_client.store import ModelStore
from song2vec_client.version import Version

log = structlog.get_logger(__name__)


def published_version(store: ModelStore, name: str, manifest_sha256: str | None = None) -> Version:
    """The version `name`, which is published now: its manifest was read.

    Raises:
        NotFoundError: it is not published, or not the name of a version: a channel may move at any time.
        CorruptModelError: its manifest is damaged, or has another digest than `manifest_sha256`.
    """
    absent = NotFoundError(f"no version {name} in {store.bucket.uri}: `song2vec versions` lists what there is")
    if not is_version(name):
        raise absent
    version = store.version(name, manifest_sha256)
    try:
        version.manifest  # noqa: B018 - reads it
    except NotFoundError:
        raise absent from None
    return version


def insist_loadable(version: Version) -> None:
    """Check that every file of `version` is there as its manifest says, then load the model as a service does.

    The store's own checksums are compared for all files, so that nothing is downloaded for those that clients
    do not use; those that they use are pulled and verified, unless they lie in this machine's cache.

    Raises:
        CorruptModelError: a file is missing or not what the manifest says, or the model does not load.
    """
    bucket, entries = version.store.bucket, version.manifest.files
    listed = bucket.listing(file_name(version.name, ""))
    stored = {file.name: (file.size, file.crc32c) for file in listed}
    problems = []
    for entry in entries:
        digest = stored.get(file_name(version.name, entry.path))
        if digest != (entry.size, entry.crc32c):
            problems.append(f"{entry.path} is {'missing' if digest is None else 'not what the manifest says'}")
    if problems:
        raise CorruptModelError(f"version {version.name} of {bucket.uri} is damaged: {', '.join(problems)}")
    model = version.load()
    log.info("the version is whole and loads", version=version.name, files=len(entries), songs=len(model))
