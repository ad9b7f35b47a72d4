"""Airflow Connections become adapters; nothing else reads them, and nothing of them is logged.

``mariadb_default``  the database with the playlists: type MySQL or MariaDB, or SQLite (host: path of the file)
``song2vec_models``  the model store: extra ``{"store": "gs://BUCKET/PREFIX"}``; with ``key_path`` or ``keyfile_dict``
                     (a service account's key) where the machine's own Google credentials are not the right ones;
                     with ``signing_key_path`` (a PEM file) or ``signing_private_key`` (its text, which Airflow
                     masks), or with the variable SONG2VEC_SIGNING_KEY (a PEM file), versions are signed
"""

import json
import os
from typing import Any

from airflow.sdk import BaseHook, Connection
from airflow.sdk.exceptions import AirflowNotFoundException
from sqlalchemy import URL, Engine

from song2vec.errors import SettingsError
from song2vec.extract import open_engine
from song2vec.publish import SigningKey
from song2vec.settings import ExtractSettings
from song2vec_client.gcs.client import default_client
from song2vec_client.store import ModelStore

DATABASE = "mariadb_default"
STORE = "song2vec_models"
SCOPE = "https://www.googleapis.com/auth/devstorage.read_write"


class Connections:
    """What opens the database, the model store and the signing key of a deployment (`song2vec.stages.Deployment`)."""

    def database(self, settings: ExtractSettings) -> Engine:
        """An engine for the connection ``mariadb_default``."""
        return open_engine(database_url(_connection(DATABASE)), settings)

    def store(self) -> ModelStore:
        """The model store of the connection ``song2vec_models``."""
        extra = _connection(STORE).extra_dejson
        if "store" not in extra:
            raise SettingsError(f'the connection {STORE} has no "store" in its extra: set it to {_EXAMPLE}')
        return ModelStore(extra["store"], client=_client(extra))

    def signing_key(self) -> SigningKey | None:
        """The key of the connection ``song2vec_models`` or of the environment; None: versions are not signed."""
        extra = _connection(STORE).extra_dejson
        if text := extra.get("signing_private_key"):
            return SigningKey.parse(text.encode(), f"signing_private_key of the connection {STORE}")
        path = extra.get("signing_key_path") or os.environ.get("SONG2VEC_SIGNING_KEY")
        return SigningKey.read(path) if path else None


def database_url(connection: Connection) -> URL:
    """The SQLAlchemy URL of a connection: SQLite where it says so, MariaDB otherwise."""
    if connection.conn_type == "sqlite":
        return URL.create("sqlite", database=connection.host)
    return URL.create(
        "mariadb+pymysql",
        username=connection.login,
        password=connection.password,
        host=connection.host,
        port=connection.port,
        database=connection.schema,
        query={"charset": connection.extra_dejson.get("charset", "utf8mb4")},
    )


_EXAMPLE = '{"store": "gs://BUCKET/PREFIX"}'


def _client(extra: dict[str, Any]) -> Any:
    """A Cloud Storage client with the key that the connection carries, or None: the machine's own credentials."""
    key = extra.get("keyfile_dict") or extra.get("key_path")
    if not key:
        return None
    from google.oauth2.service_account import Credentials

    try:
        if extra.get("keyfile_dict"):
            info = json.loads(key) if isinstance(key, str) else key  # the UI keeps it as text
            credentials = Credentials.from_service_account_info(info)  # type: ignore[no-untyped-call]
        else:
            credentials = Credentials.from_service_account_file(key)  # type: ignore[no-untyped-call]
    except (ValueError, OSError):  # their texts may quote the key
        raise SettingsError(
            f"the connection {STORE} carries no readable service account key: expected its JSON in keyfile_dict, "
            "or the path of its file in key_path"
        ) from None
    return default_client(credentials.with_scopes([SCOPE]), credentials.project_id)


def _connection(name: str) -> Connection:
    try:
        return BaseHook.get_connection(name)
    except AirflowNotFoundException:
        raise SettingsError(
            f"the Airflow connection {name} does not exist: create it in the UI (Admin, Connections), with "
            f"`airflow connections add {name}`, or as the environment variable AIRFLOW_CONN_{name.upper()}"
        ) from None
