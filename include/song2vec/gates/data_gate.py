"""May a model be trained on this data? Rules with limits, and a verdict in plain words."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import structlog

from song2vec.errors import RefusedError
from song2vec.gates.verdict import abstain, because, failed, log_rules, worded
from song2vec.playlists import changes
from song2vec.playlists.changes import DataIndex
from song2vec.plumbing.files import read_json, whole_folder, write_json
from song2vec.settings import DataSettings, Settings
from song2vec.versions import LiveData

log = structlog.get_logger(__name__)

NAME = "data_decision.json"
ENOUGH = 100
"""Of fewer rows than this a share, of fewer playlists or rows a factor, rests on chance: such a rule abstains."""


def check_data(prepared: Path, out: Path, live: LiveData | None, settings: Settings) -> dict[str, Any]:
    """Decide on the data that `prepare` wrote, and say what changed since the version that is live.

    Args:
        prepared: folder with ``playlists.parquet`` and ``funnel.json``.
        out: folder to write, whole: ``data_decision.json``, and ``data_index.npz`` for the next run.
        live: the data of the live version; None while there is none.
        settings: the section ``data``.

    Returns:
        What ``data_decision.json`` holds: what `decide` returns, and ``{"since", "changes"}``: the version that
        is live and what `changes.compare` counted; None where there is none, or none with an index.
    """
    funnel = read_json(prepared / "funnel.json")
    index = DataIndex.of(prepared / "playlists.parquet")
    found = changes.compare(live.index, index) if live and live.index else None
    decision = decide(funnel, live, settings.data) | {"since": live.version if live else None, "changes": found}
    with whole_folder(out) as folder:
        index.write(folder / changes.NAME)
        write_json(folder / NAME, decision)
    _log(decision)
    return decision


def decide(funnel: Mapping[str, Any], live: LiveData | None, settings: DataSettings) -> dict[str, Any]:
    """Decide whether data with this `funnel` (as ``funnel.json`` holds it) may be trained on.

    Args:
        funnel: what became of the rows.
        live: the version that is live; None: there is none, and the rules that compare with it abstain.
        settings: the limits; with `override`, what they refuse is accepted all the same.

    Returns:
        ``{"accepted", "overridden", "override", "sentence", "rules"}``; each rule is ``{"rule", "of", "figure",
        "limit", "passed", "sentence"}``, where `passed` is None when the rule abstains. `overridden` is true
        when `override`, the reason, changed the verdict.
    """
    rules = [
        _fewest("min_playlists", "playlists", funnel["playlists"], settings.min_playlists),
        _fewest("min_songs", "songs", funnel["songs"], settings.min_songs),
        *_shares(funnel, settings),
        *_factors("playlists", funnel["playlists"], live, settings),
        *_factors("rows", funnel["rows"], live, settings),
    ]
    refused = bool(failed(rules))
    override = settings.override.strip()
    overridden = bool(refused and override)
    verdict = f"Accepted all the same ({override})" if overridden else "Refused" if refused else "Accepted"
    return {
        "accepted": overridden or not refused,
        "overridden": overridden,
        "override": override,
        "sentence": f"{verdict}: {because(rules)}.",
        "rules": rules,
    }


def insist(decision: Mapping[str, Any]) -> None:
    """Stop here if the data was refused.

    Raises:
        RefusedError: it was; the message names the rules, the figures and the limits.
    """
    if not decision["accepted"]:
        raise RefusedError(
            f"the data must not be trained on. {decision['sentence']} The funnel and `song2vec quarantine` show what "
            "was left out. If the data is right, run once more with data.override = the reason, or change the limit."
        )


def _fewest(rule: str, what: str, figure: int, limit: int) -> dict[str, Any]:
    passed = figure >= limit
    return _rule(rule, what, figure, limit, passed=passed, found=f"{figure:,} {what}", asked=f"at least {limit:,}")


def _shares(funnel: Mapping[str, Any], settings: DataSettings) -> list[dict[str, Any]]:
    total = funnel["raw_rows"]
    usable = funnel["rows"] / max(total, 1)
    worst = max(funnel["rules"], key=lambda rule: rule["rows_left_out"])
    left = worst["rows_left_out"] / max(total, 1)
    low, high = settings.min_usable_share, settings.max_quarantined_share
    rules = [
        _rule(
            "min_usable_share",
            "rows",
            usable,
            low,
            passed=usable >= low,
            found=f"{_percent(usable)} of the rows are usable",
            asked=f"at least {_percent(low)}",
        ),
        _rule(
            "max_quarantined_share",
            "rows",
            left,
            high,
            passed=left <= high,
            found=f"{worst['rule']} left out {_percent(left)} of the rows" if left else "no row was left out",
            asked=f"at most {_percent(high)}",
        ),
    ]
    return rules if total >= ENOUGH else [abstain(rule, f"{total:,} rows are too few") for rule in rules]


def _factors(what: str, now: int, live: LiveData | None, settings: DataSettings) -> list[dict[str, Any]]:
    """The rules that compare with the version that is live; the figure is how many times as many there are."""
    drop, jump = 1 / settings.max_drop, settings.max_jump
    before = live.funnel.get(what) if live else None
    if live is None or not isinstance(before, int) or before < ENOUGH:
        why = _nothing_to_compare(what, before, live)
        rules = {"max_drop": drop, "max_jump": jump}
        return [abstain({"rule": rule, "of": what, "figure": None, "limit": rules[rule]}, why) for rule in rules]
    fewest, most = before / settings.max_drop, before * jump
    found = f"{now:,} {what} after {before:,} in {live.version}"
    return [
        _rule("max_drop", what, now / before, drop, passed=now >= fewest, found=found, asked=f"at least {fewest:,.0f}"),
        _rule("max_jump", what, now / before, jump, passed=now <= most, found=found, asked=f"at most {most:,.0f}"),
    ]


def _nothing_to_compare(what: str, before: Any, live: LiveData | None) -> str:
    if live is None:
        return "no version is live yet"
    if not isinstance(before, int):
        return f"{live.version} does not say how many {what} it had"
    return f"{before:,} {what} in {live.version} are too few"


def _rule(rule: str, what: str, figure: float, limit: float, *, passed: bool, found: str, asked: str) -> dict[str, Any]:
    sentence = worded(found, asked, passed=passed)
    return {"rule": rule, "of": what, "figure": figure, "limit": limit, "passed": passed, "sentence": sentence}


def _percent(share: float) -> str:
    return f"{100 * share:.3g}%"


def _log(decision: Mapping[str, Any]) -> None:
    log_rules(decision["rules"])
    if decision["changes"]:
        log.info(f"since {decision['since']}: {changes.in_words(decision['changes'])}")
    log.info("the data is accepted" if decision["accepted"] else "the data is refused", why=decision["sentence"])
