"""Where the command line opens databases, model stores and keys, and nothing else does."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from song2vec.publish import SigningKey
    from song2vec.settings import ExtractSettings
    from song2vec_client.store import ModelStore


def open_database(url: str, settings: "ExtractSettings") -> "Engine":
    """The database at a SQLAlchemy URL."""
    from song2vec.extract import open_engine

    return open_engine(url, settings)


def open_store(uri: str) -> "ModelStore":
    """The model store at ``gs://BUCKET/PREFIX``."""
    from song2vec_client.store import ModelStore

    return ModelStore(uri)


def open_key(path: Path | None) -> "SigningKey | None":
    """The private key in a PEM file; None: versions are not signed."""
    from song2vec.publish import SigningKey

    return SigningKey.read(path) if path else None


@dataclass(frozen=True)
class CommandLine:
    """What the options of ``song2vec run`` name, opened when a stage needs it (`song2vec.stages.Deployment`).

    Attributes:
        url: SQLAlchemy URL of the database.
        uri: of the model store.
        key: PEM file of the private key that signs versions, if any.
    """

    url: str
    uri: str
    key: Path | None

    def database(self, settings: "ExtractSettings") -> "Engine":
        """The database with the playlists."""
        return open_database(self.url, settings)

    def store(self) -> "ModelStore":
        """The model store."""
        return open_store(self.uri)

    def signing_key(self) -> "SigningKey | None":
        """The key that signs versions."""
        return open_key(self.key)
