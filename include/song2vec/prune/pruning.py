"""Deleting what a store no longer needs: versions that retention lets go, and what crashed uploads left behind.

A version goes in the reverse of the order in which it came: first its manifest, after which it does not
exist, then its files. So nobody sees half of it; a reader in the middle of a download finds a file missing and
refuses the whole. A crash in between leaves what a crashed upload leaves, and goes in the same way.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from song2vec.channels import history, length, read_move
from song2vec.prune.retention import reasons_by_name, reasons_to_stay
from song2vec.settings import RetentionSettings
from song2vec_client.errors import ChangedError, ConflictError, NotFoundError, Song2VecError
from song2vec_client.format.layout import MANIFEST, file_name, is_version
from song2vec_client.format.records import Pointer
from song2vec_client.gcs.bucket import Bucket, Stored
from song2vec_client.store import ModelStore

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Folder:
    """The objects of one version."""

    version: str
    objects: tuple[Stored, ...]

    @property
    def manifest(self) -> Stored | None:
        """Its manifest; without one, the version does not exist: not yet, or no more."""
        return next((stored for stored in self.objects if stored.name == file_name(self.version, MANIFEST)), None)

    @property
    def files(self) -> tuple[Stored, ...]:
        """All but the manifest."""
        return tuple(stored for stored in self.objects if stored is not self.manifest)

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(stored.size for stored in self.objects)


class _Names:
    """Which versions must stay because something names them, as of each call; a move, once read, never changes."""

    def __init__(self, bucket: Bucket, rules: RetentionSettings) -> None:
        self._bucket, self._rules = bucket, rules
        self._moves = history(bucket)

    def now(self) -> dict[str, str]:
        """The versions, each with the reason."""
        for number in range(len(self._moves) + 1, length(self._bucket) + 1):
            self._moves.append(read_move(self._bucket, number))
        return reasons_by_name(_pointers(ModelStore.of(self._bucket)), self._moves, self._rules)


def prune(bucket: Bucket, rules: RetentionSettings, *, delete: bool, now: datetime | None = None) -> dict[str, Any]:
    """Find, and with `delete` also delete, the versions that need not stay and the leftovers of crashed uploads.

    Args:
        bucket: the model store.
        rules: what must stay.
        delete: whether to delete; else everything stays as it is.
        now: the time to judge ages by; None: the clock's.

    Returns:
        ``{"deleted": delete, "bytes": …, "versions": [{"version", "published", "megabytes", "fate", "why"}]}``,
        newest first; `fate` is "stays" or "goes", `bytes` the sum of what goes.

    Raises:
        DataError: the history is damaged, so that nobody knows what is live. Nothing was deleted.
        CorruptModelError: a channel's pointer, or a move, is damaged. Nothing was deleted.
    """
    now = now or datetime.now(UTC)
    folders = _folders(bucket)
    names = _Names(bucket, rules)
    reasons = _reasons_to_stay(folders, names.now(), rules, now)
    rows, size = [], 0
    for folder in folders:
        why = reasons.get(folder.version)
        if delete and why is None:
            why = _delete(bucket, folder, names)
        size += 0 if why else folder.size
        rows.append(_row(folder, why))
    goes = [row["version"] for row in rows if row["fate"] == "goes"]
    log.info("versions that need not stay", deleted=delete, versions=goes, bytes=size)
    return {"deleted": delete, "bytes": size, "versions": rows}


def prune_after_run(bucket: Bucket, rules: RetentionSettings) -> dict[str, Any] | None:
    """Show, or delete, the versions that need not stay, as ``retention.after_run`` says; None where it is off.

    Returns:
        ``{"deleted", "bytes", "versions"}``: whether they were deleted, their size, their names.
    """
    if rules.after_run == "off":
        return None
    record = prune(bucket, rules, delete=rules.after_run == "delete")
    return record | {"versions": [row["version"] for row in record["versions"] if row["fate"] == "goes"]}


def clean(bucket: Bucket, rules: RetentionSettings, now: datetime | None = None) -> list[str]:
    """Delete what crashed uploads left behind, and give the versions that they would have become.

    What cannot be deleted stays, with a warning: it takes room, and does no other harm.
    """
    now = now or datetime.now(UTC)
    try:
        folders = [folder for folder in _folders(bucket) if folder.manifest is None]
        if not folders:
            return []
        names = _Names(bucket, rules)
        reasons = _reasons_to_stay(folders, names.now(), rules, now)
        leftovers = [folder for folder in folders if folder.version not in reasons]
        return [folder.version for folder in leftovers if _delete(bucket, folder, names) is None]
    except Song2VecError as error:
        log.warning("the leftovers of crashed uploads were not deleted", why=str(error))
        return []


def _pointers(store: ModelStore) -> list[Pointer]:
    """What every channel holds; a damaged one is an error, for it may name any version."""
    pointers = []
    for pointer in store.channels().values():
        if not isinstance(pointer, Pointer):
            raise pointer
        pointers.append(pointer)
    return pointers


def _folders(bucket: Bucket) -> list[_Folder]:
    """The objects under versions/, by version, newest first; whatever else is there is left alone."""
    objects = defaultdict(list)
    for stored in bucket.listing("versions/"):
        version = stored.name.split("/")[1]
        if is_version(version):
            objects[version].append(stored)
    return [_Folder(version, tuple(objects[version])) for version in sorted(objects, reverse=True)]


def _reasons_to_stay(
    folders: Iterable[_Folder], names: Mapping[str, str], rules: RetentionSettings, now: datetime
) -> dict[str, str]:
    """What must stay, published or not, each with the reason."""
    published = {folder.version: folder.manifest.created for folder in folders if folder.manifest}
    reasons = reasons_to_stay(published, names, rules, now)
    for folder in folders:
        if folder.manifest is None and folder.version in names:
            reasons[folder.version] = f"{names[folder.version]}, though it has no manifest: publish it again"
        elif folder.manifest is None and now - _last(folder.objects) < timedelta(hours=rules.orphan_hours):
            reasons[folder.version] = f"under way: something was uploaded less than {rules.orphan_hours} hours ago"
    return reasons


def _delete(bucket: Bucket, folder: _Folder, names: _Names) -> str | None:
    """Delete a version, manifest first, unless something names it by now; the reason if it stays."""
    if why := names.now().get(folder.version):
        return why
    try:
        if folder.manifest and (why := _withdraw(bucket, folder.manifest, folder.version, names)):
            return why
        for stored in folder.files:
            bucket.delete(stored.name, stored.generation)
    except ChangedError:
        return "somebody else wrote to it meanwhile"
    # Somebody may have published the same files again just now, and written a manifest for files that are gone.
    bucket.delete(file_name(folder.version, MANIFEST))
    log.info("deleted", version=folder.version, whole=folder.manifest is not None, bytes=folder.size)
    return None


def _withdraw(bucket: Bucket, manifest: Stored, version: str, names: _Names) -> str | None:
    """Delete a manifest, and put it back if its version was promoted at the same time; the reason if it stays."""
    try:
        content, generation = bucket.read(manifest.name, limit=manifest.size)
    except NotFoundError:  # somebody else deleted it, too
        return None
    bucket.delete(manifest.name, generation)
    why = names.now().get(version)
    if why:
        with suppress(ConflictError):  # somebody else published the same files again
            bucket.create(manifest.name, content)
    return why


def _last(objects: Iterable[Stored]) -> datetime:
    return max(stored.created for stored in objects)


def _row(folder: _Folder, why: str | None) -> dict[str, Any]:
    manifest = folder.manifest
    return {
        "version": folder.version,
        "published": manifest.created.strftime("%Y-%m-%d %H:%M UTC") if manifest else None,
        "megabytes": round(folder.size / 1e6, 1),
        "fate": "stays" if why else "goes",
        "why": why or ("no rule keeps it" if manifest else "left behind by an upload that never finished"),
    }
