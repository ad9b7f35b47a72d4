"""Versions and moves to look at, written in the published format."""

import io
import json
import math
from datetime import UTC, datetime, timedelta

import numpy as np

from song2vec.gates import data_gate, model_gate
from song2vec.records import Funnel, Metrics
from song2vec.settings import CheckDataSettings, GateSettings, load_settings
from song2vec.versions import LiveData
from song2vec_client.format.digests import digest
from song2vec_client.format.layout import (
    CONTEXT,
    COUNTS,
    MANIFEST,
    SONGS,
    VECTORS,
    channel_name,
    file_name,
    move_name,
    version_id,
)
from song2vec_client.format.records import FileEntry, Manifest, Move

START = datetime(2026, 11, 19, 19, 0, tzinfo=UTC)
SENTENCE = "Accepted: nDCG@100 is 0.171, 5.9 times that of popular songs (0.029), and all 4 rules passed."
ALIGNED = "Aligned to 20261118T190052Z-0123abcd: 1,790 shared songs moved by a median cosine distance of 0.03."


def records(accepted=True, **data):
    """The JSON records of a realistic version; `data`: settings of the gate on the data."""
    ndcg = 0.171 if accepted else 0.018
    epochs = [
        {"epoch": n, "loss": 1.9 + 3.4 * math.exp(-n / 9), "words_per_second": 51_000 + 37 * n, "seconds": 1.3}
        for n in range(1, 41)
    ]
    funnel = Funnel.of(
        [74_212, 74_190, 74_188, 72_640, 72_611, 72_598, 71_950], [3_052, 3_052, 3_052, 3_050, 3_050, 3_050, 2_987]
    )
    counted = funnel.model_copy(update={"songs": 1_842, "heldout": 300, "fingerprint": "f" * 64})
    measured = metrics(ndcg)
    live = Funnel(rules=(), raw_rows=74_000, rows=71_204, playlists=2_961)
    before = LiveData("20261118T190000Z-5b1e5b1e", live, None)
    decision = model_gate.decide(Metrics.parse(json.dumps(measured).encode()), GateSettings())
    return {
        "metrics.json": measured,
        "funnel.json": counted.to_json(),
        "check_data.json": data_gate.decide(counted, before, CheckDataSettings(**data)).to_json(),
        "decision.json": decision.to_json(),
        "training.json": {
            "trainer": "gensim",
            "settings": {},
            "songs": 1_842,
            "playlists": 2_687,
            "words": 64_780,
            "alignment": {"sentence": ALIGNED, "aligned": True},
            "best_epoch": 35,
            "epochs": epochs,
            "started": "2026-11-20T19:00:00Z",
            "finished": "2026-11-20T19:00:52Z",
            "seconds": 52.4,
        },
    }


def metrics(ndcg):
    """``metrics.json`` of a model with this nDCG, beside a live one that is a little worse."""
    whole = compared(ndcg, 300)
    whole["model"] |= {"coverage": 0.61, "popularity_bias": 0.42}
    whole["live"] |= {"coverage": 0.58, "popularity_bias": 0.47}
    parts = {
        ("playlist length", "short", "playlists with up to 9 songs shown"): (0.8, 160),
        ("playlist length", "long", "playlists with more than 9 songs shown"): (1.2, 140),
        ("song popularity", "head", "songs seen 310 times or more in training"): (1.3, 270),
        ("song popularity", "tail", "songs seen 12 times or less, or never"): (0.3, 190),
        ("source", "mariadb", "playlists from mariadb"): (1.05, 230),
        ("source", "csv", "playlists from csv"): (0.9, 12),
    }
    return whole | {
        "protocol": {"live": "20261118T190052Z-0123abcd was not trained on any of these playlists either."},
        "live_version": "20261118T190052Z-0123abcd",
        "hidden_unknown_share": 0.031,
        "hidden_unknown_interval": [0.025, 0.038],
        "slices": [
            {"by": by, "name": name, "sentence": sentence} | compared(ndcg * factor, playlists)
            for (by, name, sentence), (factor, playlists) in parts.items()
        ],
        "stability": {"version": "20261118T190052Z-0123abcd", "at": 10, "sampled": 1_000, "neighbours_kept": 0.71,
                      "songs_kept": 1_790, "songs_new": 52, "songs_gone": 8},
    }  # fmt: skip


def compared(ndcg, playlists):
    return {
        "playlists": playlists,
        "model": {"ndcg": ndcg, "hit_rate": ndcg + 0.06, "r_precision": 0.112, "recall": 0.301, "mrr": 0.14},
        "live": {"ndcg": ndcg * 0.95, "hit_rate": ndcg + 0.05, "r_precision": 0.11, "recall": 0.297, "mrr": 0.13},
        "popularity": {"ndcg": 0.029, "hit_rate": 0.041, "r_precision": 0.018, "recall": 0.097, "mrr": 0.02},
        "item_knn": {"ndcg": 0.163, "hit_rate": 0.244, "r_precision": 0.109, "recall": 0.288, "mrr": 0.13},
        "intervals": {
            "model": {"ndcg": [ndcg * 0.9, ndcg * 1.1], "hit_rate": [ndcg + 0.04, ndcg + 0.08]},
            "live": {"ndcg": [ndcg * 0.86, ndcg * 1.05]},
        },
        "differences": {"live": {"ndcg": {"mean": ndcg * 0.05, "interval": [-0.002, ndcg * 0.1]}}},
    }


def rule(name, figure, limit, sentence):
    return {"rule": name, "figure": figure, "limit": limit, "passed": figure >= limit, "sentence": sentence}


def arrays(songs, dimensions=8):
    """The files of a model whose vectors lie on a half circle: the next song is always the most similar."""
    angles = np.linspace(0, math.pi / 2, len(songs), dtype=np.float32)
    vectors = np.zeros((len(songs), dimensions), np.float32)
    vectors[:, 0], vectors[:, 1] = np.cos(angles), np.sin(angles)
    numbers = np.array(songs, np.int64)
    return {VECTORS: vectors, CONTEXT: vectors, SONGS: numbers, COUNTS: np.arange(len(songs), 0, -1, dtype=np.int64)}


def publish(bucket, day=0, *, accepted=True, parent=None, songs=range(50_001, 50_041), extra=None, **changes):
    """Write one version, `day` days after the first; `changes` replaces records by name (``metrics=...``)."""
    files = {name: npy(array) for name, array in arrays(songs).items()} | (extra or {})
    for name, usual in records(accepted).items():
        record = changes.get(name.removesuffix(".json"), usual)
        if record is not None:
            files[name] = record if isinstance(record, bytes) else json.dumps(record).encode()
    created = START + timedelta(days=day)
    version = version_id(created, digest(b"".join(files.values()) + bytes([day])).sha256)
    for name, content in files.items():
        bucket.create(file_name(version, name), content)
    manifest = Manifest(
        version=version,
        parent=parent,
        created=created,
        accepted=accepted,
        status="accepted" if accepted else "rejected",
        settings=changes.get("settings", load_settings().model_dump(mode="json")),
        data_fingerprint="5b1e" * 16,
        code_version="0.1.0",
        files=tuple(entry(name, content) for name, content in files.items()),
    )
    bucket.create(file_name(version, MANIFEST), manifest.to_bytes())
    return version


def promote(bucket, sequence, version, *, channel="production", previous=None, who="jisoo", why=SENTENCE, **kind):
    """Move a channel, as the pointer and the history say it."""
    manifest, _ = bucket.read(file_name(version, MANIFEST))
    when = START + timedelta(days=sequence - 1, minutes=4)
    move = Move(sequence, channel, version, digest(manifest).sha256, previous, who, when, why, **kind)
    bucket.create(move_name(sequence), move.to_bytes())
    bucket.put(channel_name(channel), move.pointer().to_bytes())


def story(bucket):
    """Four versions: accepted, rejected, accepted, and one that was rolled back. The live one and all of them."""
    first = publish(bucket)
    promote(bucket, 1, first)
    second = publish(bucket, 1, accepted=False, parent=first)
    third = publish(bucket, 2, parent=first)
    promote(bucket, 2, third, previous=first, who="airflow (scheduled)")
    promote(
        bucket,
        3,
        first,
        previous=third,
        kind="rollback",
        why="옛날 노래가 너무 많이 추천됨: back to the version before",
    )
    fourth = publish(bucket, 3, parent=first)
    promote(bucket, 4, fourth, channel="candidate", who="민수")
    return first, [fourth, third, second, first]


def entry(name, content):
    found = digest(content)
    return FileEntry(name, found.size, found.sha256, found.crc32c)


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()
