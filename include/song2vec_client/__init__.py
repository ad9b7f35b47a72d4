"""What a service installs to use the song embeddings that song2vec publishes.

::

    from song2vec_client import ModelStore

    model = ModelStore("gs://bucket/models").load("production")
    songs, scores = model.similar("53651", k=10)

Needs numpy and google-cloud-storage, and loads them on first use.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from song2vec_client.gcs.bucket import Bucket
    from song2vec_client.model import SongModel
    from song2vec_client.store import ModelStore
    from song2vec_client.watch import Watch

__version__ = "0.1.0"
__all__ = ["Bucket", "ModelStore", "SongModel", "Watch", "__version__"]

_HOMES = {"Bucket": "gcs.bucket", "ModelStore": "store", "SongModel": "model", "Watch": "watch"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
