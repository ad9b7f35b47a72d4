"""Small models whose neighbours are known by construction, in a folder and in a store."""

import json
from datetime import UTC, datetime

import numpy as np

from song2vec.publish import VersionFacts, publish, published_files
from song2vec_client import ModelStore
from song2vec_client.format.layout import TWO_WAY

FINISHED = datetime(2026, 1, 31, 4, 0, tzinfo=UTC)
SONGS = np.array([500, 3, 42, 7, 10**12, 11], dtype=np.int64)


def write_model(folder, *, finished=FINISHED, songs=SONGS, scoring=TWO_WAY, **records):
    """A model in which song i's neighbours are the songs of the rows around it: vectors on a quarter circle.

    Two-way is what our own trainer makes, one-way what gensim makes and what all versions were before there were two.
    The files that no reader of a store opens are there, with a few bytes in them. `records` are written beside them;
    of ``training``, what is given goes over what is usual.
    """
    (folder / "gensim").mkdir(parents=True)
    angles = np.linspace(0, np.pi / 2, len(songs))
    vectors = np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32) * 3
    np.save(folder / "vectors.npy", vectors)
    np.save(folder / "context.npy", vectors)
    np.save(folder / "songs.npy", songs)
    np.save(folder / "counts.npy", np.arange(len(songs), 0, -1))
    if scoring == TWO_WAY:
        _write_neighbours(folder, len(songs))
    for name in ("songs.parquet", "song2vec.bin", "gensim/song2vec.model", "gensim/song2vec.model.wv.vectors.npy"):
        (folder / name).write_text(f"stands for {name}")
    training = {"trainer": "song2vec" if scoring == TWO_WAY else "gensim", "settings": {"vector_size": 2}} | {
        "songs": len(songs),
        "playlists": 9,
        "words": 99,
        "epochs": [{"epoch": 1}],
        "finished": finished.isoformat(),
        "seconds": 1.5,
    }
    for name, record in (records | {"training": training | records.get("training", {})}).items():
        (folder / f"{name}.json").write_text(json.dumps(record))
    return folder


def _write_neighbours(folder, songs):
    """Of each song the rows before and after it, both as strong; of the first and the last, one and a gap."""
    rows = np.arange(songs, dtype=np.int32)[:, None] + np.array([-1, 1], np.int32)
    there = (rows >= 0) & (rows < songs)
    np.save(folder / "neighbours.npy", np.where(there, rows, 0).astype(np.int32))
    np.save(folder / "neighbour_weights.npy", np.where(there, 0.5, 0).astype(np.float16))


def facts(**changes):
    """What a manifest says of an accepted first version."""
    plain = VersionFacts(None, True, "accepted", {"train": {"epochs": 1}}, "f00d", "0.1.0", FINISHED)
    return VersionFacts(**(plain.__dict__ | changes))


def publish_model(bucket, folder, *, finished=FINISHED, scoring=TWO_WAY, **changes):
    """Write a model to a new folder, publish it, and give the manifest."""
    files = published_files(write_model(folder, finished=finished, scoring=scoring))
    return publish(bucket, files, facts(**changes))


def manifests(bucket):
    """The manifest of every version in a store, newest first."""
    return [version.manifest for version in ModelStore.of(bucket).versions()]
