"""The rules of the gate on models: each a figure, a limit, and whether it was met.

A baseline asks for proof of worth: a model that does not reach its multiple of what popular songs or item-kNN
reach is refused, whatever the noise. The version that is live asks for proof of harm: no two trainings measure
the same, so a fall below it counts only where it is larger than the limit *and* the 95 % interval of the
paired difference excludes 0.

Of many slices one falls by chance, some day. So where n slices are looked at, the interval is widened to one of
1 - 0.05 / n (Bonferroni's correction; Dunn 1961, JASA 56), taken as normal, and healthy days stay healthy.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist

from song2vec.gates.verdict import abstain, worded
from song2vec.records import Compared, Difference, Metrics, Rule, Slice, Stability
from song2vec.settings import GateSettings

ENOUGH = 100
"""Of fewer songs than this the share of kept neighbours rests on chance."""

_FIRST = "no version is live yet"
_BASELINES = {"popularity": "popular songs", "item_knn": "item-kNN"}
_NORMAL = NormalDist()


def rules(metrics: Metrics, settings: GateSettings) -> list[Rule]:
    """Every rule: on all held-out playlists, then on the slices.

    Args:
        metrics: of the model; baselines, the live version, slices and stability may be missing.
        settings: the limits; a lower limit of 0 sets no rule.

    Returns:
        Rules named after the setting that gives the limit, `of` the slice (empty: all playlists).
    """
    what = f"nDCG@{metrics.protocol.top}"
    fewest_playlists = settings.min_slice_playlists
    judged = [part for part in metrics.slices if part.playlists >= fewest_playlists]
    every = [
        *_overall(metrics, settings, what),
        *(rule for part in judged for rule in _of_slice(part, settings, what, len(judged))),
        *(_too_few(part, fewest_playlists) for part in metrics.slices if part.playlists < fewest_playlists),
    ]
    return [rule for rule in every if rule.limit or rule.rule.startswith("max_")]


def fewest(metrics: Metrics, settings: GateSettings) -> Rule:
    """The rule on which all others rest: that there are enough held-out playlists."""
    playlists = metrics.playlists
    return _at_least("min_playlists", f"{_number(playlists)} held-out playlists", playlists, settings.min_playlists)


def _overall(metrics: Metrics, settings: GateSettings, what: str) -> list[Rule]:
    model, why = metrics.model, metrics.protocol.live or _FIRST
    return [
        _at_least("min_ndcg", f"{what} {_number(model.ndcg)}", model.ndcg, settings.min_ndcg),
        _at_least("min_hit_rate", f"HR@10 {_number(model.hit_rate)}", model.hit_rate, settings.min_hit_rate),
        _versus("min_vs_popularity", metrics, "popularity", settings.min_vs_popularity, what),
        _versus("min_vs_item_knn", metrics, "item_knn", settings.min_vs_item_knn, what),
        _fall("max_fall", metrics, settings.max_fall, metric="ndcg", what=what, why=why),
        _fall("max_coverage_fall", metrics, settings.max_coverage_fall, metric="coverage", what="coverage", why=why),
        _neighbours_kept(metrics.stability, settings.min_neighbours_kept),
    ]


def _of_slice(part: Slice, settings: GateSettings, what: str, looks: int) -> list[Rule]:
    of, model = f"{part.by} {part.name}", part.model
    rules = [
        _at_least("min_slice_ndcg", f"{what} {_number(model.ndcg)}", model.ndcg, settings.min_slice_ndcg),
        _versus("min_slice_vs_popularity", part, "popularity", settings.min_slice_vs_popularity, what),
    ]
    if part.live and part.live.ndcg is not None:
        rules.append(_fall("max_slice_fall", part, settings.max_slice_fall, metric="ndcg", what=what, looks=looks))
    where = part.sentence or of
    return [rule.model_copy(update={"of": of, "sentence": f"{where}: {rule.sentence}"}) for rule in rules]


def _too_few(part: Slice, limit: int) -> Rule:
    of, playlists = f"{part.by} {part.name}", part.playlists
    rule = _rule("min_slice_playlists", playlists, limit, playlists - limit, of=of)
    return abstain(rule, f"{part.sentence or of}: {playlists:,} are too few to be judged by")


def _versus(name: str, part: Compared, baseline: str, limit: float, what: str) -> Rule:
    """The rule that the model reaches `limit` times what the baseline reaches."""
    model, theirs, title = part.model.ndcg, getattr(getattr(part, baseline), "ndcg", None), _BASELINES[baseline]
    if theirs is None:
        return _without_figure(name, limit, f"{title}: not measured")
    if theirs <= 0:
        return _without_figure(name, limit, f"{title} found none of the hidden songs, so there is no ratio")
    ratio = math.nan if model is None else model / theirs
    return _at_least(name, f"{what} {_number(ratio)} times the {_number(theirs)} of {title}", ratio, limit)


def _fall(
    name: str, part: Compared, limit: float, *, metric: str, what: str, looks: int = 1, why: str = _FIRST
) -> Rule:
    """The rule that the model does not fall below the live version by more than `limit`, unless by chance.

    Where there is no live version to compare with, it abstains, as `why` says.
    """
    if not part.live:
        return _without_figure(name, limit, why.rstrip("."))
    model, before = getattr(part.model, metric), getattr(part.live, metric)
    if before is None or before <= 0:
        return _without_figure(name, limit, f"the live version has no {what} to fall from")
    fall = math.nan if model is None else 1 - model / before
    differences = part.differences.live
    chance, note = _chance(getattr(differences, metric, None), looks) if fall > limit else (False, "")
    passed = fall <= limit or chance
    apart = f"{_percent(abs(fall))} {'below' if fall > 0 else 'above'}" if fall else "as"
    figure = f"{what} {_number(model)} is {apart} the live version's {_number(before)}{note}"
    sentence = worded(figure, f"at most {_percent(limit)} below", passed=passed)
    return _rule(name, fall, limit, limit - fall, passed=passed, sentence=sentence, missed=_points(limit - fall))


def _chance(difference: Difference | None, looks: int) -> tuple[bool, str]:
    """Whether a fall below the live version may be chance, and how a sentence says so."""
    if not difference:
        return False, ""
    low, high = widened(difference.mean, difference.interval, looks)
    wider = f" (widened, as {looks} parts are looked at)" if looks > 1 else ""
    interval = f"as the difference is {low:.2g} to {high:.2g}{wider}"
    return (True, f", which may be chance, {interval}") if high >= 0 else (False, f", not by chance, {interval},")


def _neighbours_kept(stability: Stability | None, limit: float) -> Rule:
    name = "min_neighbours_kept"
    if not stability:
        return _without_figure(name, limit, _FIRST)
    kept = stability.neighbours_kept
    if kept is None or stability.sampled < ENOUGH:
        return _without_figure(name, limit, f"{stability.sampled:,} songs that both versions know are too few")
    passed = kept >= limit
    sentence = worded(f"neighbours kept {_percent(kept)}", f"at least {_percent(limit)}", passed=passed)
    return _rule(name, kept, limit, kept - limit, passed=passed, sentence=sentence, missed=_points(kept - limit))


def widened(mean: float, interval: Sequence[float], looks: int) -> tuple[float, float]:
    """A 95 % interval as one of 1 - 0.05 / `looks`, so that `looks` of them hold together with 95 %."""
    factor = _NORMAL.inv_cdf(1 - 0.025 / looks) / _NORMAL.inv_cdf(0.975)
    low, high = interval
    return mean - (mean - low) * factor, mean + (high - mean) * factor


def _at_least(name: str, words: str, figure: float | None, limit: float) -> Rule:
    value = math.nan if figure is None else figure
    passed = value >= limit  # false for NaN too
    sentence = worded(words, f"at least {_number(limit)}", passed=passed)
    missed = _number(abs(value - limit))
    return _rule(name, value, limit, value - limit, passed=passed, sentence=sentence, missed=missed)


def _rule(
    name: str,
    figure: float,
    limit: float,
    margin: float,
    *,
    of: str = "",
    passed: bool = True,
    sentence: str = "",
    missed: str = "",
) -> Rule:
    words = sentence if passed or math.isnan(figure) else f"{sentence}, missed by {missed}"
    return Rule(rule=name, of=of, figure=figure, limit=limit, margin=margin, passed=passed, sentence=words)


def _without_figure(name: str, limit: float, why: str) -> Rule:
    return abstain(_rule(name, math.nan, limit, math.nan), why)


def _number(value: float | None) -> str:
    if value is None or not math.isfinite(value):
        return "not a number"
    return f"{value:,}" if isinstance(value, int) else f"{value:.3g}"


def _points(share: float) -> str:
    """A difference of two shares, in percentage points."""
    return f"{100 * abs(share):.3g} points"


def _percent(share: float) -> str:
    return f"{100 * share:.3g}%"
