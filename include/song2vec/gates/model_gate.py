"""May `production` point to this model? Rules with limits, and a verdict in plain words."""

from collections.abc import Sequence
from pathlib import Path

import structlog

from song2vec.gates.model_rules import fewest, rules
from song2vec.gates.verdict import abstain, because, failed, log_rules
from song2vec.records import Decision, Metrics, Rule
from song2vec.settings import GateSettings

log = structlog.get_logger(__name__)


def gate(metrics: Path, out: Path, settings: GateSettings) -> Decision:
    """Decide on the model by the file `metrics` that measured it, and write the decision to the folder `out`."""
    decision = decide(Metrics.read(metrics), settings)
    decision.write(out / Decision.FILE)
    log_rules(decision.rules)
    (log.info if decision.accepted else log.warning)(decision.sentence)
    return decision


def decide(metrics: Metrics, settings: GateSettings) -> Decision:
    """Decide whether a model with these `metrics` is good enough.

    With too few held-out playlists the model is refused, and the other rules abstain: their figures rest on chance.
    A model that is forced stays refused.
    """
    enough, others = fewest(metrics, settings), rules(metrics, settings)
    if not enough.passed:
        others = [abstain(rule, f"{metrics.playlists:,} held-out playlists are too few") for rule in others]
    judged = [enough, *others]
    accepted, force = not failed(judged), settings.force.strip()
    forced = bool(force and not accepted)
    return Decision(
        accepted=accepted,
        forced=forced,
        force=force,
        live_version=metrics.live_version,
        sentence=_sentence(judged, accepted, force if forced else ""),
        rules=tuple(judged),
    )


def may_promote(decision: Decision) -> bool:
    """Whether a channel may move to the model: it was accepted, or somebody gave a reason to use it all the same."""
    return decision.accepted or decision.forced


def _sentence(judged: Sequence[Rule], accepted: bool, force: str) -> str:
    """The verdict; for an accepted model what speaks for it as a whole, and how many other rules there were."""
    if not accepted:
        verdict = f"Refused, but forced ({force})" if force else "Refused"
        return f"{verdict}: {because(judged)}."
    met = [rule for rule in judged if rule.passed]
    silent = len(judged) - len(met)
    counts = [
        f"{_rules(len(of_slices))} on slices met" if (of_slices := [rule for rule in met if rule.of]) else "",
        f"{_rules(silent)} abstained" if silent else "",
    ]
    return "; ".join(filter(None, [f"Accepted: {because([rule for rule in met if not rule.of])}", *counts])) + "."


def _rules(number: int) -> str:
    return f"{number} rule{'s' * (number != 1)}"
