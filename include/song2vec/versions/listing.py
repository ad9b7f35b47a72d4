"""What a store holds, as rows of a table: its versions, and the moves of its channels."""

from itertools import pairwise
from typing import Any

import structlog

from song2vec.channels import numbers, read_move
from song2vec.errors import DataError
from song2vec.records import Metrics
from song2vec.versions.records import read_record
from song2vec_client.errors import CorruptModelError, NotFoundError, UnsupportedFormatError
from song2vec_client.format.layout import move_name, move_number
from song2vec_client.format.records import Move, Pointer
from song2vec_client.gcs.bucket import Bucket
from song2vec_client.gcs.side_by_side import side_by_side
from song2vec_client.store import ModelStore
from song2vec_client.version import Version

log = structlog.get_logger(__name__)

_MINUTE = "%Y-%m-%d %H:%M UTC"


def version_table(bucket: Bucket) -> list[dict[str, Any]]:
    """The published versions, newest first: ``version, live, status, published, ndcg, hit_rate``.

    `live` names the channels that point to the version. A version whose manifest or metrics are damaged has a
    row that says so; of a channel that is damaged, the log says so.
    """
    store = ModelStore.of(bucket)
    pointers = _pointers(store)
    versions = [store.version(name) for name in store.published()]
    return [
        {
            "version": version.name,
            "live": ", ".join(_channel(pointer) for pointer in pointers if pointer.version == version.name),
            **described,
        }
        for version, described in zip(versions, side_by_side(_described, versions), strict=True)
    ]


def read_history(bucket: Bucket) -> dict[str, Any]:
    """Every move of every channel that can be read, first to last, and what is wrong with the others.

    Returns:
        ``{"moves", "problems"}``: the records as they are stored, and sentences.
    """
    there = numbers(bucket)
    results = side_by_side(lambda number: _move_or_problem(bucket, number), there)
    gaps = [(last + 1, number) for last, number in pairwise([0, *there]) if number > last + 1]
    foreign = [name for name in bucket.names("promotions/") if move_number(name) is None]
    problems = [
        *(item for item in results if isinstance(item, str)),
        *(f"{bucket.uri} has {move_name(end)} where {move_name(gap)} belongs: restore it" for gap, end in gaps),
        *(f"{bucket.uri}/{name} is no move: it is left alone" for name in foreign),
    ]
    return {"moves": [item.to_json() for item in results if isinstance(item, Move)], "problems": problems}


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


def _pointers(store: ModelStore) -> list[Pointer]:
    """What the channels hold, but for those that are damaged."""
    pointers = []
    for channel, held in store.channels().items():
        if isinstance(held, Pointer):
            pointers.append(held)
        else:
            log.warning("a channel is damaged", channel=channel, why=str(held))
    return pointers


def _channel(pointer: Pointer) -> str:
    return f"{pointer.channel} (pinned)" if pointer.pinned else pointer.channel


def _described(version: Version) -> dict[str, Any]:
    try:
        return {
            "status": version.manifest.status,
            "published": version.manifest.created.strftime(_MINUTE),
            **_measured(version),
        }
    except (DataError, CorruptModelError, UnsupportedFormatError, NotFoundError) as error:
        return {"status": f"unreadable: {error}", "published": None, "ndcg": None, "hit_rate": None}


def _measured(version: Version) -> dict[str, Any]:
    """The version's metrics; None where there are none."""
    metrics = read_record(version, Metrics)
    return {name: getattr(metrics.model, name) if metrics else None for name in ("ndcg", "hit_rate")}
