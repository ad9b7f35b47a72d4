"""Rules with limits become a verdict in plain words: what the gates on data and on models share."""

from collections.abc import Sequence

import structlog

from song2vec.records import Rule

log = structlog.get_logger(__name__)


def worded(figure: str, limit: str, *, passed: bool) -> str:
    """The sentence of a rule: ``HR@10 0.8 (at least 0.02)``, ``HR@10 0.01 instead of at least 0.02``."""
    return f"{figure} ({limit})" if passed else f"{figure} instead of {limit}"


def abstain(rule: Rule, why: str) -> Rule:
    """The rule without a verdict: its figure would rest on chance, or there is none."""
    return rule.model_copy(update={"passed": None, "sentence": f"{rule.rule} abstains: {why}"})


def failed(rules: Sequence[Rule]) -> list[str]:
    """The sentences of the rules that were not met."""
    return [rule.sentence for rule in rules if rule.passed is False]


def because(rules: Sequence[Rule]) -> str:
    """Why the verdict is what it is: what failed, or, where nothing did, every rule."""
    return "; ".join(dict.fromkeys(failed(rules) or [rule.sentence for rule in rules]))


def log_rules(rules: Sequence[Rule]) -> None:
    """Log one line a rule; one that was not met as a warning."""
    for rule in rules:
        facts = {"rule": rule.rule} | ({"of": rule.of} if rule.of else {})
        if rule.passed is False:
            log.warning(f"missed: {rule.sentence}", **facts)
        else:
            log.info(f"met: {rule.sentence}" if rule.passed else rule.sentence, **facts)
