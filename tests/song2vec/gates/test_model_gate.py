import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from song2vec.gates.model_gate import decide, gate, may_promote
from song2vec.gates.model_rules import widened
from song2vec.records import Decision, Metrics, Rule
from song2vec.settings import GateSettings

SETTINGS = GateSettings(min_ndcg=0.1, min_hit_rate=0.2, min_vs_popularity=1.5, min_playlists=50)


def metrics(
    ndcg: float | None = 0.3, hit_rate: float = 0.5, popularity: float = 0.1, playlists: int = 100, **more: Any
) -> Metrics:
    return Metrics.model_validate(
        {
            "protocol": {"top": 100},
            "playlists": playlists,
            "model": {"ndcg": ndcg, "hit_rate": hit_rate, "coverage": 0.4},
            "popularity": {"ndcg": popularity},
            **more,
        }
    )


def beside(live: float, interval: tuple[float, float] | None = None, coverage: float = 0.4) -> dict[str, Any]:
    """What `metrics` of nDCG 0.3 gain by a live version; `interval`: of the paired difference."""
    found: dict[str, Any] = {"live": {"ndcg": live, "coverage": coverage}, "live_version": "the old one"}
    if interval:
        found["differences"] = {"live": {"ndcg": {"mean": sum(interval) / 2, "interval": tuple(interval)}}}
    return found


def piece(ndcg: float, live: float, interval: tuple[float, float], playlists: int = 80) -> dict[str, Any]:
    """A slice."""
    return {
        "by": "playlist length",
        "name": "short",
        "sentence": "up to 9 songs",
        "playlists": playlists,
        "model": {"ndcg": ndcg},
        "popularity": {"ndcg": 0.1},
        **beside(live, interval),
    }


def moved(kept: float, sampled: int) -> dict[str, Any]:
    return {"at": 10, "sampled": sampled, "neighbours_kept": kept, "songs_new": 0, "songs_gone": 0}


def verdicts(decision: Decision) -> dict[str, bool | None]:
    return {rule.rule: rule.passed for rule in decision.rules}


def named(decision: Decision, name: str) -> Rule:
    (found,) = [rule for rule in decision.rules if rule.rule == name]
    return found


def refused_by(decision: Decision) -> list[str]:
    return [name for name, passed in verdicts(decision).items() if passed is False]


def test_a_good_first_model_is_accepted_with_the_figures_that_speak_for_it() -> None:
    decision = decide(metrics(item_knn={"ndcg": 0.25}), SETTINGS)

    assert decision.accepted is True
    assert decision.sentence == (
        "Accepted: 100 held-out playlists (at least 50); nDCG@100 0.3 (at least 0.1); HR@10 0.5 (at least 0.2); "
        "nDCG@100 3 times the 0.1 of popular songs (at least 1.5); nDCG@100 1.2 times the 0.25 of item-kNN "
        "(at least 0.7); 3 rules abstained."
    )
    abstained = [rule.sentence for rule in decision.rules if rule.passed is None]
    assert abstained == [
        f"{name} abstains: no version is live yet" for name in ("max_fall", "max_coverage_fall", "min_neighbours_kept")
    ]


def test_a_live_version_that_cannot_be_compared_abstains_with_the_reason_of_the_evaluation() -> None:
    measured = metrics(protocol={"top": 100, "live": "It saw too many of the playlists."})

    said = named(decide(measured, SETTINGS), "max_fall").sentence

    assert said == "max_fall abstains: It saw too many of the playlists"


@pytest.mark.parametrize(
    ("figures", "rule", "words", "margin"),
    [
        (
            {"ndcg": 0.09, "popularity": 0.01},
            "min_ndcg",
            "nDCG@100 0.09 instead of at least 0.1, missed by 0.01",
            -0.01,
        ),
        ({"hit_rate": 0.1}, "min_hit_rate", "HR@10 0.1 instead of at least 0.2, missed by 0.1", -0.1),
        (
            {"popularity": 0.25},
            "min_vs_popularity",
            "nDCG@100 1.2 times the 0.25 of popular songs instead of at least 1.5, missed by 0.3",
            -0.3,
        ),
        (
            {"item_knn": {"ndcg": 0.6}},
            "min_vs_item_knn",
            "nDCG@100 0.5 times the 0.6 of item-kNN instead of at least 0.7, missed by 0.2",
            -0.2,
        ),
        (
            beside(0.4, (-0.15, -0.05)),
            "max_fall",
            "nDCG@100 0.3 is 25% below the live version's 0.4, not by chance, as the difference is -0.15 to -0.05, "
            "instead of at most 5% below, missed by 20 points",
            -0.2,
        ),
        (
            beside(0.3, coverage=0.9),
            "max_coverage_fall",
            "coverage 0.4 is 55.6% below the live version's 0.9 instead of at most 50% below, missed by 5.56 points",
            -0.0556,
        ),
        (
            {"stability": moved(0.01, 1000)},
            "min_neighbours_kept",
            "neighbours kept 1% instead of at least 10%, missed by 9 points",
            -0.09,
        ),
        (
            {"slices": (piece(0.1, 0.2, (-0.15, -0.05)),)},
            "max_slice_fall",
            "up to 9 songs: nDCG@100 0.1 is 50% below the live version's 0.2, not by chance, "
            "as the difference is -0.15 to -0.05, instead of at most 20% below, missed by 30 points",
            -0.3,
        ),
    ],
)
def test_a_refusal_names_the_rule_the_figure_the_limit_and_by_how_much(
    figures: dict[str, Any], rule: str, words: str, margin: float
) -> None:
    decision = decide(metrics(**figures), SETTINGS)

    assert decision.accepted is False
    assert refused_by(decision) == [rule]
    assert decision.sentence == f"Refused: {words}."  # the rules that passed are not named
    assert named(decision, rule).margin == pytest.approx(margin, abs=1e-4)


def test_a_figure_at_the_limit_passes() -> None:
    assert decide(metrics(ndcg=0.1, hit_rate=0.2, popularity=0.05, playlists=50), SETTINGS).accepted is True


@pytest.mark.parametrize(
    ("live", "interval", "accepted"),
    [
        (0.31, (-0.02, -0.001), True),  # 3 % below: not by chance, and within the limit
        (0.33, (-0.07, 0.01), True),  # 9 % below, and may be chance
        (0.33, (-0.05, -0.01), False),
        (0.33, None, False),  # no interval to excuse it
        (0.2, (0.05, 0.15), True),
    ],
)
def test_a_fall_counts_where_it_is_large_and_not_by_chance(
    live: float, interval: tuple[float, float] | None, accepted: bool
) -> None:
    decision = decide(metrics(**beside(live, interval)), SETTINGS)

    assert decision.accepted is accepted
    assert decision.live_version == "the old one"


def test_a_fall_that_may_be_chance_says_so() -> None:
    rule = named(decide(metrics(**beside(0.33, (-0.07, 0.01))), SETTINGS), "max_fall")

    assert rule.passed is True
    assert ", which may be chance, as the difference is -0.07 to 0.01 (at most 5% below)" in rule.sentence


def test_of_many_slices_one_may_fall_by_chance() -> None:
    fallen, fine = piece(0.2, 0.3, (-0.199, -0.001)), piece(0.3, 0.3, (-0.1, 0.1))

    assert decide(metrics(slices=(fallen,)), SETTINGS).accepted is False
    assert decide(metrics(slices=(fallen, *[fine] * 8)), SETTINGS).accepted is True


def test_a_slice_with_too_few_playlists_abstains_and_says_so() -> None:
    decision = decide(metrics(slices=(piece(0.1, 0.2, (-0.15, -0.05), playlists=49),)), SETTINGS)

    assert decision.accepted is True
    rule = named(decision, "min_slice_playlists")
    assert (rule.passed, rule.of, rule.figure, rule.limit) == (None, "playlist length short", 49, 50)
    assert "up to 9 songs: 49 are too few" in rule.sentence


def test_absolute_limits_and_baselines_hold_for_slices_where_asked() -> None:
    asked = GateSettings(min_slice_ndcg=0.35, min_slice_vs_popularity=3.5)
    measured = metrics(slices=(piece(0.3, 0.3, (-0.1, 0.1)),))

    assert refused_by(decide(measured, asked)) == ["min_slice_ndcg", "min_slice_vs_popularity"]
    assert "min_slice_ndcg" not in verdicts(decide(measured, GateSettings()))


def test_stability_of_a_few_songs_abstains() -> None:
    measured = metrics(stability=moved(0.0, 99))

    assert named(decide(measured, SETTINGS), "min_neighbours_kept").passed is None


def test_too_few_playlists_refuse_and_the_other_rules_abstain() -> None:
    decision = decide(metrics(playlists=49, **beside(0.9, (-0.7, -0.5))), SETTINGS)

    assert decision.accepted is False
    assert decision.sentence == "Refused: 49 held-out playlists instead of at least 50, missed by 1."
    passed = verdicts(decision)
    assert passed.pop("min_playlists") is False
    assert set(passed.values()) == {None}


def test_without_a_hit_by_popularity_the_ratio_abstains_and_says_so() -> None:
    rule = named(decide(metrics(popularity=0.0), SETTINGS), "min_vs_popularity")

    assert rule.passed is None
    assert "popular songs found none of the hidden songs" in rule.sentence


@pytest.mark.parametrize("ndcg", [math.nan, None])
def test_a_figure_that_is_not_a_number_is_refused_and_leaves_a_record_that_is_json(ndcg: float | None) -> None:
    decision = decide(metrics(ndcg=ndcg, **beside(0.3, (-0.1, 0.1))), SETTINGS)

    assert decision.accepted is False
    assert "nDCG@100 not a number instead of at least 0.1" in decision.sentence
    json.dumps(decision.to_json(), allow_nan=False)


@pytest.mark.parametrize(("good", "forced"), [(False, True), (True, False)])
def test_a_forced_model_stays_refused_and_the_reason_is_recorded(good: bool, forced: bool) -> None:
    settings = SETTINGS.model_copy(update={"force": " 설날: old songs only "})

    decision = decide(metrics(ndcg=0.3 if good else 0.09), settings)

    assert (decision.accepted, decision.forced, decision.force) == (good, forced, "설날: old songs only")
    assert may_promote(decision)
    assert decision.sentence.startswith("Refused, but forced (설날: old songs only): " if forced else "Accepted: ")


def test_blanks_are_no_reason() -> None:
    assert not may_promote(decide(metrics(ndcg=0.09), SETTINGS.model_copy(update={"force": "  "})))


@given(
    ndcg=st.floats(0, 1),
    hit_rate=st.floats(0, 1),
    popularity=st.floats(0, 1),
    playlists=st.integers(0, 200),
    live=st.none() | st.floats(0, 1),
    interval=st.tuples(st.floats(-1, 1), st.floats(-1, 1)).map(sorted),
)
def test_accepted_exactly_when_no_rule_failed_and_a_miss_has_a_margin_below_zero(
    *, ndcg: float, hit_rate: float, popularity: float, playlists: int, live: float | None, interval: Any
) -> None:
    more = {} if live is None else beside(live, interval)
    decision = decide(metrics(ndcg, hit_rate, popularity, playlists, **more), SETTINGS)

    assert decision.accepted == (False not in verdicts(decision).values()) == (not refused_by(decision))
    assert all(rule.margin is not None and rule.margin < 0 for rule in decision.rules if rule.passed is False)


@given(st.tuples(st.floats(-1, 1), st.floats(-1, 1)).map(sorted), st.integers(1, 100), st.floats(0, 1))
def test_an_interval_grows_with_the_number_of_looks(interval: Any, looks: int, place: float) -> None:
    mean = interval[0] + place * (interval[1] - interval[0])

    low, high = widened(mean, interval, looks)
    lower, higher = widened(mean, interval, looks + 1)

    assert widened(mean, interval, 1) == pytest.approx(tuple(interval))
    assert lower <= low + 1e-12
    assert higher >= high - 1e-12


def test_the_judge_writes_what_it_decides(tmp_path: Path) -> None:
    measured = tmp_path / "metrics.json"
    metrics().write(measured)

    decision = gate(measured, tmp_path / "gate", SETTINGS)

    assert decision == decide(metrics(), SETTINGS)
    assert json.loads((tmp_path / "gate" / "decision.json").read_text()) == decision.to_json()
