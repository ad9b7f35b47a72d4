"""What a channel names now, for the stages that compare with it."""

from song2vec_client.errors import NotFoundError
from song2vec_client.format.records import Pointer
from song2vec_client.gcs.bucket import Bucket
from song2vec_client.store import ModelStore


def live_pointer(bucket: Bucket, channel: str) -> Pointer | None:
    """What `channel` holds, or None while it names no version.

    Raises:
        CorruptModelError: what lies there is no pointer of this channel.
    """
    try:
        return ModelStore.of(bucket).resolve(channel)
    except NotFoundError:
        return None
