"""The promotion at the end of a run: the channel moves only from where the run found it.

If somebody moved it meanwhile, what the gate decided no longer holds: it compared with a version that is not live any
more. Then the model is measured again, beside the version that is live now, and the channel moves only if the gate
accepts that too. A version of a later run is never replaced by one of an earlier run.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog

from song2vec import channels
from song2vec.channels import move_in_words
from song2vec.errors import LostRaceError, MovedError, RefusedError
from song2vec.gates import may_promote
from song2vec.records import Decision
from song2vec.versions import LiveVersion, live_version, time_of_run
from song2vec_client.format.records import Pointer
from song2vec_client.store import ModelStore

log = structlog.get_logger(__name__)

ATTEMPTS = 5
"""How often the model is measured again where others keep moving the channel."""


@dataclass(frozen=True)
class Candidate:
    """A published version that the gate let through.

    Attributes:
        version: its name.
        decision: the gate's, beside `live`.
        live: what the channel named when the run first looked.
        judge: measures the model beside another live version, and gives the gate's decision.
    """

    version: str
    decision: Decision
    live: LiveVersion
    judge: Callable[[LiveVersion], Decision]


def promote(store: ModelStore, candidate: Candidate, *, who: str, why: str, run: str) -> Pointer:
    """Move the channel to the candidate.

    Args:
        store: the model store.
        candidate: the version.
        who: who moves it, for the history.
        why: what a person said to it; the gate's sentence follows.
        run: the run that asks; what it did already it does not do again.

    Returns:
        What the channel holds now.

    Raises:
        PinnedError: the channel is pinned.
        RefusedError: it was moved meanwhile, and what is live now is of a later run, or the gate refuses the
            candidate beside it.
        LostRaceError: others moved it again and again.
    """
    for _ in range(ATTEMPTS):
        try:
            return channels.promote(
                store.bucket,
                candidate.live.channel,
                candidate.version,
                who=who,
                why=f"{why} {candidate.decision.sentence}".lstrip(),
                rejected=candidate.decision.forced,
                run=run,
                since=candidate.live.sequence,
            )
        except MovedError as moved:
            log.warning(str(moved))
            candidate = _again(store, candidate)
    raise LostRaceError(f"channel {candidate.live.channel} was moved {ATTEMPTS} times while the model was measured")


def _again(store: ModelStore, candidate: Candidate) -> Candidate:
    """The candidate beside what is live now, if the gate still lets it through."""
    before, now = candidate.live, live_version(store, candidate.live.channel)
    if now.version == before.version:  # moved forth and back, or pinned and unpinned: the decision holds
        return replace(candidate, live=now)
    moved = move_in_words(store.resolve(now.channel))
    if time_of_run(store, now) > before.looked:
        raise RefusedError(f"{moved}. That version is of a later run than {candidate.version}: it stays.")
    decision = candidate.judge(now)
    if not may_promote(decision):
        raise RefusedError(f"{moved}. Beside it {candidate.version} does not pass the gate. {decision.sentence}")
    return replace(candidate, live=now, decision=decision)
