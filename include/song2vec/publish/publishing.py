"""Publishing: the files of a run become a version in the model store, completely or not at all.

Every object is created, never overwritten, and its checksum compared with what the service says it holds.
What an earlier attempt uploaded is not uploaded again.
The manifest goes last: until it is there, the version does not exist, so a crash leaves nothing to see.
The version's name follows from its content, so publishing the same files again completes, or finds, the
same version.
"""

import hashlib
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from song2vec import __version__
from song2vec.errors import DataError
from song2vec.model import GENSIM
from song2vec.publish.model_card import model_card
from song2vec.publish.signing import SigningKey
from song2vec.publish.upload import entries_of, upload
from song2vec.records import KINDS, AnyRecord, Decision, Funnel, Records, Training
from song2vec.settings import Settings
from song2vec_client.errors import ConflictError, NotFoundError
from song2vec_client.format.alignment import Alignment
from song2vec_client.format.layout import (
    MANIFEST,
    MODEL_FILES,
    NEIGHBOUR_WEIGHTS,
    NEIGHBOURS,
    ONE_WAY,
    TWO_WAY,
    file_name,
    version_id,
)
from song2vec_client.format.records import FileEntry, Manifest
from song2vec_client.format.signing import signature_name
from song2vec_client.gcs.bucket import Bucket
from song2vec_client.store import ModelStore

log = structlog.get_logger(__name__)

CARD = "MODEL_CARD.md"
REQUIRED = ("songs.parquet", "song2vec.bin", GENSIM, Training.FILE)
OPTIONAL = (*(kind.FILE for kind in KINDS if kind is not Training), "data_index.npz", "live.json", CARD)


@dataclass(frozen=True)
class VersionFacts:
    """What a manifest says of a version besides its files; the fields are those of `Manifest`."""

    parent: str | None
    accepted: bool
    status: str
    settings: Mapping[str, Any]
    data_fingerprint: str
    code_version: str
    created: datetime
    alignment: Alignment | None = None


def published_files(*folders: Path) -> dict[str, Path]:
    """The files of the published format that lie in `folders`, by their path in a version.

    Where several folders have a file, the first of them counts.

    Raises:
        DataError: a required file is in none of them.
    """
    files: dict[str, Path] = {}
    for folder in folders:
        parts = sorted(path.relative_to(folder).as_posix() for path in folder.glob(f"{GENSIM}*"))
        for name in (*MODEL_FILES[TWO_WAY], *REQUIRED, *OPTIONAL, *parts):
            if (folder / name).is_file():
                files.setdefault(name, folder / name)
    required = (*MODEL_FILES[_scoring(files)], *REQUIRED)
    if missing := [name for name in required if name not in files]:
        raise DataError(
            f"cannot publish: {', '.join(missing)} not found in {', '.join(map(str, folders))}. "
            "Give the folder that `song2vec train` wrote."
        )
    return files


def publish_folders(
    store: ModelStore, folders: Sequence[Path], settings: Settings, *, parent: str | None, key: SigningKey | None = None
) -> dict[str, Any]:
    """Publish the files that the stages up to the gate left in `folders` as one version, signed with `key`.

    Args:
        store: the model store.
        folders: see `published_files`.
        settings: all of the run, for the manifest.
        parent: the version that is live.
        key: signs it; None: it is not signed.

    Returns:
        ``{"version", "uri"}``.

    Raises:
        DataError: a file is missing. For more see `publish`.
    """
    files = published_files(*folders)
    decision, funnel = _record(files, Decision), _record(files, Funnel)
    accepted = decision is None or decision.accepted
    facts = VersionFacts(
        parent=parent,
        accepted=accepted,
        status="accepted" if accepted else "rejected",
        settings=settings.model_dump(mode="json"),
        data_fingerprint=funnel.fingerprint if funnel else "",
        code_version=os.environ.get("SONG2VEC_CODE_VERSION", __version__),
        created=datetime.now(UTC),
        alignment=Training.read(files[Training.FILE]).alignment.alignment,
    )
    manifest = publish(store.bucket, files, facts, key)
    return {"version": manifest.version, "uri": f"{store.bucket.uri}/versions/{manifest.version}"}


def publish(bucket: Bucket, files: Mapping[str, Path], facts: VersionFacts, key: SigningKey | None = None) -> Manifest:
    """Make a version of `files` (by their path in it, as `published_files` gives them), signed with `key`.

    A model card is added unless there is one. Where the version exists already, its manifest is returned
    as it is: whoever published it first decided where it comes from, and whether it is signed.

    Raises:
        DataError: there is no usable ``training.json``.
        ConflictError: an object of the version exists with other content.
        CorruptModelError: a file was written to meanwhile, or damaged on its way.
        ChangedError: somebody deleted what was uploaded.
    """
    contents: dict[str, Path | bytes] = {CARD: _card(files), **files}
    entries = entries_of(contents)
    version = version_id(_finished(files), content_digest(entries))
    if (existing := _published(bucket, version)) is not None:
        log.info("this version is published already: nothing to do", version=version)
        return _same(existing, entries)
    upload(bucket, version, contents, entries)
    return _seal(bucket, _manifest(version, facts, entries), key)


def content_digest(entries: tuple[FileEntry, ...]) -> str:
    """The sha256 of the paths, sizes and sha256 of all files: equal for equal content."""
    lines = sorted(f"{entry.path}\0{entry.size}\0{entry.sha256}\n" for entry in entries)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _seal(bucket: Bucket, manifest: Manifest, key: SigningKey | None) -> Manifest:
    """Write the signature, then the manifest, after which the version exists."""
    content = manifest.to_bytes()
    if key:
        bucket.create(signature_name(manifest.version, content), key.sign(content))
    try:
        bucket.create(file_name(manifest.version, MANIFEST), content)
    except ConflictError:  # another process published the same files at the same time
        existing = _published(bucket, manifest.version)
        if existing is None:
            raise
        return _same(existing, manifest.files)
    log.info(
        "published", version=manifest.version, status=manifest.status, parent=manifest.parent, signed=key is not None
    )
    return manifest


def _manifest(version: str, facts: VersionFacts, entries: tuple[FileEntry, ...]) -> Manifest:
    return Manifest(
        version=version,
        parent=facts.parent,
        created=facts.created.astimezone(UTC).replace(microsecond=0),
        accepted=facts.accepted,
        status=facts.status,
        settings=facts.settings,
        data_fingerprint=facts.data_fingerprint,
        code_version=facts.code_version,
        files=entries,
        alignment=facts.alignment,
        scoring=_scoring([entry.path for entry in entries]),
    )


def _scoring(paths: Collection[str]) -> str:
    """How a model is scored that consists of these files, of which some may be missing."""
    return ONE_WAY if {NEIGHBOURS, NEIGHBOUR_WEIGHTS}.isdisjoint(paths) else TWO_WAY


def _published(bucket: Bucket, version: str) -> Manifest | None:
    try:
        return ModelStore.of(bucket).version(version).manifest
    except NotFoundError:
        return None


def _same(existing: Manifest, entries: tuple[FileEntry, ...]) -> Manifest:
    if set(existing.files) != set(entries):
        raise ConflictError(f"version {existing.version} exists with other files: its manifest was tampered with")
    return existing


def _card(files: Mapping[str, Path]) -> bytes:
    return model_card(Records.of(partial(_record, files))).encode()


def _record(files: Mapping[str, Path], kind: type[AnyRecord]) -> AnyRecord | None:
    """The record among `files`; None where there is none."""
    return kind.read(files[kind.FILE]) if kind.FILE in files else None


def _finished(files: Mapping[str, Path]) -> datetime:
    """When the training ended: a fixed property of the model, unlike the time of this call."""
    training = _record(files, Training)
    text = training.finished if training else None
    try:
        time = datetime.fromisoformat(str(text))
    except ValueError:
        raise DataError(
            f"cannot publish: {Training.FILE} says finished = {text!r}, expected a time such as 2026-01-31T04:00:00Z. "
            "Train again."
        ) from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
