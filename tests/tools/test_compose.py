"""The sample container's work, against a real MariaDB and a real storage server; twice, since it may run again."""

from google.cloud.storage import Client
from sqlalchemy import create_engine, make_url, text

from tools.compose import load_sample, make_bucket
from tools.gcs import GcsServer


def test_the_sample_playlists_are_loaded_once(mariadb):
    url = make_url(mariadb)
    connection = {
        "host": url.host,
        "port": url.port,
        "login": url.username,
        "password": url.password,
        "schema": url.database,
    }
    engine = create_engine(url)
    count = text("SELECT COUNT(*), COUNT(DISTINCT playlist_id), MIN(position) FROM playlist_songs")

    load_sample(connection)
    with engine.begin() as database:
        rows, playlists, first = database.execute(count).one()
        database.execute(text("DELETE FROM playlist_songs WHERE playlist_id > 10"))
    load_sample(connection)

    assert (playlists, first) == (2100, 1)
    assert rows > 30_000
    with engine.connect() as database:
        assert database.execute(count).one()[1] == 10
    engine.dispose()


def test_the_bucket_is_made_and_may_be_there(monkeypatch):
    with GcsServer() as server:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.url)

        make_bucket("song2vec-init")
        make_bucket("song2vec-init")

        assert [bucket.name for bucket in Client(project="local").list_buckets()] == ["song2vec-init"]
