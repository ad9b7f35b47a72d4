"""Connections become adapters, and their secrets stay in them."""

import json

import pytest
from airflow.sdk import Connection
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from song2vec.errors import SettingsError
from song2vec.publish import make_key
from song2vec.settings import load_settings
from song2vec_airflow.connections import Connections, database_url

PASSWORD = "p@ss/w:rd?"


def _service_account_key():
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {
        "type": "service_account",
        "project_id": "karaoke",
        "private_key_id": "1",
        "private_key": pem.decode(),
        "client_email": "song2vec@karaoke.iam.gserviceaccount.com",
        "token_uri": "https://oauth2.googleapis.com/token",
    }


KEY = _service_account_key()


def test_a_mariadb_connection_becomes_a_pymysql_url_that_hides_its_password():
    url = database_url(
        Connection(
            conn_id="x", conn_type="mysql", host="db", login="reader", password=PASSWORD, schema="karaoke", port=3307
        )
    )

    assert url.drivername == "mariadb+pymysql"
    assert (url.username, url.password, url.host, url.port, url.database) == (
        "reader",
        PASSWORD,
        "db",
        3307,
        "karaoke",
    )
    assert PASSWORD not in str(url)


def test_a_sqlite_connection_opens_the_file_it_names(monkeypatch, tmp_path):
    (tmp_path / "songs.db").touch()
    connection = json.dumps({"conn_type": "sqlite", "host": str(tmp_path / "songs.db")})
    monkeypatch.setenv("AIRFLOW_CONN_MARIADB_DEFAULT", connection)

    engine = Connections().database(load_settings().extract)

    assert engine.dialect.name == "sqlite"
    assert engine.url.database == str(tmp_path / "songs.db")


def test_a_missing_connection_names_the_ways_to_make_it(monkeypatch):
    monkeypatch.delenv("AIRFLOW_CONN_SONG2VEC_MODELS", raising=False)

    with pytest.raises(SettingsError, match="AIRFLOW_CONN_SONG2VEC_MODELS"):
        Connections().store()


def test_a_store_connection_without_a_store_says_what_to_write(monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_SONG2VEC_MODELS", json.dumps({"conn_type": "google_cloud_platform"}))

    with pytest.raises(SettingsError, match="gs://BUCKET/PREFIX"):
        Connections().store()


@pytest.mark.parametrize("key", [{"keyfile_dict": {"private_key": "s3cret"}}, {"key_path": "s3cret/key.json"}])
def test_an_unreadable_key_is_refused_without_repeating_it(monkeypatch, key):
    connection = {"conn_type": "google_cloud_platform", "extra": {"store": "gs://bucket/prefix", **key}}
    monkeypatch.setenv("AIRFLOW_CONN_SONG2VEC_MODELS", json.dumps(connection))

    with pytest.raises(SettingsError, match="service account key") as caught:
        Connections().store()

    assert "s3cret" not in str(caught.value)


def test_a_key_in_the_connection_is_the_identity_that_asks(monkeypatch):
    connection = {"conn_type": "google_cloud_platform", "extra": {"store": "gs://bucket/prefix", "keyfile_dict": KEY}}
    monkeypatch.setenv("AIRFLOW_CONN_SONG2VEC_MODELS", json.dumps(connection))

    client = Connections().store().bucket._bucket.client

    assert client._credentials.service_account_email == KEY["client_email"]


@pytest.mark.parametrize("way", ["path", "text", "environment"])
def test_versions_are_signed_with_the_key_that_the_connection_or_the_environment_gives(monkeypatch, tmp_path, way):
    make_key(tmp_path / "key.pem", tmp_path / "public.pem")
    extra = {
        "path": {"signing_key_path": str(tmp_path / "key.pem")},
        "text": {"signing_private_key": (tmp_path / "key.pem").read_text()},
        "environment": {},
    }[way]
    monkeypatch.setenv("AIRFLOW_CONN_SONG2VEC_MODELS", json.dumps({"extra": {"store": "gs://bucket/prefix", **extra}}))
    if way == "environment":
        monkeypatch.setenv("SONG2VEC_SIGNING_KEY", str(tmp_path / "key.pem"))

    assert Connections().signing_key().public_pem() == (tmp_path / "public.pem").read_bytes()


def test_without_a_key_nothing_is_signed(monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_SONG2VEC_MODELS", json.dumps({"extra": {"store": "gs://bucket/prefix"}}))

    assert Connections().signing_key() is None


def test_airflow_masks_the_key_in_the_connection():
    from airflow.sdk.log import redact  # type: ignore[attr-defined]

    shown = redact({"signing_private_key": KEY["private_key"]})

    assert KEY["private_key"] not in str(shown)
