"""Connections become adapters, and their secrets stay in them."""

import json

import pytest
from airflow.sdk import Connection

from song2vec.config import load_settings
from song2vec.errors import SettingsError
from song2vec_airflow.connections import database_url, open_database, open_store

PASSWORD = "p@ss/w:rd?"


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

    engine = open_database(load_settings().extract)

    assert engine.dialect.name == "sqlite"
    assert engine.url.database == str(tmp_path / "songs.db")


def test_a_missing_connection_names_the_ways_to_make_it(monkeypatch):
    monkeypatch.delenv("AIRFLOW_CONN_SONG2VEC_MODELS", raising=False)

    with pytest.raises(SettingsError, match="AIRFLOW_CONN_SONG2VEC_MODELS"):
        open_store()


def test_a_store_connection_without_a_store_says_what_to_write(monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_SONG2VEC_MODELS", json.dumps({"conn_type": "google_cloud_platform"}))

    with pytest.raises(SettingsError, match="gs://BUCKET/PREFIX"):
        open_store()
