"""Stage `promote`: move the channel to the version of a run, and mind what happened to the channel meanwhile.

If somebody has moved the channel since the run first looked at it, the gate's decision no longer holds: it compared
the model with a version that is not live any more. Then the model is measured again, beside the version that is live
now, and the channel moves only if the gate accepts that too. A version of a later run is never replaced by one of an
earlier run.
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

MOST_RECHECKS = 5
"""How often a candidate is checked again where others keep moving the channel."""


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
        why: the approver's answer, if any; the gate's sentence follows.
        run: the run that promotes; a second call by the same run does nothing.

    Returns:
        What the channel holds now.

    Raises:
        PinnedError: the channel is pinned.
        RefusedError: it was moved meanwhile, and what is live now comes from a later run, or the gate refuses the
            candidate beside it.
        LostRaceError: others moved it again and again.
    """
    for rechecks in range(MOST_RECHECKS + 1):
        if rechecks:
            candidate = _recheck(store, candidate)
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
    raise LostRaceError(f"channel {candidate.live.channel} was moved each time the model had been measured: try again")


def _recheck(store: ModelStore, candidate: Candidate) -> Candidate:
    """The candidate beside what is live now, if the gate still lets it through."""
    seen, current = candidate.live, live_version(store, candidate.live.channel)
    if current.version == seen.version:  # moved away and back, or pinned and unpinned: the decision holds
        return replace(candidate, live=current)
    moved = move_in_words(store.resolve(current.channel))
    if time_of_run(store, current) > seen.looked_at:
        raise RefusedError(f"{moved}. That version comes from a later run than {candidate.version}: it stays.")
    decision = candidate.judge(current)
    if not may_promote(decision):
        raise RefusedError(f"{moved}. Beside it {candidate.version} does not pass the gate. {decision.sentence}")
    return replace(candidate, live=current, decision=decision)
