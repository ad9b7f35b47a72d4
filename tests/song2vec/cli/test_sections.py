"""The sections that a command's help lists are those that the command reads."""

import sqlite3
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from tests.rig.genres import genre_playlists, write_playlists
from tests.rig.golden import must, write_golden
from tests.rig.models import FINISHED, publish_model

from song2vec.cli import channels, data, model, pipeline, store
from song2vec.cli.command import Command
from song2vec.cli.main import PANELS
from song2vec.settings import Settings, load_settings, run_sections

SMALL = {"train.epochs": 2, "train.vector_size": 8, "train.min_count": 1, "gate.min_playlists": 2, "tune.trials": 2}


class Watched(Settings):
    """Settings that note which of their sections are read; recording all of them as they are is not reading."""

    read: ClassVar[set[str]] = set()

    def __getattribute__(self, name: str) -> Any:
        if name in Settings.model_fields:
            Watched.read.add(name)
        return super().__getattribute__(name)


@pytest.fixture
def sources(tmp_path):
    """A database with playlists, and a folder with one CSV."""
    with sqlite3.connect(tmp_path / "karaoke.db") as database:
        database.execute("create table playlist_songs (playlist_id integer, position integer, song integer)")
        for playlist, songs in enumerate(genre_playlists(200)):
            rows = [(playlist, position, song) for position, song in enumerate(songs)]
            database.executemany("insert into playlist_songs values (?, ?, ?)", rows)
    database.close()
    (tmp_path / "csv").mkdir()
    (tmp_path / "csv/songs.csv").write_text("Category,master_number\na,1\na,2\n")
    return f"sqlite:///{tmp_path / 'karaoke.db'}", tmp_path / "csv"


def test_the_sections_of_every_command_are_those_that_it_reads(sources, bucket, tmp_path, monkeypatch):
    monkeypatch.setenv("SONG2VEC_CACHE", str(tmp_path / "cache"))
    url, csvs = sources
    uri, prepared, trained = bucket.uri, tmp_path / "prepare", tmp_path / "train"
    playlists, heldout = prepared / "playlists.parquet", prepared / "heldout.parquet"
    many = write_playlists(tmp_path / "many.parquet", genre_playlists(500))
    first, second = (
        publish_model(bucket, tmp_path / str(day), finished=FINISHED + timedelta(days=day)).version for day in (1, 2)
    )
    mover = {"uri": uri, "who": "minji", "why": "a test"}
    calls: list[tuple[Command, dict[str, Any]]] = [
        (data.extract, {"url": url, "out": tmp_path / "raw"}),
        (data.collect, {"folder": csvs, "out": tmp_path / "raw"}),
        (data.prepare, {"raw": [tmp_path / "raw"], "out": prepared}),
        (data.quarantine, {"where": str(prepared)}),
        (data.check_data, {"prepared": prepared, "out": tmp_path / "check_data", "uri": uri}),
        (channels.promote, {"version": first, **mover}),
        (model.train, {"playlists": playlists, "out": trained, "heldout": heldout, "align_to": uri}),
        (
            model.evaluate,
            {"model": trained, "heldout": heldout, "playlists": playlists, "live": uri, "out": tmp_path / "evaluate"},
        ),
        (model.tune, {"playlists": many, "out": tmp_path / "tune"}),
        (model.gate, {"metrics": tmp_path / "evaluate/metrics.json", "out": tmp_path / "gate"}),
        (model.golden, {"file": write_golden(tmp_path / "golden.toml", must([3], [42], 5)), "where": uri}),
        (model.similar, {"song": "3", "where": uri}),
        (store.publish, {"model": trained, "records": [tmp_path / "evaluate"], "uri": uri}),
        (store.verify, {"version": first, "uri": uri}),
        (store.versions, {"uri": uri}),
        (store.history, {"uri": uri}),
        (store.diff, {"old": first, "new": second, "uri": uri}),
        (store.prune, {"uri": uri}),
        (channels.pin, mover),
        (channels.unpin, mover),
        (channels.promote, {"version": second, **mover}),
        (channels.rollback, mover),
        (pipeline.run, {"url": url, "uri": uri, "workspace": str(tmp_path / "work"), "who": "minji"}),
        (pipeline.keygen, {"private": tmp_path / "key.pem"}),
    ]
    settings = Watched.model_construct(**dict(load_settings(SMALL | {"collect.folder": str(csvs)})))

    lists, reads = {}, {}
    for command, options in calls:
        Watched.read.clear()
        command.function(settings, **options)
        lists[command.name] = set(run_sections() if command.sections == ("*",) else command.sections)
        reads[command.name] = set(Watched.read)

    assert lists == reads
    every = {command.name for commands in PANELS.values() for command in commands}
    assert every - set(lists) == {"settings"}  # which is about all of them
