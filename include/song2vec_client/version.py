"""One published version: its manifest, read and trusted once, and the files that this manifest names."""

import hashlib
import threading
import weakref
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from song2vec_client.cache import Lease
from song2vec_client.errors import CorruptModelError, NotFoundError
from song2vec_client.format.digests import digest
from song2vec_client.format.layout import CONTEXT, MANIFEST, ONE_WAY, SONGS, VECTORS, file_name
from song2vec_client.format.records import FileEntry, Manifest, Pointer
from song2vec_client.format.signing import signature_name
from song2vec_client.reading import read_object, understand

if TYPE_CHECKING:
    from song2vec_client.model import SongModel
    from song2vec_client.store import ModelStore


class Version:
    """A version of a store, made by `ModelStore.version`; it stays the same one wherever a channel moves.

    Nothing is asked of the store before it is needed, and the manifest is read once at most. It is believed only
    with the sha256 that was asked for or that the channel gave, where the store has a public key only with its
    signature, and only if it is the manifest of this version; a file only with the size and sha256 in the manifest.
    Safe to share between threads.

    Whatever reads raises NotFoundError (the version is not published, or has lost the file), CorruptModelError,
    UnsupportedFormatError, UntrustedError, and what `Bucket` raises.

    Attributes:
        store: where it lies.
        name: the version, ``<UTC time>-<8 hex>``.
        pointer: what the channel held that was asked for; None where no channel was.
    """

    def __init__(
        self, store: "ModelStore", name: str, manifest_sha256: str | None = None, pointer: Pointer | None = None
    ) -> None:
        """See `ModelStore.version`."""
        self.store, self.name, self.pointer = store, name, pointer
        self._vouched = manifest_sha256
        self._manifest: tuple[Manifest, bytes] | None = None
        self._reading = threading.Lock()

    @property
    def manifest(self) -> Manifest:
        """What the version is: its files, and where they come from."""
        return self._trusted()[0]

    @property
    def manifest_sha256(self) -> str:
        """The digest of the manifest's bytes, 64 hex digits; nothing is read where it was given."""
        return self._vouched or hashlib.sha256(self._trusted()[1]).hexdigest()

    @property
    def files(self) -> tuple[str, ...]:
        """The path of every file but the manifest itself."""
        return tuple(entry.path for entry in self.manifest.files)

    def __contains__(self, path: object) -> bool:
        """Whether the version has a file `path`."""
        return path in self.files

    def read(self, path: str) -> bytes:
        """A small file, such as ``metrics.json``, verified.

        Raises:
            CorruptModelError: the manifest names no such file, or it is larger than 16 MiB.
        """
        entry = self.manifest.entry(path)
        content = read_object(self.store.bucket, file_name(self.name, path), f"version {self.name} has lost its {path}")
        self._verify(content, entry)
        return content

    def download(self, path: str, to: Path) -> None:
        """Write a file of any size to the local path `to`: verified, whole or not at all; errors as for `read`."""
        self._download(self.manifest.entry(path), to)

    def load(self) -> "SongModel":
        """The model: pulled if need be, checked, mapped.

        As long as it is in use, no process of the machine deletes it from the cache.
        """
        from song2vec_client.model import SongModel

        lease = self._lease()
        try:
            model = SongModel.open(lease.folder)
        except BaseException:
            lease.release()
            raise
        weakref.finalize(model, lease.release)
        return model

    def pull(self) -> Path:
        """The folder in the cache with the model; downloaded unless it is there.

        What is there was verified. It may be deleted when other models are pulled and the cache is full.
        """
        lease = self._lease()
        lease.release()
        return lease.folder

    def _trusted(self) -> tuple[Manifest, bytes]:
        """The manifest, and the bytes it was read from."""
        with self._reading:
            if self._manifest is None:
                self._manifest = self._read_manifest()
            return self._manifest

    def _read_manifest(self) -> tuple[Manifest, bytes]:
        bucket, name = self.store.bucket, file_name(self.name, MANIFEST)
        content = read_object(bucket, name, f"no version {self.name} in {bucket.uri}: it was never published whole")
        where = f"{bucket.uri}/{name}"
        sha256 = hashlib.sha256(content).hexdigest()
        if self._vouched not in (None, sha256):
            raise CorruptModelError(
                f"{where} is not the manifest that was asked for, or that the channel was moved to: "
                f"found sha256 {sha256[:16]}…, expected {self._vouched[:16]}…"
            )
        self._insist_signed(content, where)
        manifest = understand(Manifest, content, where)
        if manifest.version != self.name:
            raise CorruptModelError(f"{where} is the manifest of another version, {manifest.version}")
        return manifest, content

    def _insist_signed(self, content: bytes, where: str) -> None:
        """With a public key, refuse a manifest that it did not sign."""
        if self.store.public_keys is None:
            return
        try:
            signature: bytes | None = self.store.bucket.read(signature_name(self.name, content))[0]
        except NotFoundError:
            signature = None
        self.store.public_keys.insist(content, signature, where)

    def _lease(self) -> Lease:
        cache = self.store.cache
        vouched = self._vouched if self.store.public_keys is None else None  # the cache may hold unsigned ones
        if vouched and (lease := cache.find(self.name, vouched)):
            return lease
        manifest, content = self._trusted()
        like = (VECTORS, SONGS) if manifest.scoring == ONE_WAY else (VECTORS, CONTEXT, SONGS)
        prepared = [manifest.entry(path) for path in like]  # as large as what is written beside
        size = len(content) + sum(entry.size for entry in (*manifest.model_files, *prepared))
        sha256 = self.manifest_sha256
        return cache.find(self.name, sha256) or cache.add(self.name, sha256, size, self._fill)

    def _fill(self, folder: Path) -> None:
        from song2vec_client.model import SongModel

        manifest, content = self._trusted()
        for entry in manifest.model_files:
            self._download(entry, folder / entry.path)
        SongModel.open(folder).prepare(folder)
        (folder / MANIFEST).write_bytes(content)

    def _download(self, entry: FileEntry, to: Path) -> None:
        part = to.with_name(f".{to.name}.{uuid4().hex[:8]}.part")
        try:
            self.store.bucket.download(file_name(self.name, entry.path), part, entry.size)
            self._verify(part, entry)
            part.replace(to)
        finally:
            part.unlink(missing_ok=True)

    def _verify(self, content: bytes | Path, entry: FileEntry) -> None:
        stored = digest(content)
        if (stored.size, stored.sha256) != (entry.size, entry.sha256):
            raise CorruptModelError(
                f"{self.store.bucket.uri}: {entry.path} is damaged: found {stored.size:,} bytes with sha256 "
                f"{stored.sha256[:16]}…, the manifest says {entry.size:,} bytes with {entry.sha256[:16]}…"
            )
