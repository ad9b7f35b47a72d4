"""A model store as its readers see it: channels, versions, and verified models in a cache on disk."""

import hashlib
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from song2vec_client.cache import LIMIT, Cache, Lease, default_cache
from song2vec_client.errors import CorruptModelError, NotFoundError, UnsupportedFormatError
from song2vec_client.format.digests import digest
from song2vec_client.format.fields import parse_json
from song2vec_client.format.layout import (
    MANIFEST,
    MODEL_FILES,
    SONGS,
    VECTORS,
    channel_name,
    file_name,
    is_channel,
    is_version,
)
from song2vec_client.format.records import FileEntry, Manifest, Pointer
from song2vec_client.format.signing import PublicKeys, signature_name
from song2vec_client.gcs.bucket import Bucket

if TYPE_CHECKING:
    from song2vec_client.model import SongModel
    from song2vec_client.watch import Watch

AnyRecord = TypeVar("AnyRecord", Manifest, Pointer)


class ModelStore:
    """The models under ``gs://bucket/prefix``.

    What is read is believed only where the manifest names it with this size and this sha256, and a
    manifest that a channel names only with the sha256 that the channel gives; with a public key, only one
    that this key signed. Methods raise NotFoundError, CorruptModelError, UnsupportedFormatError,
    UntrustedError, what `Bucket` raises, and OSError where the cache cannot be written, as on a full disk.
    """

    def __init__(
        self,
        uri: str,
        client: Any = None,
        cache: Path | str | None = None,
        public_key: Path | str | None = None,
        *,
        cache_limit: int = LIMIT,
    ) -> None:
        """Name a store; no request is made yet.

        Args:
            uri: ``gs://BUCKET/PREFIX``.
            client: a ``google.cloud.storage.Client``; None: one with the machine's own credentials.
            cache: folder for pulled models, shared by all processes; None: SONG2VEC_CACHE, or
                ``~/.cache/song2vec``.
            public_key: PEM file; every version that is not signed by this key is then refused.
            cache_limit: bytes that pulled models may take; the least recently used go first, those in use stay.

        Raises:
            KeyFileError: the public key cannot be used.
        """
        self._set(Bucket.open(uri, client), cache, public_key, cache_limit)

    @classmethod
    def of(
        cls,
        bucket: Bucket,
        cache: Path | str | None = None,
        public_key: Path | str | None = None,
        *,
        cache_limit: int = LIMIT,
    ) -> "ModelStore":
        """The models in a bucket that is open already."""
        store = cls.__new__(cls)
        store._set(bucket, cache, public_key, cache_limit)
        return store

    def _set(self, bucket: Bucket, cache: Path | str | None, public_key: Path | str | None, cache_limit: int) -> None:
        self.bucket = bucket
        self.cache = Cache(Path(cache) if cache is not None else default_cache(), cache_limit)
        self._keys = PublicKeys.read(public_key) if public_key is not None else None

    def channels(self) -> dict[str, Pointer]:
        """Every channel and what it names."""
        names = [name.removeprefix("channels/").removesuffix(".json") for name in self.bucket.names("channels/")]
        return {name: self.resolve(name) for name in names if is_channel(name)}

    def resolve(self, channel: str) -> Pointer:
        """What `channel` names now."""
        if not is_channel(channel):
            raise NotFoundError(f"{channel!r} is neither a version nor the name of a channel, such as production")
        content = self._read(channel_name(channel), f"no channel {channel} in {self.bucket.uri}: nothing was promoted")
        pointer = _checked(Pointer, content, f"{self.bucket.uri}/{channel_name(channel)}")
        if pointer.channel != channel:
            raise CorruptModelError(f"the pointer of channel {channel} says that it belongs to {pointer.channel}")
        return pointer

    def manifest(self, name: str) -> Manifest:
        """The manifest of a version, or of the version that a channel names."""
        return self.read_manifest(*self._named(name))[0]

    def read_manifest(self, version: str, sha256: str | None = None) -> tuple[Manifest, bytes]:
        """The manifest of a version, and the bytes it was read from; with `sha256`, only if that is their digest."""
        name = file_name(version, MANIFEST)
        content = self._read(name, f"no version {version} in {self.bucket.uri}: it was never published whole")
        where = f"{self.bucket.uri}/{name}"
        if sha256 not in (None, hashlib.sha256(content).hexdigest()):
            raise CorruptModelError(f"{where} is not the manifest that the channel was moved to")
        self._insist_signed(version, content)
        manifest = _checked(Manifest, content, where)
        if manifest.version != version:
            raise CorruptModelError(f"{where} is the manifest of another version, {manifest.version}")
        return manifest, content

    def published(self) -> list[str]:
        """The name of every version that is published, newest first; one without a manifest does not exist."""
        names = (name.split("/") for name in self.bucket.names("versions/"))
        found = {path[1] for path in names if len(path) == 3 and path[2] == MANIFEST and is_version(path[1])}
        return sorted(found, reverse=True)

    def versions(self) -> list[Manifest]:
        """The manifest of every version that is published, newest first; one that is damaged is an error."""
        return [self.manifest(version) for version in self.published()]

    def read(self, name: str, path: str) -> bytes:
        """A small file (``metrics.json``) of a version or channel, verified."""
        manifest = self.manifest(name)
        entry = manifest.entry(path)
        content = self._read(file_name(manifest.version, path), f"version {manifest.version} has lost its {path}")
        _verify(content, entry, self.bucket.uri)
        return content

    def download(self, name: str, path: str, to: Path) -> None:
        """Write any file of a version or channel to the local path `to`: verified, whole or not at all."""
        manifest = self.manifest(name)
        self._download(manifest.version, manifest.entry(path), to)

    def load(self, name: str = "production") -> "SongModel":
        """The model of a version, or of the version that a channel names: pulled if need be, checked, mapped.

        As long as it is in use, no process of the machine deletes it from the cache.
        """
        return self.load_version(*self._named(name))

    def load_version(self, version: str, sha256: str | None = None) -> "SongModel":
        """The model of a version; with `sha256`, only if that is the digest of its manifest."""
        from song2vec_client.model import SongModel

        lease = self._lease(version, sha256)
        try:
            model = SongModel.open(lease.folder)
        except BaseException:
            lease.release()
            raise
        weakref.finalize(model, lease.release)
        return model

    def watch(
        self, channel: str = "production", every: float = 60.0, after_look: Callable[["Watch"], None] | None = None
    ) -> "Watch":
        """The model of a channel, kept up to date in the background; see `Watch`.

        Args:
            channel: the name of a channel.
            every: seconds between two looks.
            after_look: called in the background after each look, good or bad: for metrics and logs.
        """
        from song2vec_client.watch import Watch

        return Watch(self, channel, every, after_look)

    def pull(self, name: str = "production") -> Path:
        """The folder in the cache with the model of a version or channel; downloaded unless it is there.

        What is there was verified. It may be deleted when other models are pulled and the cache is full.
        """
        lease = self._lease(*self._named(name))
        lease.release()
        return lease.folder

    def _insist_signed(self, version: str, content: bytes) -> None:
        """With a public key, refuse a manifest that it did not sign."""
        if self._keys is None:
            return
        try:
            signature: bytes | None = self.bucket.read(signature_name(version, content))[0]
        except NotFoundError:
            signature = None
        self._keys.insist(content, signature, f"{self.bucket.uri}/{file_name(version, MANIFEST)}")

    def _named(self, name: str) -> tuple[str, str | None]:
        """The version that `name` means, and the digest of its manifest where a channel vouches for it."""
        if is_version(name):
            return name, None
        pointer = self.resolve(name)
        return pointer.version, pointer.manifest_sha256

    def _lease(self, version: str, sha256: str | None) -> Lease:
        known = sha256 if self._keys is None else None  # the cache may be shared with those who ask for no signature
        if known and (found := self.cache.find(version, known)):
            return found
        manifest, content = self.read_manifest(version, sha256)
        sha256 = hashlib.sha256(content).hexdigest()
        prepared = (VECTORS, SONGS)  # files of these sizes are written beside what is downloaded
        size = len(content) + sum(manifest.entry(path).size for path in (*MODEL_FILES, *prepared))
        return self.cache.find(version, sha256) or self.cache.add(
            version, sha256, size, lambda folder: self._fill(folder, manifest, content)
        )

    def _fill(self, folder: Path, manifest: Manifest, content: bytes) -> None:
        from song2vec_client.model import SongModel

        for entry in [manifest.entry(path) for path in MODEL_FILES]:
            self._download(manifest.version, entry, folder / entry.path)
        SongModel.open(folder).prepare(folder)
        (folder / MANIFEST).write_bytes(content)

    def _download(self, version: str, entry: FileEntry, to: Path) -> None:
        part = to.with_name(f".{to.name}.{uuid4().hex[:8]}.part")
        try:
            self.bucket.download(file_name(version, entry.path), part, entry.size)
            _verify(part, entry, self.bucket.uri)
            part.replace(to)
        finally:
            part.unlink(missing_ok=True)

    def _read(self, name: str, missing: str) -> bytes:
        try:
            return self.bucket.read(name)[0]
        except NotFoundError:
            raise NotFoundError(missing) from None


def _checked(kind: type[AnyRecord], content: bytes, where: str) -> AnyRecord:
    """The record that `content` holds, or an error that says where it was read."""
    try:
        return kind.from_json(parse_json(content))
    except (CorruptModelError, UnsupportedFormatError) as error:
        raise type(error)(f"{where}: {error}") from None


def _verify(content: bytes | Path, entry: FileEntry, where: str) -> None:
    found = digest(content)
    if (found.size, found.sha256) != (entry.size, entry.sha256):
        raise CorruptModelError(
            f"{where}: {entry.path} is damaged: found {found.size:,} bytes with sha256 {found.sha256[:16]}…, "
            f"the manifest says {entry.size:,} bytes with {entry.sha256[:16]}…"
        )
