"""Uploading the files of a version: several at once, none that is there already, each compared with what arrived.

A large file goes up in one request (google-cloud-storage's resumable upload, which continues where a lost
connection stopped it). Its transfer manager could send one file in several parts at once, but then nothing keeps
an object from being overwritten: such an upload takes no ``if_generation_match``.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import structlog

from song2vec.plumbing.progress import track
from song2vec_client.errors import ChangedError, ConflictError
from song2vec_client.format.digests import Digest, digest
from song2vec_client.format.layout import file_name
from song2vec_client.format.records import FileEntry
from song2vec_client.gcs.bucket import Bucket

log = structlog.get_logger(__name__)

FILES_AT_A_TIME = 4  # each holds at most 100 MiB of its file in memory

Contents = Mapping[str, Path | bytes]


def entries_of(contents: Contents) -> tuple[FileEntry, ...]:
    """Size and checksums of all files, by path."""
    with track("checksums", "files", len(contents)) as advance, ThreadPoolExecutor(FILES_AT_A_TIME) as pool:

        def entry(path: str) -> FileEntry:
            checksums = digest(contents[path])
            advance(1)
            return FileEntry(path, checksums.size, checksums.sha256, checksums.crc32c)

        return tuple(pool.map(entry, sorted(contents)))


def upload(bucket: Bucket, version: str, contents: Contents, entries: Sequence[FileEntry]) -> None:
    """Store all files of a version, and make sure in the end that all are there as they should be.

    Args:
        bucket: the model store.
        version: its name.
        contents: bytes or files, by path.
        entries: their sizes and checksums.

    Raises:
        ConflictError: an object exists with other content.
        CorruptModelError: a file was written to meanwhile, or damaged on its way.
        ChangedError: an object that was stored is gone.
    """
    missing = _missing(bucket, version, entries)
    total = sum(entry.size for entry in missing)
    log.info(
        "publishing",
        version=version,
        files=len(missing),
        bytes=total,
        already_there=len(entries) - len(missing),
        to=bucket.uri,
    )
    with track("publish", "bytes", total) as advance, ThreadPoolExecutor(FILES_AT_A_TIME) as pool:

        def send(entry: FileEntry) -> None:
            checksums = Digest(entry.size, entry.sha256, entry.crc32c)
            bucket.create(file_name(version, entry.path), contents[entry.path], checksums, advance)

        largest_first = sorted(missing, key=lambda entry: -entry.size)
        try:
            for future in as_completed([pool.submit(send, entry) for entry in largest_first]):
                future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    if still_missing := _missing(bucket, version, entries):
        names = ", ".join(entry.path for entry in still_missing)
        raise ChangedError(
            f"{bucket.uri}: {names} of version {version} disappeared while others were uploaded: publish again"
        )


def _missing(bucket: Bucket, version: str, entries: Sequence[FileEntry]) -> list[FileEntry]:
    """The files that are not stored yet."""
    objects = {stored.name: stored for stored in bucket.listing(file_name(version, ""))}
    missing = []
    for entry in entries:
        stored = objects.get(file_name(version, entry.path))
        if stored is None:
            missing.append(entry)
        elif (stored.size, stored.crc32c) != (entry.size, entry.crc32c):
            raise ConflictError(
                f"{bucket.uri}/{stored.name} exists with other content: {stored.size} bytes with crc32c "
                f"{stored.crc32c}, not {entry.size} bytes with {entry.crc32c}. It is never overwritten."
            )
    return missing
