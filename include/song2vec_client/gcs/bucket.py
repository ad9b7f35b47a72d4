"""One adapter over google-cloud-storage: the few operations a model store needs, bounded in time.

Credentials are the machine's own (Application Default Credentials) unless a client is given. With
STORAGE_EMULATOR_HOST set, requests go to that server, without credentials.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from uuid import uuid4

from song2vec_client.errors import (
    AddressError,
    ChangedError,
    ConflictError,
    CorruptModelError,
    NotFoundError,
    Song2VecError,
)
from song2vec_client.format.digests import Digest, digest
from song2vec_client.format.layout import MAX_RECORD_BYTES
from song2vec_client.gcs.client import default_client
from song2vec_client.gcs.errors import translate
from song2vec_client.gcs.streams import Advance, Counted, Limited

if TYPE_CHECKING:
    from typing_extensions import Self

DEADLINE = 30.0  # seconds after which a failing request is not tried again
REQUEST_TIMEOUT = (5.0, 30.0)  # seconds to connect, and of silence in an answer

_ADDRESS = re.compile(r"gs://([a-z0-9][a-z0-9._-]{1,220}[a-z0-9])((?:/[^/\s]+)*)/?", re.ASCII)


@dataclass(frozen=True)
class Stored:
    """An object as the service lists it.

    Attributes:
        name: relative to the store.
        size: number of bytes.
        crc32c: base64, as Cloud Storage writes it.
        generation: Cloud Storage's number for this content.
        created: when this content was stored, by the clock of the service.
    """

    name: str
    size: int
    crc32c: str
    generation: int
    created: datetime


class Bucket:
    """The objects under ``gs://bucket/prefix``; every name is relative to it. Safe to share between threads.

    Besides the errors that each method names, all of them raise StoreUnavailableError (no answer in time,
    a server's failure), AccessDeniedError, and NotFoundError for a bucket that does not exist.
    """

    def __init__(self, name: str, prefix: str, client: Any, deadline: float) -> None:
        self.uri = f"gs://{name}/{prefix}".rstrip("/")
        self._prefix = f"{prefix}/" if prefix else ""
        self._bucket = client.bucket(name)
        self._deadline = deadline

    @classmethod
    def open(cls, uri: str, client: Any = None, deadline: float = DEADLINE) -> "Self":
        """The bucket at `uri`; no request is made yet.

        Args:
            uri: ``gs://BUCKET/PREFIX``.
            client: a ``google.cloud.storage.Client``; None: one with the machine's own credentials.
            deadline: seconds after which a failing request is not tried again.

        Raises:
            AddressError: `uri` has another form.
            AccessDeniedError: the machine has no credentials.
        """
        match = _ADDRESS.fullmatch(uri)
        if match is None:
            raise AddressError(f"{uri!r} is not the address of a model store: expected gs://BUCKET/PREFIX")
        return cls(match[1], match[2].strip("/"), client or default_client(), deadline)

    def read(self, name: str, limit: int = MAX_RECORD_BYTES) -> tuple[bytes, int]:
        """The content of a small object, and its generation (Cloud Storage's number for this content).

        Raises:
            NotFoundError: there is no such object.
            CorruptModelError: it is larger than `limit` bytes.
        """
        from io import BytesIO

        content = BytesIO()
        generation = self._fetch(name, content, limit)
        return content.getvalue(), generation

    def download(self, name: str, path: Path, limit: int | None = None) -> None:
        """Write the content of an object to `path`, whole or not at all.

        Raises:
            NotFoundError: there is no such object.
            CorruptModelError: it is larger than `limit` bytes.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{uuid4().hex[:8]}.part")
        try:
            with part.open("wb") as file:
                self._fetch(name, file, limit)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)

    def names(self, prefix: str = "") -> list[str]:
        """The names of all objects that begin with `prefix`, sorted."""
        return [stored.name for stored in self.listing(prefix)]

    def listing(self, prefix: str = "") -> list[Stored]:
        """All objects that begin with `prefix`, by name."""
        fields = "items(name,size,crc32c,generation,timeCreated),nextPageToken"
        with self._asking(prefix):
            blobs = self._bucket.client.list_blobs(
                self._bucket, prefix=self._prefix + prefix, fields=fields, **self._patience()
            )
            return sorted((self._stored(blob) for blob in blobs), key=lambda stored: stored.name)

    def create(
        self, name: str, content: bytes | Path, known: Digest | None = None, advance: Advance | None = None
    ) -> Digest:
        """Store a new object: the bytes, or those of the file. One that exists with the same content is done.

        Args:
            name: of the object.
            content: the bytes, or a file.
            known: the digest of the content, where it was computed before.
            advance: told how many more bytes were sent.

        Returns:
            Its digest; the size and the crc32c are those that the service computed of what it stored.

        Raises:
            ConflictError: the object exists, with other content. It is left as it is.
            CorruptModelError: the service stored other bytes than those of the digest. They are deleted again.
        """
        sent = known or digest(content)
        try:
            stored, created = self._stored(self._upload(name, content, 0, crc32c=sent.crc32c, advance=advance)), True
        except ChangedError:
            stored, created = self._look_up(name), False
        if (stored.size, stored.crc32c) == (sent.size, sent.crc32c):
            return sent
        difference = f"{stored.size} bytes with crc32c {stored.crc32c}, not {sent.size} bytes with {sent.crc32c}"
        if created:
            self.delete(name, stored.generation)
            raise CorruptModelError(
                f"{self.uri}/{name} was written to, or damaged, on its way: stored were {difference}"
            )
        raise ConflictError(f"{self.uri}/{name} exists with other content: {difference}. It is never overwritten.")

    def replace(self, name: str, content: bytes, generation: int) -> int:
        """Replace an object if it is still the given generation (0: does not exist): compare-and-swap.

        Returns:
            The new generation.

        Raises:
            ChangedError: somebody else wrote it first.
        """
        try:
            return int(self._upload(name, content, generation).generation)
        except ChangedError:
            # A request whose answer was lost is sent again, and then fails although the first one got through.
            there, now = self.read(name)
            if there == content:
                return now
            raise

    def put(self, name: str, content: bytes | Path) -> None:
        """Store an object, replacing what was there: for scratch files, never for what is published."""
        self._upload(name, content, generation=None)

    def delete(self, name: str, generation: int | None = None) -> None:
        """Delete an object; one that is not there is done.

        Args:
            name: of the object.
            generation: delete this content only; None: whatever is there.

        Raises:
            ChangedError: there is other content than that of the generation.
        """
        blob = self._bucket.blob(self._prefix + name)
        with suppress(NotFoundError), self._asking(name):
            blob.delete(if_generation_match=generation, **self._patience())

    def _fetch(self, name: str, file: IO[bytes], limit: int | None) -> int:
        blob = self._bucket.blob(self._prefix + name)
        with self._asking(name):
            # raw: a gzip label is not acted upon, so a small object cannot unfold into a huge one
            blob.download_to_file(Limited(file, limit, name), raw_download=True, **self._patience())
            return int(blob.generation)

    def _upload(
        self,
        name: str,
        content: bytes | Path,
        generation: int | None,
        *,
        crc32c: str | None = None,
        advance: Advance | None = None,
    ) -> Any:
        blob = self._bucket.blob(self._prefix + name)
        if crc32c:
            blob.crc32c = crc32c  # the service refuses other bytes, and nobody computes it a second time
        kind = "application/json" if name.endswith(".json") else "application/octet-stream"
        checksum = None if crc32c else "crc32c"
        how = {"content_type": kind, "if_generation_match": generation, "checksum": checksum, **self._patience()}
        advance = advance or (lambda _: None)
        with self._asking(name):
            if isinstance(content, bytes):
                blob.upload_from_string(content, **how)
                advance(len(content))
            else:
                with content.open("rb") as file:
                    blob.upload_from_file(Counted(file, advance), size=os.fstat(file.fileno()).st_size, **how)
        return blob

    def _look_up(self, name: str) -> Stored:
        with self._asking(name):
            blob = self._bucket.get_blob(self._prefix + name, **self._patience())
        if blob is None:
            raise NotFoundError(f"{self.uri}/{name} was there a moment ago and is gone: somebody deletes it")
        return self._stored(blob)

    def _stored(self, blob: Any) -> Stored:
        name = blob.name[len(self._prefix) :]
        return Stored(name, int(blob.size), blob.crc32c, int(blob.generation), blob.time_created)

    def _patience(self) -> dict[str, Any]:
        from google.cloud.storage.retry import DEFAULT_RETRY

        retry = DEFAULT_RETRY.with_delay(initial=0.2, maximum=4.0, multiplier=2.0).with_timeout(self._deadline)
        return {"timeout": REQUEST_TIMEOUT, "retry": retry}

    @contextmanager
    def _asking(self, name: str) -> Iterator[None]:
        try:
            yield
        except Song2VecError:
            raise
        except Exception as error:
            ours = translate(error, f"{self.uri}/{name}")
            if ours is None:
                raise
            raise ours from None
