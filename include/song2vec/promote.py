"""Promotion: a channel such as `production` moves to a version, or back; who moved it, when and why is kept."""

import hashlib
import random
import time
from datetime import UTC, datetime
from typing import Any

import structlog

from song2vec.errors import LostRaceError, NotFoundError, RefusedError, SettingsError
from song2vec.history import ATTEMPTS, append, follow, history, length, read_move, read_pointer, version_before
from song2vec_client import errors as client_errors
from song2vec_client.bucket import Bucket
from song2vec_client.fields import parse_json
from song2vec_client.format import Manifest, Move, Pointer
from song2vec_client.layout import is_channel
from song2vec_client.store import ModelStore

log = structlog.get_logger(__name__)

__all__ = ["history", "promote", "rollback", "version_table"]


def promote(bucket: Bucket, channel: str, version: str, *, who: str, why: str, force: bool = False) -> Pointer:
    """Move `channel` to `version`; where it is there already, nothing happens and the log says so.

    Args:
        bucket: the model store.
        channel: the channel to move; it is made by its first promotion.
        version: a published version.
        who: who moves it, for the history.
        why: the reason, for the history.
        force: also to a version that the gate rejected.

    Returns:
        What the channel holds now.

    Raises:
        NotFoundError: the version is not published.
        RefusedError: the gate rejected the version, and `force` is not given.
        SettingsError: no such name of a channel is allowed, or `who` or `why` is empty.
        LostRaceError: too many others moved channels at the same time.
    """
    _check(channel, who, why)
    manifest, sha256 = _manifest(bucket, version)
    if not manifest.accepted and not force:
        raise RefusedError(
            f"version {version} is {manifest.status}: {channel} stays as it is. Its decision.json says why; "
            "to use it all the same, force the promotion and give the reason."
        )
    forced = not manifest.accepted
    for attempt in range(ATTEMPTS):
        sequence, live = _settled(bucket, channel)
        if live is not None and live.version == version:
            log.info("this version is live already: nothing to do", channel=channel, version=version, since=live.when)
            return live
        previous = live.version if live else None
        move = Move(sequence + 1, channel, version, sha256, previous, who, _now(), why, forced=forced)
        if append(bucket, move):
            return _done(bucket, move)
        _wait(attempt)
    raise _lost(channel)


def rollback(bucket: Bucket, channel: str, *, who: str, why: str, to: str | None = None) -> Pointer:
    """Move `channel` back to the version that was live before, or to one that was live at some time.

    Returns:
        What the channel holds now.

    Raises:
        NotFoundError: nothing was ever promoted, or there is no version before.
        RefusedError: `to` was never live in this channel.
        SettingsError: no such name of a channel is allowed, or `who` or `why` is empty.
        LostRaceError: somebody else moved the channel at the same time: what is right now, a person must see.
    """
    _check(channel, who, why)
    _, before = _settled(bucket, channel)
    if before is None:
        raise NotFoundError(f"channel {channel} of {bucket.uri} does not exist: nothing was ever promoted to it")
    version = _target(bucket, channel, to)
    sha256 = _manifest(bucket, version)[1]
    for attempt in range(ATTEMPTS):
        sequence, live = _settled(bucket, channel)
        if live is not None and live.version == version:
            log.info("this version is live already: nothing to do", channel=channel, version=version, since=live.when)
            return live
        if live != before:
            raise LostRaceError(f"{channel} was moved while it was rolled back: look at the history, then try again")
        move = Move(sequence + 1, channel, version, sha256, before.version, who, _now(), why, kind="rollback")
        if append(bucket, move):
            return _done(bucket, move)
        _wait(attempt)
    raise _lost(channel)


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
            "live": ", ".join(pointer.channel for pointer in channels if pointer.version == version),
            **_described(store, version),
        }
        for version in store.published()
    ]


def _described(store: ModelStore, version: str) -> dict[str, Any]:
    try:
        manifest = store.manifest(version)
        published = manifest.created.strftime("%Y-%m-%d %H:%M UTC")
        return {"status": manifest.status, "published": published, **_measured(store, manifest)}
    except (
        client_errors.CorruptModelError,
        client_errors.UnsupportedFormatError,
        client_errors.NotFoundError,
    ) as error:
        return {"status": f"unreadable: {error}", "published": None, "ndcg": None, "hit_rate": None}


def _settled(bucket: Bucket, channel: str) -> tuple[int, Pointer | None]:
    """The number of the last move, which is brought to its end first, and what `channel` then holds."""
    last = length(bucket)
    if last:
        follow(bucket, read_move(bucket, last))
    return last, read_pointer(bucket, channel)[0]


def _done(bucket: Bucket, move: Move) -> Pointer:
    follow(bucket, move)
    log.info(
        "channel moved",
        channel=move.channel,
        version=move.version,
        previous=move.previous,
        who=move.who,
        why=move.why,
        sequence=move.sequence,
    )
    return move.pointer()


def _target(bucket: Bucket, channel: str, to: str | None) -> str:
    moves = history(bucket)
    if to is None:
        version = version_before(moves, channel)
        if version is None:
            raise NotFoundError(f"channel {channel} has no version before the live one: name the version to go back to")
        return version
    if to not in {move.version for move in moves if move.channel == channel}:
        raise RefusedError(f"version {to} was never live in {channel}: promote it instead")
    return to


def _manifest(bucket: Bucket, version: str) -> tuple[Manifest, str]:
    """The manifest of a version, and the digest of its bytes."""
    try:
        manifest, content = ModelStore.of(bucket).read_manifest(version)
    except client_errors.NotFoundError:
        raise NotFoundError(f"no version {version} in {bucket.uri}: `song2vec versions` lists what there is") from None
    return manifest, hashlib.sha256(content).hexdigest()


def _measured(store: ModelStore, manifest: Manifest) -> dict[str, Any]:
    """The version's metrics; None where there are none."""
    metrics: Any = {}
    if any(entry.path == "metrics.json" for entry in manifest.files):
        metrics = parse_json(store.read(manifest.version, "metrics.json"))
    model = metrics.get("model") if isinstance(metrics, dict) else None
    figures = model if isinstance(model, dict) else {}
    return {name: figures.get(name) for name in ("ndcg", "hit_rate")}


def _check(channel: str, who: str, why: str) -> None:
    if not is_channel(channel):
        raise SettingsError(f"{channel!r} cannot name a channel: use lower-case letters, digits and hyphens")
    for name, text in (("who", who), ("why", why)):
        if not text.strip():
            raise SettingsError(f"{name} is empty: the history needs to know {name} moved {channel}")


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _wait(attempt: int) -> None:
    time.sleep(random.uniform(0, min(1.0, 0.02 * 2**attempt)))  # noqa: S311 - spreads racers, keeps no secret


def _lost(channel: str) -> LostRaceError:
    return LostRaceError(f"channel {channel}: others moved channels {ATTEMPTS} times in a row: try again")
