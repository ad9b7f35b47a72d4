"""May `production` point to this model? Rules with limits, and a verdict in plain words."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import structlog

from song2vec.config import GateSettings
from song2vec.files import read_json, write_json
from song2vec.verdict import abstain, because, failed, log_rules, worded

log = structlog.get_logger(__name__)


def judge(metrics: Path, out: Path, settings: GateSettings) -> dict[str, Any]:
    """Decide on the model that ``metrics.json`` measured, and write ``decision.json`` to the folder `out`."""
    decision = decide(read_json(metrics), settings)
    write_json(out / "decision.json", decision)
    log_rules(decision["rules"])
    log.info("accepted" if decision["accepted"] else "refused", why=decision["sentence"])
    return decision


def decide(metrics: Mapping[str, Any], settings: GateSettings) -> dict[str, Any]:
    """Decide whether a model with these `metrics` (as `evaluate` returns them) is good enough.

    With too few held-out playlists the model is refused, and the other rules abstain: their figures rest on chance.

    Returns:
        ``{"accepted", "sentence", "rules"}``; each rule is ``{"rule", "figure", "limit", "passed", "sentence"}``,
        where `passed` is None when the rule abstains.
    """
    playlists, model = metrics["playlists"], metrics["model"]
    top = metrics.get("protocol", {}).get("top", 100)
    enough = _rule("min_playlists", "held-out playlists", playlists, settings.min_playlists)
    rules = [
        _rule("min_ndcg", f"nDCG@{top}", model["ndcg"], settings.min_ndcg),
        _rule("min_hit_rate", "HR@10", model["hit_rate"], settings.min_hit_rate),
        _versus_popularity(f"nDCG@{top}", model["ndcg"], metrics["popularity"]["ndcg"], settings.min_vs_popularity),
    ]
    if not enough["passed"]:
        rules = [abstain(rule, f"{playlists} held-out playlists are too few") for rule in rules]
    rules = [enough, *rules]
    accepted = not failed(rules)
    verdict = "Accepted" if accepted else "Refused"
    return {"accepted": accepted, "sentence": f"{verdict}: {because(rules)}.", "rules": rules}


def _rule(name: str, what: str, figure: float, limit: float) -> dict[str, Any]:
    passed = figure >= limit  # false for NaN too
    sentence = worded(f"{what} {_number(figure)}", f"at least {_number(limit)}", passed=passed)
    return {"rule": name, "figure": figure, "limit": limit, "passed": passed, "sentence": sentence}


def _versus_popularity(what: str, model: float, popularity: float, limit: float) -> dict[str, Any]:
    if popularity <= 0:
        rule = _rule("min_vs_popularity", "", 0.0, limit)
        return abstain({**rule, "figure": None}, "recommending popular songs found none, so there is no ratio")
    return _rule("min_vs_popularity", f"{what} over popularity's", model / popularity, limit)


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.3g}"
