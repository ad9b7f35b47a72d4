"""May `production` point to this model? Rules with limits, and a verdict in plain words."""

from collections.abc import Sequence
from pathlib import Path

import structlog

from song2vec.gates.golden_rules import NAME, golden_rules, not_asked
from song2vec.gates.model_rules import fewest, rules
from song2vec.gates.verdict import abstain, because, failed, log_rules
from song2vec.records import Decision, GoldenSongs, Metrics, Rule
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
    Golden songs do not. A model that is forced stays refused.
    """
    enough, others = fewest(metrics, settings), rules(metrics, settings)
    if not enough.passed:
        others = [abstain(rule, f"{metrics.playlists:,} held-out playlists are too few") for rule in others]
    judged = [enough, *others, *_of_golden_songs(metrics, settings)]
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


def judge_golden_songs(golden: GoldenSongs) -> Decision:
    """Decide by golden songs alone, for whoever tries a file on a model that is there."""
    judged = golden_rules(golden)
    accepted = not failed(judged)
    return Decision(accepted=accepted, sentence=_sentence(judged, accepted, ""), rules=tuple(judged))


def may_promote(decision: Decision) -> bool:
    """Whether a channel may move to the model: it was accepted, or somebody gave a reason to use it all the same."""
    return decision.accepted or decision.forced


def _of_golden_songs(metrics: Metrics, settings: GateSettings) -> list[Rule]:
    if not settings.golden_songs:
        return []
    return golden_rules(metrics.golden_songs) if metrics.golden_songs else [not_asked()]


def _sentence(judged: Sequence[Rule], accepted: bool, force: str) -> str:
    """The verdict; for an accepted model what speaks for it as a whole, and how many other rules there were."""
    if not accepted:
        verdict = f"Refused, but forced ({force})" if force else "Refused"
        return f"{verdict}: {because(judged)}."
    met = [rule for rule in judged if rule.passed]
    golden = [rule for rule in met if rule.rule == NAME]
    of_slices = [rule for rule in met if rule.of and rule.rule != NAME]
    silent = len(judged) - len(met)
    counts = [
        because([rule for rule in met if not rule.of]),
        f"{_rules(len(of_slices))} on slices met" if of_slices else "",
        f"{_rules(len(golden))} on golden songs met" if golden else "",
        f"{_rules(silent)} abstained" if silent else "",
    ]
    return f"Accepted: {'; '.join(filter(None, counts))}."


def _rules(number: int) -> str:
    return f"{number} rule{'s' * (number != 1)}"
