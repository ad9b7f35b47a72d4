"""A model store as its readers see it: channels, versions, and verified models in a cache on disk."""

import hashlib
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from song2vec_client.bucket import Bucket
from song2vec_client.cache import LIMIT, Cache, Lease, default_cache
from song2vec_client.digests import digest
from song2vec_client.errors import CorruptModelError, NotFoundError, UnsupportedFormatError
from song2vec_client.fields import parse_json
from song2vec_client.format import FileEntry, Manifest, Pointer
from song2vec_client.layout import (
    MANIFEST,
    MODEL_FILES,
    SONGS,
    VECTORS,
    channel_name,
    file_name,
    is_channel,
    is_version,
)

if TYPE_CHECKING:
    from song2vec_client.model import SongModel
    from song2vec_client.watch import Watch

AnyRecord = TypeVar("AnyRecord", Manifest, Pointer)


class ModelStore:
    """The models under ``gs://bucket/prefix``.

    What is read is believed only where the manifest names it with this size and this sha256, and a
    manifest that a channel names only with the sha256 that the channel gives. Methods raise
    NotFoundError, CorruptModelError, UnsupportedFormatError, what `Bucket` raises, and OSError where the
    cache cannot be written, as on a full disk.
    """

    def __init__(self, uri: str, client: Any = None, cache: Path | str | None = None, cache_limit: int = LIMIT) -> None:
        """Name a store; no request is made yet.

        Args:
            uri: ``gs://BUCKET/PREFIX``.
            client: a ``google.cloud.storage.Client``; None: one with the machine's own credentials.
            cache: folder for pulled models, shared by all processes; None: SONG2VEC_CACHE, or
                ``~/.cache/song2vec``.
            cache_limit: bytes that pulled models may take; the least recently used go first, those in use stay.
        """
        self._set(Bucket.open(uri, client), cache, cache_limit)

    @classmethod
    def of(cls, bucket: Bucket, cache: Path | str | None = None, cache_limit: int = LIMIT) -> "ModelStore":
        """The models in a bucket that is open already."""
        store = cls.__new__(cls)
        store._set(bucket, cache, cache_limit)
        return store

    def _set(self, bucket: Bucket, cache: Path | str | None, cache_limit: int) -> None:
        self.bucket = bucket
        self.cache = Cache(Path(cache) if cache is not None else default_cache(), cache_limit)

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
        manifest = _checked(Manifest, content, where)
        if manifest.version != version:
            raise CorruptModelError(f"{where} is the manifest of another version, {manifest.version}")
        return manifest, content

    def versions(self) -> list[Manifest]:
        """Every version that is published, newest first; one without a manifest does not exist."""
        names = (name.split("/") for name in self.bucket.names("versions/"))
        found = {path[1] for path in names if len(path) == 3 and path[2] == MANIFEST and is_version(path[1])}
        return [self.manifest(version) for version in sorted(found, reverse=True)]

    def read(self, name: str, path: str) -> bytes:
        """A small file (``metrics.json``) of a version or channel, verified."""
        manifest = self.manifest(name)
        entry = manifest.entry(path)
        content = self._read(file_name(manifest.version, path), f"version {manifest.version} has lost its {path}")
        _verify(content, entry, self.bucket.uri)
        return content

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

    def _named(self, name: str) -> tuple[str, str | None]:
        """The version that `name` means, and the digest of its manifest where a channel vouches for it."""
        if is_version(name):
            return name, None
        pointer = self.resolve(name)
        return pointer.version, pointer.manifest_sha256

    def _lease(self, version: str, sha256: str | None) -> Lease:
        if sha256 and (found := self.cache.find(version, sha256)):
            return found
        manifest, content = self.read_manifest(version, sha256)
        sha256 = hashlib.sha256(content).hexdigest()
        prepared = (VECTORS, SONGS)  # files of these sizes are written beside what is downloaded
        size = len(content) + sum(manifest.entry(path).size for path in (*MODEL_FILES, *prepared))
        return self.cache.find(version, sha256) or self.cache.add(
            version, sha256, size, lambda folder: self._download(manifest, content, folder)
        )

    def _download(self, manifest: Manifest, content: bytes, folder: Path) -> None:
        from song2vec_client.model import SongModel

        for entry in [manifest.entry(path) for path in MODEL_FILES]:
            self.bucket.download(file_name(manifest.version, entry.path), folder / entry.path, entry.size)
            _verify(folder / entry.path, entry, self.bucket.uri)
        SongModel.open(folder).prepare(folder)
        (folder / MANIFEST).write_bytes(content)

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
