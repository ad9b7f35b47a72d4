"""Rules with limits become a verdict in plain words: what the gates on data and on models share.

A rule is ``{"rule", "figure", "limit", "passed", "sentence"}``; `passed` is None when it abstains.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import structlog

log = structlog.get_logger(__name__)

Rule = Mapping[str, Any]


def worded(found: str, asked: str, *, passed: bool) -> str:
    """The sentence of a rule: ``HR@10 0.8 (at least 0.02)``, ``HR@10 0.01 instead of at least 0.02``."""
    return f"{found} ({asked})" if passed else f"{found} instead of {asked}"


def abstain(rule: Rule, why: str) -> dict[str, Any]:
    """The rule without a verdict: its figure would rest on chance, or there is none."""
    return {**rule, "passed": None, "sentence": f"{rule['rule']} abstains: {why}"}


def failed(rules: Sequence[Rule]) -> list[str]:
    """The sentences of the rules that were not met."""
    return [rule["sentence"] for rule in rules if rule["passed"] is False]


def because(rules: Sequence[Rule]) -> str:
    """Why the verdict is what it is: what failed, or, where nothing did, all that was asked."""
    return "; ".join(dict.fromkeys(failed(rules) or [rule["sentence"] for rule in rules]))


def log_rules(rules: Sequence[Rule]) -> None:
    """Log one line a rule; one that was not met as a warning."""
    for rule in rules:
        facts = {name: rule[name] for name in ("rule", "of") if rule.get(name)}
        if rule["passed"] is False:
            log.warning(f"missed: {rule['sentence']}", **facts)
        else:
            log.info(f"met: {rule['sentence']}" if rule["passed"] else rule["sentence"], **facts)
