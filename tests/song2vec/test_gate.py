import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from song2vec.config import GateSettings
from song2vec.gate import decide, judge

SETTINGS = GateSettings(min_ndcg=0.1, min_hit_rate=0.2, min_vs_popularity=1.5, min_playlists=50)


def metrics(ndcg: float = 0.3, hit_rate: float = 0.5, popularity: float = 0.1, playlists: int = 100) -> dict[str, Any]:
    return {
        "protocol": {"top": 100},
        "playlists": playlists,
        "model": {"ndcg": ndcg, "hit_rate": hit_rate},
        "popularity": {"ndcg": popularity},
    }


def verdicts(decision: dict[str, Any]) -> dict[str, bool | None]:
    return {rule["rule"]: rule["passed"] for rule in decision["rules"]}


def test_a_good_model_is_accepted_with_the_figures_that_speak_for_it() -> None:
    decision = decide(metrics(), SETTINGS)
    assert decision["accepted"] is True
    assert set(verdicts(decision).values()) == {True}
    assert decision["sentence"].startswith("Accepted: ")
    assert "nDCG@100 0.3 (at least 0.1)" in decision["sentence"]


@pytest.mark.parametrize(
    ("figures", "rule", "words"),
    [
        ({"ndcg": 0.09, "popularity": 0.01}, "min_ndcg", "nDCG@100 0.09 instead of at least 0.1"),
        ({"hit_rate": 0.1}, "min_hit_rate", "HR@10 0.1 instead of at least 0.2"),
        ({"popularity": 0.25}, "min_vs_popularity", "over popularity's 1.2 instead of at least 1.5"),
    ],
)
def test_a_refusal_names_the_rule_the_figure_and_the_limit(figures: dict[str, float], rule: str, words: str) -> None:
    decision = decide(metrics(**figures), SETTINGS)  # type: ignore[arg-type]
    assert decision["accepted"] is False
    assert [name for name, passed in verdicts(decision).items() if passed is False] == [rule]
    assert words in decision["sentence"]
    assert "(at least" not in decision["sentence"]  # the rules that passed are not named


def test_a_figure_at_the_limit_passes() -> None:
    assert decide(metrics(ndcg=0.1, hit_rate=0.2, popularity=0.05, playlists=50), SETTINGS)["accepted"] is True


def test_too_few_playlists_refuse_and_the_other_rules_abstain() -> None:
    decision = decide(metrics(playlists=49), SETTINGS)
    assert decision["accepted"] is False
    assert "held-out playlists 49 instead of at least 50" in decision["sentence"]
    passed = verdicts(decision)
    assert passed.pop("min_playlists") is False
    assert set(passed.values()) == {None}


def test_without_a_hit_by_popularity_the_ratio_abstains_and_says_so() -> None:
    decision = decide(metrics(popularity=0.0), SETTINGS)
    assert decision["accepted"] is True
    assert verdicts(decision)["min_vs_popularity"] is None
    assert "min_vs_popularity abstains" in decision["sentence"]


def test_a_figure_that_is_not_a_number_is_refused() -> None:
    assert decide(metrics(ndcg=float("nan")), SETTINGS)["accepted"] is False


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.integers(0, 200))
def test_accepted_exactly_when_no_rule_failed(ndcg: float, hit_rate: float, popularity: float, playlists: int) -> None:
    decision = decide(metrics(ndcg, hit_rate, popularity, playlists), SETTINGS)
    assert decision["accepted"] == (False not in verdicts(decision).values())


def test_the_judge_writes_what_it_decides(tmp_path: Path) -> None:
    measured = tmp_path / "metrics.json"
    measured.write_text(json.dumps(metrics()))
    decision = judge(measured, tmp_path / "gate", SETTINGS)
    assert decision == decide(metrics(), SETTINGS)
    assert json.loads((tmp_path / "gate" / "decision.json").read_text()) == decision
