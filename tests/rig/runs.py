"""A run of the pipeline as tests begin it: on a database and a store that are there already."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from sqlalchemy import create_engine
from tests.rig.genres import genre_playlists

from song2vec.settings import load_settings
from song2vec.stages import Run
from song2vec.workspace import open_run_folder
from song2vec_client import ModelStore


@dataclass(frozen=True)
class Here:
    """A deployment whose parts are open."""

    bucket: Any
    engine: Any = None
    key: Any = None

    def database(self, _):
        """The database."""
        return self.engine

    def store(self):
        """The model store."""
        return ModelStore.of(self.bucket)

    def signing_key(self):
        """The key."""
        return self.key


def begin(folder, bucket, changes=None, *, engine=None, who="test"):
    """A run with its files in `folder`, with other settings than the defaults where `changes` says so."""
    return Run(load_settings(changes or {}), open_run_folder(str(folder)), Here(bucket, engine), folder.name, who)


def karaoke(path):
    """The engine of a new SQLite database with 300 playlists of four genres."""
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("create table playlist_songs (playlist_id integer, position integer, song integer)")
        for playlist, songs in enumerate(genre_playlists(300, genres=4)):
            rows = [(playlist, position, song) for position, song in enumerate(songs)]
            database.executemany("insert into playlist_songs values (?, ?, ?)", rows)
    return create_engine(f"sqlite:///{path}")
