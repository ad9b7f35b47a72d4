"""Promotion: a channel such as `production` moves to a version, or back, or is pinned; who, when and why is kept.

Each way to move a channel is a plan: from where the channel stands, it makes the next line of the history.
"""

import structlog

from song2vec.channels.loadable import published_version
from song2vec.channels.promotions import history, settle, version_before
from song2vec.channels.request import Request, facts, move_in_words
from song2vec.errors import MovedError, RefusedError
from song2vec_client.errors import NotFoundError
from song2vec_client.format.records import Pointer
from song2vec_client.gcs.bucket import Bucket
from song2vec_client.store import ModelStore

log = structlog.get_logger(__name__)


def promote(
    bucket: Bucket,
    channel: str,
    version: str,
    *,
    who: str,
    why: str,
    rejected: bool = False,
    force: bool = False,
    run: str = "",
    since: int | None = None,
) -> Pointer:
    """Move `channel` to `version`; where it is there already, nothing happens and the log says so.

    The version is pulled and verified first, so that a channel never names what cannot be loaded.

    Args:
        bucket: the model store.
        channel: the channel to move; it is made by its first promotion.
        version: a published version.
        who: who moves it, for the history.
        why: the reason, for the history.
        rejected: also to a version that the gate rejected.
        force: as `rejected`, and also when the channel is pinned, which ends the pin.
        run: the run that this is done for; a move that it made already is not made again.
        since: the number of the channel's last move when the caller looked at it, 0 where there was none; the channel
            is moved only from there. None: from wherever it is.

    Returns:
        What the channel holds now.

    Raises:
        NotFoundError: the version is not published.
        CorruptModelError: it cannot be loaded.
        PinnedError: the channel is pinned, and `force` is not given.
        RefusedError: the gate rejected the version, and neither `rejected` nor `force` is given.
        MovedError: somebody moved the channel after `since`.
        SettingsError: this cannot name a channel, or `who` or `why` is empty.
        LostRaceError: too many others moved channels at the same time.
    """
    request = Request(bucket, channel, "promote", who, why, run, force, rejected)
    published = published_version(ModelStore.of(bucket), version)

    def plan(number: int, live: Pointer | None) -> Pointer:
        if live is not None and live.version == version:
            return live
        forced = request.permit(live, published.manifest)
        if live is not None and since not in (None, live.sequence):
            raise MovedError(f"{move_in_words(live)}. This was not so when the move to {version} was decided on.")
        return request.move(number, version, published.manifest_sha256, live, forced=forced)

    return request.carry_out(plan, version)


def rollback(
    bucket: Bucket, channel: str, *, who: str, why: str, to: str | None = None, force: bool = False, run: str = ""
) -> Pointer:
    """Move `channel` back to the version that was live before, or to one that was live at some time.

    A rollback that had stopped halfway is finished, and not followed by another one.

    Returns:
        What the channel holds now.

    Raises:
        NotFoundError: nothing was ever promoted, or there is no version before.
        CorruptModelError: the version cannot be loaded.
        PinnedError: the channel is pinned, and `force` is not given.
        RefusedError: `to` was never live in this channel, or somebody else moved it at the same time.
        SettingsError: this cannot name a channel, or `who` or `why` is empty.
        LostRaceError: too many others moved channels at the same time.
    """
    request = Request(bucket, channel, "rollback", who, why, run, force)
    _, before, move = settle(bucket, channel)
    if move and (move.channel, move.kind) == (channel, "rollback") and to in (None, move.version):
        log.info("a rollback had stopped halfway: it is done now", **facts(move))
        return move.pointer()

    def plan(number: int, live: Pointer | None) -> Pointer:
        _insist_same(channel, before, live)
        version = _version_to_return_to(bucket, channel, to)
        if live is not None and live.version == version:
            return live
        sha256 = published_version(ModelStore.of(bucket), version).manifest_sha256
        return request.move(number, version, sha256, live, forced=request.permit(live))

    return request.carry_out(plan, to)


def pin(
    bucket: Bucket, channel: str, *, who: str, why: str, to: str | None = None, force: bool = False, run: str = ""
) -> Pointer:
    """Pin `channel` where it is, or move it to a version and pin it there: until it is unpinned, only force moves it.

    Returns:
        What the channel holds now.

    Raises:
        NotFoundError: nothing was ever promoted and no version is given, or it is not published.
        CorruptModelError: the version cannot be loaded.
        PinnedError: the channel is pinned to another version, and `force` is not given.
        RefusedError: the gate rejected the version and `force` is not given, or somebody else moved the channel
            at the same time.
        SettingsError: this cannot name a channel, or `who` or `why` is empty.
        LostRaceError: too many others moved channels at the same time.
    """
    request = Request(bucket, channel, "pin", who, why, run, force)
    _, before, _ = settle(bucket, channel)

    def plan(number: int, live: Pointer | None) -> Pointer:
        _insist_same(channel, before, live)
        if live is not None and to in (None, live.version):
            return live if live.pinned else request.move(number, live.version, live.manifest_sha256, live)
        if to is None:
            raise _never_promoted(bucket, channel)
        published = published_version(ModelStore.of(bucket), to)
        forced = request.permit(live, published.manifest)
        return request.move(number, to, published.manifest_sha256, live, forced=forced)

    return request.carry_out(plan, to)


def unpin(bucket: Bucket, channel: str, *, who: str, why: str, run: str = "") -> Pointer:
    """Let a pinned `channel` move again; the version stays.

    Returns:
        What the channel holds now.

    Raises:
        NotFoundError: nothing was ever promoted.
        SettingsError: this cannot name a channel, or `who` or `why` is empty.
        LostRaceError: too many others moved channels at the same time.
    """
    request = Request(bucket, channel, "unpin", who, why, run)

    def plan(number: int, live: Pointer | None) -> Pointer:
        if live is None:
            raise _never_promoted(bucket, channel)
        return request.move(number, live.version, live.manifest_sha256, live) if live.pinned else live

    return request.carry_out(plan)


def _version_to_return_to(bucket: Bucket, channel: str, to: str | None) -> str:
    moves = history(bucket)
    versions = {move.version for move in moves if move.channel == channel}
    if not versions:
        raise _never_promoted(bucket, channel)
    if to is None:
        version = version_before(moves, channel)
        if version is None:
            raise NotFoundError(f"channel {channel} has no version before the live one: name the version to go back to")
        return version
    if to not in versions:
        raise RefusedError(f"version {to} was never live in {channel}: promote it instead")
    return to


def _insist_same(channel: str, before: Pointer | None, now: Pointer | None) -> None:
    """A person decided by what was there: if it has changed since, nothing is done, nor tried again."""
    if now != before:
        by = f" by {now.who}" if now else ""
        raise RefusedError(f"{channel} was moved{by} at the same time: look at the history, then try again")


def _never_promoted(bucket: Bucket, channel: str) -> NotFoundError:
    return NotFoundError(f"channel {channel} of {bucket.uri} does not exist: nothing was ever promoted to it")
