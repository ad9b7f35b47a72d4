"""What opens the database, the model store and the key that a command line names."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from song2vec.settings import ExtractSettings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from song2vec.publish import SigningKey
    from song2vec_client.store import ModelStore


@dataclass(frozen=True)
class CommandLine:
    """Addresses from options or the environment (`song2vec.stages.Deployment`).

    Attributes:
        url: SQLAlchemy URL of the database.
        address: of the model store, ``gs://BUCKET/PREFIX``.
        key: PEM file of the private key that signs versions; None: they are not signed.
    """

    url: str
    address: str
    key: str | None = None

    def database(self, settings: ExtractSettings) -> "Engine":
        """The database with the playlists."""
        from song2vec.extract import open_engine

        return open_engine(self.url, settings)

    def store(self) -> "ModelStore":
        """The model store."""
        from song2vec_client.store import ModelStore

        return ModelStore(self.address)

    def signing_key(self) -> "SigningKey | None":
        """The key in the file."""
        from song2vec.publish import SigningKey

        return SigningKey.read(self.key) if self.key else None
