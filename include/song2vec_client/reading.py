"""Small objects of a store, read and understood: an error says what is missing, or which object is damaged."""

from typing import TypeVar

from song2vec_client.errors import CorruptModelError, NotFoundError, UnsupportedFormatError
from song2vec_client.format.fields import parse_json
from song2vec_client.format.records import Manifest, Pointer
from song2vec_client.gcs.bucket import Bucket

AnyRecord = TypeVar("AnyRecord", Manifest, Pointer)


def read_object(bucket: Bucket, name: str, missing: str) -> bytes:
    """The content of an object; NotFoundError with the message `missing` where there is none."""
    try:
        return bucket.read(name)[0]
    except NotFoundError:
        raise NotFoundError(missing) from None


def understand(kind: type[AnyRecord], content: bytes, where: str) -> AnyRecord:
    """The record that `content` holds; CorruptModelError or UnsupportedFormatError that name `where` it was read."""
    try:
        return kind.from_json(parse_json(content))
    except (CorruptModelError, UnsupportedFormatError) as error:
        raise type(error)(f"{where}: {error}") from None
