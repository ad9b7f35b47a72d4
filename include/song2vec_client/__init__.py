"""What a service installs to use the song embeddings that song2vec publishes.

::

    from song2vec_client import ModelStore

    model = ModelStore("gs://bucket/models").load("production")
    songs, scores = model.similar("53651", k=10)

Needs numpy and google-cloud-storage, and loads them on first use. Where things are:

=============  =======================================================================================
``store``      a store: its channels, its versions
``version``    the handle of one version: its manifest, read and trusted once, and its files
``model``      the vectors of one version, and the questions that they answer
``scoring``    how the answers are computed: which songs are nearest, which score best
``vote``       how a model scores the songs that may continue a playlist
``cache``      verified models on disk, shared by all processes of a machine
``watch``      a model that is kept up to date in the background
``reading``    small objects of a store, read and understood
``errors``     everything that is raised on purpose, drawn as a tree
``format/``    the published format: where things lie, the JSON records, digests, signatures
``gcs/``       the only place where Cloud Storage is asked: objects by name, errors translated
``__main__``   the commands for shells and other languages
=============  =======================================================================================
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from song2vec_client.gcs.bucket import Bucket
    from song2vec_client.model import SongModel
    from song2vec_client.store import ModelStore
    from song2vec_client.version import Version
    from song2vec_client.watch import Watch

__version__ = "0.3.0"
__all__ = ["Bucket", "ModelStore", "SongModel", "Version", "Watch", "__version__"]

_HOMES = {"Bucket": "gcs.bucket", "ModelStore": "store", "SongModel": "model", "Version": "version", "Watch": "watch"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
