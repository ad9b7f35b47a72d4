"""What the page of one version shows, worked out of its manifest and its records."""

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from song2vec.playlists.rules import RULES
from song2vec.records import DataDecision, Decision, Epoch, Funnel, FunnelRule, Records, Rule
from song2vec_client.format.records import Manifest, Move, Pointer
from song2vec_ui.charts import LineChart, line_chart
from song2vec_ui.quality import Quality, quality
from song2vec_ui.words import NOTHING, cut

MOST_RULES = 500
_LONGEST_VALUE, _MOST_SETTINGS = 200, 200
_HIGHEST = 1e15  # a loss above it is drawn there


@dataclass(frozen=True)
class ShownRules:
    """The rules of a gate, and how many there are besides."""

    rules: tuple[Rule, ...]
    more: int


@dataclass(frozen=True)
class FunnelBar:
    """A rule of the funnel; `kept` and `left` are percents of the rows that went into the first rule."""

    rule: FunnelRule
    meaning: str
    kept: float
    left: float


@dataclass(frozen=True)
class LossChart:
    """The loss of each epoch, as a line and in a few figures."""

    line: LineChart
    epochs: int
    first: float
    last: float
    words_per_second: int | None


@dataclass(frozen=True)
class SettingsGroup:
    """The settings of one section, as text."""

    name: str
    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class VersionPage:
    """Everything about one version; `problems`: why records of its are not shown."""

    manifest: Manifest
    records: Records
    problems: tuple[str, ...]
    live: tuple[Pointer, ...]
    moves: tuple[Move, ...]  # to this version or away from it, newest first
    gate_rules: ShownRules
    data_rules: ShownRules
    quality: Quality | None
    funnel: tuple[FunnelBar, ...]
    loss: LossChart | None
    settings: tuple[SettingsGroup, ...]


def version_page(
    manifest: Manifest,
    records: Records,
    live: tuple[Pointer, ...],
    moves: Sequence[Move],
    problems: tuple[str, ...] = (),
) -> VersionPage:
    """Work out the page of the version that `manifest` describes and the pointers `live` name; `moves`: the latest."""
    return VersionPage(
        manifest=manifest,
        records=records,
        problems=problems,
        live=live,
        moves=tuple(move for move in moves if manifest.version in (move.version, move.previous)),
        gate_rules=shown_rules(records.decision),
        data_rules=shown_rules(records.data_decision),
        quality=quality(records.metrics) if records.metrics else None,
        funnel=funnel_bars(records.funnel) if records.funnel else (),
        loss=loss_chart(records.training.epochs) if records.training else None,
        settings=settings_groups(manifest.settings),
    )


def shown_rules(decision: Decision | DataDecision | None) -> ShownRules:
    """The rules in their order; where they are too many, those that were missed before the others."""
    rules = decision.rules if decision else ()
    if len(rules) <= MOST_RULES:
        return ShownRules(rules, 0)
    missed_first = sorted(rules, key=lambda rule: rule.passed is not False)
    return ShownRules(tuple(missed_first[:MOST_RULES]), len(rules) - MOST_RULES)


def funnel_bars(funnel: Funnel) -> tuple[FunnelBar, ...]:
    """A bar a rule: what it kept and what it left out, of the rows that went into the first rule."""
    whole = max((rule.rows_in for rule in funnel.rules), default=0) or 1

    def percent(rows: int) -> float:
        return round(min(rows / whole, 1.0) * 100, 2)

    return tuple(
        FunnelBar(rule, RULES.get(rule.rule, ""), kept=percent(rule.rows_out), left=percent(rule.rows_left_out))
        for rule in funnel.rules[:MOST_RULES]
    )


def loss_chart(epochs: Sequence[Epoch]) -> LossChart | None:
    """The loss as a line; None where no epoch recorded one."""
    points = [(float(epoch.epoch), epoch.loss) for epoch in epochs if epoch.loss is not None]
    line = line_chart(sorted((epoch, min(max(loss, -_HIGHEST), _HIGHEST)) for epoch, loss in points))
    if line is None:
        return None
    rates = [epoch.words_per_second for epoch in epochs if epoch.words_per_second is not None]
    return LossChart(
        line=line,
        epochs=len(epochs),
        first=points[0][1],
        last=points[-1][1],
        words_per_second=round(statistics.median(rates)) if rates else None,
    )


def settings_groups(settings: Mapping[str, Any]) -> tuple[SettingsGroup, ...]:
    """The settings by section, each value as text; very long values are cut."""
    return tuple(
        SettingsGroup(
            str(name), tuple((str(key), _text(value)) for key, value in islice(section.items(), _MOST_SETTINGS))
        )
        for name, section in islice(settings.items(), _MOST_SETTINGS)
        if isinstance(section, Mapping)
    )


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return cut(text, _LONGEST_VALUE) if text else NOTHING
