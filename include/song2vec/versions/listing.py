"""What a store holds, as rows of a table: its versions, and the moves of its channels."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

from song2vec.channels import numbers, read_move
from song2vec.errors import DataError
from song2vec.records import Metrics
from song2vec.versions.records import read_record
from song2vec_client.errors import CorruptModelError, NotFoundError, UnsupportedFormatError
from song2vec_client.format.layout import move_name, move_number
from song2vec_client.format.records import Manifest, Move, Pointer
from song2vec_client.gcs.bucket import Bucket
from song2vec_client.store import ModelStore

_READERS = 8
_MINUTE = "%Y-%m-%d %H:%M UTC"


def version_table(bucket: Bucket) -> list[dict[str, Any]]:
    """The published versions, newest first: ``version, live, status, published, ndcg, hit_rate``.

    `live` names the channels that point to the version. A version whose manifest or metrics are damaged has a
    row that says so.
    """
    store = ModelStore.of(bucket)
    channels = store.channels().values()
    return [
        {
            "version": version,
            "live": ", ".join(_channel(pointer) for pointer in channels if pointer.version == version),
            **_described(store, version),
        }
        for version in store.published()
    ]


def read_history(bucket: Bucket) -> dict[str, Any]:
    """Every move of every channel that can be read, first to last, and what is wrong with the others.

    Returns:
        ``{"moves", "problems"}``: the records as they are stored, and sentences.
    """
    there = numbers(bucket)
    with ThreadPoolExecutor(_READERS) as readers:
        found = list(readers.map(lambda number: _move_or_problem(bucket, number), there))
    gaps = [(last + 1, number) for last, number in pairwise([0, *there]) if number > last + 1]
    foreign = [name for name in bucket.names("promotions/") if move_number(name) is None]
    problems = [
        *(item for item in found if isinstance(item, str)),
        *(f"{bucket.uri} has {move_name(end)} where {move_name(gap)} belongs: restore it" for gap, end in gaps),
        *(f"{bucket.uri}/{name} is no move: it is left alone" for name in foreign),
    ]
    return {"moves": [item.to_json() for item in found if isinstance(item, Move)], "problems": problems}


def move_rows(moves: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Moves for people, newest first: ``#, when, channel, move, version, from, who, why``."""
    return [
        {
            "#": move["sequence"],
            "when": move["when"],
            "channel": move["channel"],
            "move": f"{move['kind']}, forced" if move["forced"] else move["kind"],
            "version": move["version"],
            "from": None if move["previous"] == move["version"] else move["previous"],
            "who": move["who"],
            "why": move["why"],
        }
        for move in reversed(moves)
    ]


def _move_or_problem(bucket: Bucket, number: int) -> Move | str:
    try:
        return read_move(bucket, number)
    except (DataError, CorruptModelError, UnsupportedFormatError) as error:
        return str(error)


def _channel(pointer: Pointer) -> str:
    return f"{pointer.channel} (pinned)" if pointer.pinned else pointer.channel


def _described(store: ModelStore, version: str) -> dict[str, Any]:
    try:
        manifest = store.manifest(version)
        return {
            "status": manifest.status,
            "published": manifest.created.strftime(_MINUTE),
            **_measured(store, manifest),
        }
    except (DataError, CorruptModelError, UnsupportedFormatError, NotFoundError) as error:
        return {"status": f"unreadable: {error}", "published": None, "ndcg": None, "hit_rate": None}


def _measured(store: ModelStore, manifest: Manifest) -> dict[str, Any]:
    """The version's metrics; None where there are none."""
    metrics = read_record(store, manifest, Metrics)
    return {name: getattr(metrics.model, name) if metrics else None for name in ("ndcg", "hit_rate")}
