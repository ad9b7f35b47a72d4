"""What a stage builds is what is read of it, whatever it holds; what is no record of ours is said to be none."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.song2vec.records import made

from song2vec.errors import DataError
from song2vec.gates.data_gate import decide as decide_on_data
from song2vec.gates.model_gate import decide
from song2vec.records import KINDS, DataDecision, Decision, Figures, Funnel, FunnelRule, Metrics, Records, Rule, Slice
from song2vec.settings import CheckDataSettings, GateSettings
from song2vec_client.format.layout import MAX_RECORD_BYTES
from song2vec_ui.quality import quality
from song2vec_ui.version_page import MOST_RULES, loss_chart, shown_rules

RULE = FunnelRule.of("bad_song", (3, 2), (1, 1)).to_json()
LARGE = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None)


@LARGE
@given(made.RECORDS)
def test_what_is_built_is_what_is_read_and_written_again_the_same(record):
    content = record.to_bytes()

    again = type(record).parse(content)

    assert again == record
    assert again.to_bytes() == content
    assert json.loads(content, parse_constant=pytest.fail) == record.to_json()


@LARGE
@given(made.RECORDS)
def test_a_field_of_a_later_release_is_passed_over(record):
    later = record.to_json() | {"of a later release": [1]}

    assert type(record).parse(json.dumps(later).encode()) == record


def test_a_file_is_written_whole_and_read(tmp_path):
    funnel = Funnel.of([9, 9, 9, 8, 8, 7, 4], [3, 3, 3, 3, 3, 2, 1])

    funnel.write(tmp_path / Funnel.FILE)

    assert Funnel.read(tmp_path / "funnel.json") == funnel
    assert [path.name for path in tmp_path.iterdir()] == ["funnel.json"]


@pytest.mark.parametrize("figure", [float("nan"), float("inf"), float("-inf")])
def test_what_is_worked_out_as_no_number_is_none_and_in_a_file_it_is_refused(figure):
    assert Metrics(model=Figures(ndcg=figure)).to_json() == {"model": {"ndcg": None}}
    assert Rule(rule="min_ndcg", figure=figure, limit=1).to_json() == {"rule": "min_ndcg", "figure": None, "limit": 1}
    with pytest.raises(DataError, match=r"model\.ndcg: Input should be a finite number"):
        Metrics.parse(json.dumps({"model": {"ndcg": figure}}).encode())


# The records of the worst models, and of the largest data


def test_the_verdict_on_a_model_that_misses_everything_in_thousands_of_slices_is_read_and_shown():
    worst, rival = Figures(ndcg=0.001, hit_rate=0.001), Figures(ndcg=0.2, hit_rate=0.3)
    parts = tuple(
        Slice(by="source", name=f"shop {n}", sentence=f"{n} " + "노래방 " * 99, playlists=99, model=worst, live=rival)
        for n in range(2_000)
    )
    metrics = Metrics(playlists=10**6, model=worst, live=rival, live_version="the one before", slices=parts)

    decision = decide(metrics, GateSettings())

    assert len(decision.sentence) > 500_000
    assert Decision.parse(decision.to_bytes()) == decision
    assert Metrics.parse(metrics.to_bytes()) == metrics
    shown = shown_rules(decision)
    assert len(shown.rules) == MOST_RULES
    assert shown.more == len(decision.rules) - MOST_RULES
    assert all(rule.passed is False for rule in shown.rules)
    page = quality(metrics)
    assert (len(page.parts), page.more) == (501, 1_500)


def test_the_longest_reason_is_read():
    data = CheckDataSettings(override="가" * 500)
    funnel = Funnel.of([0] * 7, [0] * 7)

    decision = decide_on_data(funnel, None, data)

    assert decision.overridden
    assert DataDecision.parse(decision.to_bytes()) == decision


def test_what_would_be_too_large_to_be_read_is_not_written(tmp_path):
    decision = Decision(accepted=True, sentence="x" * MAX_RECORD_BYTES)

    with pytest.raises(DataError, match="expected at most 16,777,216"):
        decision.write(tmp_path / Decision.FILE)
    assert list(tmp_path.iterdir()) == []


# Hostile files

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda values: (
        st.lists(values, max_size=3)
        | st.dictionaries(
            st.sampled_from(sorted({name for kind in KINDS for name in kind.model_fields} | {"ndcg", "mean"})),
            values,
            max_size=4,
        )
    ),
    max_leaves=10,
)


@given(st.sampled_from(KINDS), ANYTHING.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=20))
def test_anything_else_is_refused_in_words(kind, content):
    try:
        record = kind.parse(content)
    except DataError as error:
        assert 0 < len(str(error)) < 500  # noqa: PT017
    else:
        assert kind.parse(record.to_bytes()) == record


@pytest.mark.parametrize(
    "content", [b"", b"null", b"[" * 50_000, b'{"rules": ' * 10_000, b" " * (MAX_RECORD_BYTES + 1)]
)
def test_what_is_no_object_or_too_large_is_refused(content):
    for kind in KINDS:
        with pytest.raises(DataError):
            kind.parse(content)


@pytest.mark.parametrize(
    ("kind", "change", "words"),
    [
        (Funnel, {"rows": -1}, "rows: Input should be greater than or equal to 0"),
        (Funnel, {"rows": 2**63}, "rows: Input should be less than 9223372036854775808"),
        (Funnel, {"rows": True}, "rows: Input should be a valid integer"),
        (Funnel, {"rows": "7"}, "rows: Input should be a valid integer"),
        (
            Funnel,
            {"rules": [RULE] * 100_001},
            "rules: Tuple should have at most 100000 items",
        ),
        (Funnel, {"rules": [RULE | {"rows_out": 3}]}, "do not add up"),
    ],
)
def test_a_field_of_another_type_or_out_of_bounds_is_named(kind, change, words):
    good = kind.of([9] * 7, [3] * 7).to_json()

    with pytest.raises(DataError, match=words):
        kind.parse(json.dumps(good | change).encode())


def test_a_large_file_of_nonsense_is_refused_at_its_first_fault():
    with pytest.raises(DataError, match=r"rules\.0\.rule: Field required"):
        Funnel.parse(b'{"rules": [' + b"{}," * 500_000 + b"{}]}")


def test_a_file_of_a_stage_that_is_damaged_is_named_and_so_is_what_to_do(tmp_path):
    (tmp_path / "metrics.json").write_text('{"model": 3}')

    with pytest.raises(DataError, match=r"metrics\.json is no metrics\.json: model: .*Run the stage .* again"):
        Metrics.read(tmp_path / "metrics.json")


@LARGE
@given(made.METRICS_RECORDS, made.TRAININGS)
def test_any_figures_can_be_laid_out(metrics, training):
    page = quality(metrics)

    assert len(page.parts) == 1 + len(metrics.slices)
    losses = [epoch.loss for epoch in training.epochs if epoch.loss is not None]
    assert (loss_chart(training.epochs) is None) == (not losses)


def test_records_are_read_together_as_far_as_they_are_there():
    decision = Decision(accepted=True, sentence="Accepted.")

    def read(kind: Any) -> Any:
        return decision if kind is Decision else None

    records = Records.of(read)

    assert records == Records(decision=decision)
