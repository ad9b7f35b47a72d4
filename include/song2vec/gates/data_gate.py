"""May a model be trained on this data? Rules with limits, and a verdict in plain words."""

from pathlib import Path

import structlog

from song2vec.errors import RefusedError
from song2vec.gates.verdict import abstain, because, failed, log_rules, worded
from song2vec.playlists import changes
from song2vec.playlists.changes import DataIndex
from song2vec.plumbing.files import whole_folder
from song2vec.records import DataDecision, Funnel, Rule
from song2vec.settings import CheckDataSettings, Settings
from song2vec.versions import LiveData

log = structlog.get_logger(__name__)

ENOUGH = 100
"""Of fewer rows than this a share, of fewer playlists or rows a factor, rests on chance: such a rule abstains."""


def check_data(prepared: Path, out: Path, live: LiveData | None, settings: Settings) -> DataDecision:
    """Decide on the data that `prepare` wrote, and say what changed since the version that is live.

    Args:
        prepared: folder with ``playlists.parquet`` and ``funnel.json``.
        out: folder to write, whole: ``check_data.json``, and ``data_index.npz`` for the next run.
        live: the data of the live version; None while there is none.
        settings: the section ``check_data``.

    Returns:
        What `decide` decides, and what changed since the live version.
    """
    funnel = Funnel.read(prepared / Funnel.FILE)
    index = DataIndex.of(prepared / "playlists.parquet")
    changed = changes.compare(live.index, index) if live and live.index else None
    decision = decide(funnel, live, settings.check_data).model_copy(update={"changes": changed})
    with whole_folder(out) as folder:
        index.write(folder / changes.NAME)
        decision.write(folder / DataDecision.FILE)
    _log(decision)
    return decision


def decide(funnel: Funnel, live: LiveData | None, settings: CheckDataSettings) -> DataDecision:
    """Decide whether data with this `funnel` may be trained on.

    Args:
        funnel: what became of the rows.
        live: the version that is live; None: there is none, and the rules that compare with it abstain.
        settings: the limits; with `override`, what they refuse is accepted all the same.
    """
    rules = [
        _fewest("min_playlists", "playlists", funnel.playlists, settings.min_playlists),
        _fewest("min_songs", "songs", funnel.songs, settings.min_songs),
        *_shares(funnel, settings),
        *_factors("playlists", funnel.playlists, live, settings),
        *_factors("rows", funnel.rows, live, settings),
    ]
    refused = bool(failed(rules))
    override = settings.override.strip()
    overridden = bool(refused and override)
    verdict = f"Accepted all the same ({override})" if overridden else "Refused" if refused else "Accepted"
    return DataDecision(
        accepted=overridden or not refused,
        overridden=overridden,
        override=override,
        sentence=f"{verdict}: {because(rules)}.",
        rules=tuple(rules),
        live_version=live.version if live else None,
    )


def insist(decision: DataDecision) -> None:
    """Stop here if the data was refused.

    Raises:
        RefusedError: it was; the message names the rules, the figures and the limits.
    """
    if not decision.accepted:
        raise RefusedError(
            f"the data must not be trained on. {decision.sentence} The funnel and `song2vec quarantine` show what "
            "was left out. If the data is right, run once more with check_data.override = the reason, or change "
            "the limit."
        )


def _fewest(rule: str, what: str, figure: int, limit: int) -> Rule:
    words = f"{figure:,} {what}", f"at least {limit:,}"
    return _rule(rule, what, figure, limit, passed=figure >= limit, words=words)


def _shares(funnel: Funnel, settings: CheckDataSettings) -> list[Rule]:
    total = funnel.raw_rows
    usable = funnel.rows / max(total, 1)
    worst = max(funnel.rules, key=lambda rule: rule.rows_left_out)
    left = worst.rows_left_out / max(total, 1)
    most = f"{worst.rule} left out {_percent(left)} of the rows" if left else "no row was left out"
    low, high = settings.min_usable_share, settings.max_quarantined_share
    rules = [
        _rule(
            "min_usable_share",
            "rows",
            usable,
            low,
            passed=usable >= low,
            words=(f"{_percent(usable)} of the rows are usable", f"at least {_percent(low)}"),
        ),
        _rule(
            "max_quarantined_share",
            "rows",
            left,
            high,
            passed=left <= high,
            words=(most, f"at most {_percent(high)}"),
        ),
    ]
    return rules if total >= ENOUGH else [abstain(rule, f"{total:,} rows are too few") for rule in rules]


def _factors(what: str, now: int, live: LiveData | None, settings: CheckDataSettings) -> list[Rule]:
    """The rules that compare with the version that is live; the figure is how many times as many there are."""
    drop, jump = 1 / settings.max_drop, settings.max_jump
    before = getattr(live.funnel, what) if live and live.funnel else None
    if live is None or before is None or before < ENOUGH:
        why = _nothing_to_compare(what, before, live)
        limits = {"max_drop": drop, "max_jump": jump}
        return [abstain(Rule(rule=rule, of=what, figure=None, limit=limit), why) for rule, limit in limits.items()]
    fewest, most = before / settings.max_drop, before * jump
    words = f"{now:,} {what} after {before:,} in {live.version}"
    return [
        _rule("max_drop", what, now / before, drop, passed=now >= fewest, words=(words, f"at least {fewest:,.0f}")),
        _rule("max_jump", what, now / before, jump, passed=now <= most, words=(words, f"at most {most:,.0f}")),
    ]


def _nothing_to_compare(what: str, before: int | None, live: LiveData | None) -> str:
    if live is None:
        return "no version is live yet"
    if before is None:
        return f"{live.version} does not say how many {what} it had"
    return f"{before:,} {what} in {live.version} are too few"


def _rule(rule: str, what: str, figure: float, limit: float, *, passed: bool, words: tuple[str, str]) -> Rule:
    """The rule; `words`: what was measured, and what it is held against."""
    sentence = worded(*words, passed=passed)
    return Rule(rule=rule, of=what, figure=figure, limit=limit, passed=passed, sentence=sentence)


def _percent(share: float) -> str:
    return f"{100 * share:.3g}%"


def _log(decision: DataDecision) -> None:
    log_rules(decision.rules)
    if decision.changes:
        log.info(f"since {decision.live_version}: {changes.in_words(decision.changes)}")
    log.info("the data is accepted" if decision.accepted else "the data is refused", why=decision.sentence)
