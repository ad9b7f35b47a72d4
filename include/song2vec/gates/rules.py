"""The rules of the gate on models: each a figure, a limit, and whether it was met.

A baseline asks for proof of worth: a model that does not reach its multiple of what popular songs or item-kNN
reach is refused, whatever the noise. The version that is live asks for proof of harm: no two trainings measure
the same, so a fall below it counts only where it is larger than the limit *and* the 95 % interval of the
paired difference excludes 0.

Of many slices one falls by chance, some day. So where n slices are looked at, the interval is widened to one of
1 - 0.05 / n (Bonferroni's correction; Dunn 1961, JASA 56), taken as normal, and healthy days stay healthy.
"""

import math
from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import Any

from song2vec.gates.verdict import Rule, abstain, worded
from song2vec.settings import GateSettings

Part = Mapping[str, Any]
"""``metrics.json``, or one of its slices: figures by recommender, and differences."""
ENOUGH = 100
"""Of fewer songs than this the share of kept neighbours rests on chance."""

_BASELINES = {"popularity": "popular songs", "item_knn": "item-kNN"}
_NORMAL = NormalDist()


def rules(metrics: Part, settings: GateSettings) -> list[Rule]:
    """Every rule that is asked: on all held-out playlists, then on the slices.

    Args:
        metrics: what ``metrics.json`` holds; baselines, the live version, slices and stability may be missing.
        settings: the limits; a lower limit of 0 is not asked.

    Returns:
        ``{"rule", "of", "figure", "limit", "margin", "passed", "sentence"}`` each: the setting that gives the
        limit, the slice (empty: all playlists), what was measured, how far it lies on the good side of the limit
        (negative: by how much it was missed); `passed` is None where the rule abstains.
    """
    what = f"nDCG@{metrics.get('protocol', {}).get('top', 100)}"
    slices = list(metrics.get("slices", ()))
    judged = [part for part in slices if part["playlists"] >= settings.min_slice_playlists]
    found = [
        *_overall(metrics, settings, what),
        *(rule for part in judged for rule in _of_slice(part, settings, what, len(judged))),
        *(_too_few(part, settings) for part in slices if part not in judged),
    ]
    return [rule for rule in found if rule["limit"] or rule["rule"].startswith("max_")]


def fewest(metrics: Part, settings: GateSettings) -> Rule:
    """The rule on which all others rest: that there are enough held-out playlists."""
    playlists = metrics["playlists"]
    return _at_least("min_playlists", f"{_number(playlists)} held-out playlists", playlists, settings.min_playlists)


def _overall(metrics: Part, settings: GateSettings, what: str) -> list[Rule]:
    ndcg, hit_rate = _figure(metrics, "model", "ndcg"), _figure(metrics, "model", "hit_rate")
    return [
        _at_least("min_ndcg", f"{what} {_number(ndcg)}", ndcg, settings.min_ndcg),
        _at_least("min_hit_rate", f"HR@10 {_number(hit_rate)}", hit_rate, settings.min_hit_rate),
        _versus("min_vs_popularity", "popularity", metrics, settings.min_vs_popularity, what),
        _versus("min_vs_item_knn", "item_knn", metrics, settings.min_vs_item_knn, what),
        _fall("max_fall", metrics, settings.max_fall, metric="ndcg", what=what),
        _fall("max_coverage_fall", metrics, settings.max_coverage_fall, metric="coverage", what="coverage"),
        _neighbours_kept(metrics.get("stability"), settings.min_neighbours_kept),
    ]


def _of_slice(part: Part, settings: GateSettings, what: str, looks: int) -> list[Rule]:
    of, ndcg = f"{part['by']} {part['name']}", _figure(part, "model", "ndcg")
    found = [
        _at_least("min_slice_ndcg", f"{what} {_number(ndcg)}", ndcg, settings.min_slice_ndcg),
        _versus("min_slice_vs_popularity", "popularity", part, settings.min_slice_vs_popularity, what),
    ]
    if _figure(part, "live", "ndcg") is not None:
        found.append(_fall("max_slice_fall", part, settings.max_slice_fall, metric="ndcg", what=what, looks=looks))
    return [{**rule, "of": of, "sentence": f"{part.get('sentence') or of}: {rule['sentence']}"} for rule in found]


def _too_few(part: Part, settings: GateSettings) -> Rule:
    of, found = f"{part['by']} {part['name']}", part["playlists"]
    rule = _rule("min_slice_playlists", found, settings.min_slice_playlists, found - settings.min_slice_playlists)
    return abstain({**rule, "of": of}, f"{part.get('sentence') or of}: {found:,} are too few to be judged by")


def _versus(name: str, baseline: str, part: Part, limit: float, what: str) -> Rule:
    """The rule that the model reaches `limit` times what the baseline reaches."""
    model, theirs, title = _figure(part, "model", "ndcg"), _figure(part, baseline, "ndcg"), _BASELINES[baseline]
    if theirs is None:
        return _without_figure(name, limit, f"{title}: not measured")
    if theirs <= 0:
        return _without_figure(name, limit, f"{title} found none of the hidden songs, so there is no ratio")
    ratio = math.nan if model is None else model / theirs
    return _at_least(name, f"{what} {_number(ratio)} times the {_number(theirs)} of {title}", ratio, limit)


def _fall(name: str, part: Part, limit: float, *, metric: str, what: str, looks: int = 1) -> Rule:
    """The rule that the model does not fall below the live version by more than `limit`, unless by chance."""
    model, before = _figure(part, "model", metric), _figure(part, "live", metric)
    if not part.get("live"):
        why = part.get("protocol", {}).get("live", "no version is live yet")  # or it is live, and not comparable
        return _without_figure(name, limit, why.rstrip("."))
    if before is None or before <= 0:
        return _without_figure(name, limit, f"the live version has no {what} to fall from")
    fall = math.nan if model is None else 1 - model / before
    chance, note = _chance(part, metric, looks) if fall > limit else (False, "")
    passed = fall <= limit or chance
    apart = f"{_percent(abs(fall))} {'below' if fall > 0 else 'above'}" if fall else "as"
    found = f"{what} {_number(model)} is {apart} the live version's {_number(before)}{note}"
    sentence = worded(found, f"at most {_percent(limit)} below", passed=passed)
    return _rule(name, fall, limit, limit - fall, passed=passed, sentence=sentence, missed=_points(limit - fall))


def _chance(part: Part, metric: str, looks: int) -> tuple[bool, str]:
    """Whether a fall below the live version may be chance, and how a sentence says so."""
    difference = part.get("differences", {}).get("live", {}).get(metric)
    if not difference:
        return False, ""
    low, high = widened(difference["mean"], difference["interval"], looks)
    wider = f" (widened, as {looks} parts are looked at)" if looks > 1 else ""
    interval = f"as the difference is {low:.2g} to {high:.2g}{wider}"
    return (True, f", which may be chance, {interval}") if high >= 0 else (False, f", not by chance, {interval},")


def _neighbours_kept(stability: Part | None, limit: float) -> Rule:
    name = "min_neighbours_kept"
    if not stability:
        return _without_figure(name, limit, "no version is live yet")
    kept, sampled = stability.get("neighbours_kept"), stability.get("sampled", 0)
    if kept is None or sampled < ENOUGH:
        return _without_figure(name, limit, f"{sampled:,} songs that both versions know are too few")
    found = f"neighbours kept {_percent(kept)}"
    passed = kept >= limit
    sentence = worded(found, f"at least {_percent(limit)}", passed=passed)
    return _rule(name, kept, limit, kept - limit, passed=passed, sentence=sentence, missed=_points(kept - limit))


def widened(mean: float, interval: Sequence[float], looks: int) -> tuple[float, float]:
    """A 95 % interval as one of 1 - 0.05 / `looks`, so that `looks` of them hold together with 95 %."""
    factor = _NORMAL.inv_cdf(1 - 0.025 / looks) / _NORMAL.inv_cdf(0.975)
    low, high = interval
    return mean - (mean - low) * factor, mean + (high - mean) * factor


def _at_least(name: str, found: str, figure: float | None, limit: float) -> Rule:
    value = math.nan if figure is None else figure
    passed = value >= limit  # false for NaN too
    sentence = worded(found, f"at least {_number(limit)}", passed=passed)
    return _rule(
        name, value, limit, value - limit, passed=passed, sentence=sentence, missed=_number(abs(value - limit))
    )


def _rule(
    name: str, figure: float, limit: float, margin: float, *, passed: bool = True, sentence: str = "", missed: str = ""
) -> Rule:
    return {
        "rule": name,
        "of": "",
        "figure": _finite(figure),
        "limit": limit,
        "margin": _finite(margin),
        "passed": passed,
        "sentence": sentence if passed or math.isnan(figure) else f"{sentence}, missed by {missed}",
    }


def _without_figure(name: str, limit: float, why: str) -> Rule:
    return abstain(_rule(name, math.nan, limit, math.nan), why)


def _figure(part: Part, who: str, metric: str) -> float | None:
    return (part.get(who) or {}).get(metric)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _number(value: float | None) -> str:
    if value is None or not math.isfinite(value):
        return "not a number"
    return f"{value:,}" if isinstance(value, int) else f"{value:.3g}"


def _points(share: float) -> str:
    """A difference of two shares, in percentage points."""
    return f"{100 * abs(share):.3g} points"


def _percent(share: float) -> str:
    return f"{100 * share:.3g}%"
