"""A request to move a channel, and how it is carried out: one winner for each line of the history."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog

from song2vec.channels.loadable import insist_loadable, published_version
from song2vec.channels.promotions import ATTEMPTS, append, follow, history, settle
from song2vec.errors import LostRaceError, PinnedError, RefusedError, SettingsError
from song2vec_client.format.layout import is_channel
from song2vec_client.format.records import Manifest, Move, Pointer
from song2vec_client.gcs.bucket import Bucket
from song2vec_client.store import ModelStore

log = structlog.get_logger(__name__)

_FORM = "the form of the DAG song2vec_promote"

Plan = Callable[[int, Pointer | None], Pointer]
"""Given the number of the next move and what the channel holds, if anything: the `Move` to make, or, where nothing is
to be done, what the channel holds. It is called again if somebody else takes the number."""


@dataclass(frozen=True)
class Request:
    """Who wants which kind of move, and why."""

    bucket: Bucket
    channel: str
    kind: str
    who: str
    why: str
    run: str
    force: bool = False
    rejected: bool = False

    def __post_init__(self) -> None:
        if not is_channel(self.channel):
            raise SettingsError(f"{self.channel!r} cannot name a channel: use lower-case letters, digits and hyphens")
        for name in ("who", "why"):
            if not getattr(self, name).strip():
                raise SettingsError(f"{name} is empty: the history needs to know {name} moved {self.channel}")

    def move(self, number: int, version: str, sha256: str, live: Pointer | None, *, forced: bool = False) -> Move:
        """The line of the history that this request becomes."""
        return Move(
            number,
            self.channel,
            version,
            sha256,
            live.version if live else None,
            self.who,
            datetime.now(UTC).replace(microsecond=0),
            self.why,
            pinned=self.kind == "pin",
            kind=self.kind,
            forced=forced,
            run=self.run,
        )

    def permit(self, live: Pointer | None, manifest: Manifest | None = None) -> bool:
        """Whether the move overrides a pin or, where a manifest is given, the gate.

        Raises:
            PinnedError: it would override a pin, and may not.
            RefusedError: it would override the gate, and may not.
        """
        pinned = live is not None and live.pinned
        rejected = manifest is not None and not manifest.accepted
        if self.force or not (pinned or (rejected and not self.rejected)):
            return pinned or rejected
        reasons = []
        if live is not None and pinned:
            reasons.append(f"{pin_in_words(live)}. `song2vec unpin`, or *Unpin* in {_FORM}, lets it move again")
        if manifest is not None and rejected and not self.rejected:
            reasons.append(
                f"version {manifest.version} is {manifest.status}: see why under *Models*, or in its decision.json"
            )
        error = PinnedError if pinned else RefusedError
        anyway = f"to move it all the same, use `--force`, or *Force* in {_FORM}"
        raise error(f"{'; '.join(reasons)}. {self.channel} stays as it is; {anyway}.")

    def carry_out(self, plan: Plan, version: str | None = None) -> Pointer:
        """Make the move that `plan` gives, after every earlier one is finished, unless this run made it already."""
        if (earlier_move := self._move_of_this_run(version)) is not None:
            log.info("this run made its move already: nothing to do", **facts(earlier_move))
            return earlier_move.pointer()
        loadable = None
        for attempt in range(ATTEMPTS):
            last, live, _ = settle(self.bucket, self.channel)
            move = plan(last + 1, live)
            if not isinstance(move, Move):
                log.info("the channel is there already: nothing to do", kind=self.kind, **facts(move))
                return move
            store = ModelStore.of(self.bucket)
            if move.version not in (loadable, move.previous):
                insist_loadable(published_version(store, move.version, move.manifest_sha256))
                loadable = move.version
            published_version(store, move.version, move.manifest_sha256)  # once more: it may be gone by now
            if append(self.bucket, move):
                follow(self.bucket, move)
                log.info(_done(move), kind=move.kind, previous=move.previous, **facts(move))
                return move.pointer()
            _wait(attempt)
        raise LostRaceError(f"channel {self.channel}: others moved channels {ATTEMPTS} times in a row: try again")

    def _move_of_this_run(self, version: str | None) -> Move | None:
        if not self.run:
            return None
        settle(self.bucket, self.channel)  # the run may have died halfway
        purpose = (self.run, self.channel, self.kind)
        moves = [move for move in history(self.bucket) if (move.run, move.channel, move.kind) == purpose]
        return next((move for move in reversed(moves) if version in (None, move.version)), None)


def pin_in_words(live: Pointer) -> str:
    """Who pinned the channel, where, when and why."""
    return (
        f"{live.channel} is pinned to {live.version} by {live.who} since {live.when:%Y-%m-%d %H:%M} UTC, "
        f"because: {live.why.rstrip('.')}"
    )


def move_in_words(live: Pointer) -> str:
    """Who moved the channel last, to what, when and why."""
    return (
        f"{live.channel} was moved to {live.version} by {live.who} at {live.when:%Y-%m-%d %H:%M} UTC, "
        f"because: {live.why.rstrip('.')}"
    )


def facts(pointer: Pointer) -> dict[str, Any]:
    """What the log says of a move or a pointer."""
    names = ("channel", "version", "sequence", "who", "why", "pinned")
    return {name: getattr(pointer, name) for name in names}


def _done(move: Move) -> str:
    if move.version != move.previous:
        return f"{move.channel} now names {move.version}"
    return f"{move.channel} is pinned to {move.version}" if move.pinned else f"{move.channel} may move again"


def _wait(attempt: int) -> None:
    time.sleep(random.uniform(0, min(1.0, 0.02 * 2**attempt)))  # noqa: S311 - spreads racers, keeps no secret
