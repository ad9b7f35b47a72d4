"""A model store as its readers see it: channels, versions, and verified models in a cache on disk."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from song2vec_client.cache import LIMIT, Cache, default_cache
from song2vec_client.errors import CorruptModelError, NotFoundError, PermanentError, UnsupportedFormatError
from song2vec_client.format.layout import MANIFEST, channel_name, is_channel, is_version
from song2vec_client.format.records import Pointer
from song2vec_client.format.signing import PublicKeys
from song2vec_client.gcs.bucket import Bucket
from song2vec_client.gcs.side_by_side import side_by_side
from song2vec_client.reading import read_object, understand
from song2vec_client.version import Version

if TYPE_CHECKING:
    from song2vec_client.model import SongModel
    from song2vec_client.watch import Watch


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
        self.public_keys = PublicKeys.read(public_key) if public_key is not None else None

    def channels(self) -> dict[str, Pointer | PermanentError]:
        """What every channel names, by its name; for one that is damaged, the error that `resolve` raises."""
        names = [name.removeprefix("channels/").removesuffix(".json") for name in self.bucket.names("channels/")]
        channels = list(filter(is_channel, names))
        return dict(zip(channels, side_by_side(self._pointer_or_error, channels), strict=True))

    def resolve(self, channel: str) -> Pointer:
        """What `channel` names now."""
        if not is_channel(channel):
            raise NotFoundError(f"{channel!r} is neither a version nor the name of a channel, such as production")
        name = channel_name(channel)
        content = read_object(self.bucket, name, f"no channel {channel} in {self.bucket.uri}: nothing was promoted")
        pointer = understand(Pointer, content, f"{self.bucket.uri}/{name}")
        if pointer.channel != channel:
            raise CorruptModelError(f"the pointer of channel {channel} says that it belongs to {pointer.channel}")
        return pointer

    def published(self) -> list[str]:
        """The name of every version that is published, newest first; one without a manifest does not exist."""
        paths = (name.split("/") for name in self.bucket.names("versions/"))
        versions = {path[1] for path in paths if len(path) == 3 and path[2] == MANIFEST and is_version(path[1])}
        return sorted(versions, reverse=True)

    def version(self, name: str = "production", manifest_sha256: str | None = None) -> Version:
        """The handle of a version, or of the version that a channel names now.

        Args:
            name: a version, for which no request is made yet, or a channel, whose pointer is read.
            manifest_sha256: only the version whose manifest has this digest is believed; None: the one whose manifest
                has the digest that the channel gives.
        """
        if is_version(name):
            return Version(self, name, manifest_sha256)
        pointer = self.resolve(name)
        return Version(self, pointer.version, manifest_sha256 or pointer.manifest_sha256, pointer)

    def versions(self) -> list[Version]:
        """Every version that is published, newest first, each with its manifest; one that is damaged is an error."""
        versions = [Version(self, name) for name in self.published()]
        side_by_side(lambda version: version.manifest, versions)
        return versions

    def load(self, name: str = "production") -> "SongModel":
        """The model of a version, or of the version that a channel names; see `Version.load`."""
        return self.version(name).load()

    def pull(self, name: str = "production") -> Path:
        """The folder in the cache with the model of a version or channel; see `Version.pull`."""
        return self.version(name).pull()

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

    def _pointer_or_error(self, channel: str) -> Pointer | PermanentError:
        try:
            return self.resolve(channel)
        except (CorruptModelError, UnsupportedFormatError, NotFoundError) as error:
            return error
