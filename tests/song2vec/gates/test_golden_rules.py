"""Golden songs as rules: what they say, and when they refuse a model."""

import pytest
from hypothesis import given
from tests.song2vec.records import made

from song2vec.gates import judge_golden_songs
from song2vec.gates.golden_rules import golden_rules
from song2vec.gates.model_gate import decide
from song2vec.records import Figures, GoldenAnswer, GoldenSongs, GoldenWish, Metrics
from song2vec.settings import GateSettings

ON = GateSettings(golden_songs="golden.toml")


def near(song, place, met, asked=(53651,), **more):
    return GoldenAnswer(asked=asked, song=song, place=place, met=met, **more)


def golden(*answers, kind="must", within=50, why="same singer", playlist=False, min_count=3, number=1):
    wish = GoldenWish(kind=kind, number=number, playlist=playlist, within=within, why=why, answers=answers)
    return GoldenSongs(sha256="f00d", min_count=min_count, wishes=(wish,))


def only_rule(*answers, **more):
    (rule,) = golden_rules(golden(*answers, **more))
    return rule


@pytest.mark.parametrize(
    ("asked", "said", "figures"),
    [
        (
            {"answers": [near(4742, 12, True)]},
            "53651 has 4742 at place 12, expected among the 50 nearest (same singer)",
            (12, 50, 38, True),
        ),
        (
            {"answers": [near(4742, 1731, False)]},
            "53651 has 4742 at place 1,731, expected among the 50 nearest (same singer)",
            (1731, 50, -1681, False),
        ),
        (
            {"answers": [near(90210, 20, False)], "kind": "never", "within": 20},
            "53651 has 90210 at place 20, expected not among the 20 nearest (same singer)",
            (20, 20, -1, False),
        ),
        (
            {"answers": [near(90210, 21, True, nearest_of=3)], "kind": "never", "within": 20},
            "53651 has 90210, the nearest of 3, at place 21, expected not among the 20 nearest (same singer)",
            (21, 20, 0, True),
        ),
        (
            {
                "answers": [near(4742, 3, True, asked=(1, 2, 3, 4, 5, 6), nearest_of=2)],
                "playlist": True,
                "within": 10,
            },
            "the playlist 1, 2, 3, 4, 5, … goes on with 4742, the first of 2, at place 3, expected "
            "among the first 10 (same singer)",
            (3, 10, 7, True),
        ),
        (
            {"answers": [near(4742, 60, False), near(11, 9, True), near(12, 70, False)]},
            "2 of 3 missed: 53651 has 12 at place 70, 53651 has 4742 at place 60, expected among the 50 nearest "
            "(same singer)",
            (70, 50, -20, False),
        ),
        (
            {"answers": [near(song, 60 + song, False) for song in range(1, 8)]},
            "7 of 7 missed: 53651 has 7 at place 67, 53651 has 6 at place 66, 53651 has 5 at place 65, "
            "53651 has 4 at place 64, 53651 has 3 at place 63, and 2 more, expected among the 50 nearest (same singer)",
            (67, 50, -17, False),
        ),
        (
            {"answers": [near(4742, 9, True), near(11, 40, True)]},
            "2 of 2 as expected, at worst 53651 has 11 at place 40, expected among the 50 nearest (same singer)",
            (40, 50, 10, True),
        ),
        (
            {"answers": [near(53651, None, False, unknown=1)]},
            "53651 has no vector: it was seen fewer than 3 times, expected songs among the 50 nearest (same singer)",
            (None, 50, None, False),
        ),
        (
            {"answers": [near(4742, None, False, unknown=1)], "min_count": None},
            "53651 cannot bring 4742, which has no vector: it was seen too rarely, expected among the 50 nearest "
            "(same singer)",
            (None, 50, None, False),
        ),
        (
            {"answers": [near(4742, None, False, unknown=3)]},
            "53651 can bring neither 4742 nor 2 more, which have no vector: they were seen fewer than 3 times, "
            "expected among the 50 nearest (same singer)",
            (None, 50, None, False),
        ),
        (
            {"answers": [near(1, None, False, asked=(1, 2), unknown=2)], "playlist": True},
            "no song of the playlist 1, 2 has a vector: they were seen fewer than 3 times, expected songs among the "
            "first 50 (same singer)",
            (None, 50, None, False),
        ),
        (
            {"answers": [near(9, 90, True), near(7, None, None, asked=(7,), unknown=1)], "kind": "never"},
            "53651 has 9 at place 90, expected not among the 50 nearest (same singer); 1 could not be asked, for want "
            "of vectors",
            (90, 50, 39, True),
        ),
    ],
)
def test_a_rule_names_the_songs_their_places_what_was_expected_and_why(asked, said, figures):
    rule = only_rule(*asked.pop("answers"), **asked)

    assert rule.sentence == f"golden songs: {said}"
    assert (rule.figure, rule.limit, rule.margin, rule.passed) == figures
    assert rule.of == f"{asked.get('kind', 'must')} 1: same singer"


def test_what_must_never_come_abstains_where_there_is_no_vector():
    rule = only_rule(near(53651, None, None, unknown=1), kind="never")

    assert rule.passed is None
    assert rule.sentence == ("golden_songs abstains: 53651 has no vector: it was seen fewer than 3 times (same singer)")


def test_those_that_were_missed_come_first():
    met, missed = golden(near(1, 2, True)).wishes[0], golden(near(1, 99, False), number=2).wishes[0]

    rules = golden_rules(GoldenSongs(sha256="f00d", wishes=(met, missed, met)))

    assert [(rule.of, rule.passed) for rule in rules] == [
        ("must 2: same singer", False),
        ("must 1: same singer", True),
        ("must 1: same singer", True),
    ]


def measured(**more):
    return Metrics(
        playlists=more.pop("playlists", 100),
        model=Figures(ndcg=0.3, hit_rate=0.5),
        popularity=Figures(ndcg=0.1),
        **more,
    )


def test_one_missed_entry_refuses_a_model_that_is_good_otherwise():
    decision = decide(measured(golden_songs=golden(near(4742, 99, False))), ON)

    assert decision.accepted is False
    assert decision.sentence == (
        "Refused: golden songs: 53651 has 4742 at place 99, expected among the 50 nearest (same singer)."
    )


def test_those_that_are_met_are_counted_in_the_verdict():
    decision = decide(measured(golden_songs=golden(near(4742, 9, True))), ON)

    assert decision.accepted is True
    assert "; 1 rule on golden songs met; " in decision.sentence
    assert "on slices" not in decision.sentence


def test_golden_songs_do_not_rest_on_held_out_playlists():
    decision = decide(measured(playlists=1, golden_songs=golden(near(4742, 99, False))), ON)

    assert [rule.passed for rule in decision.rules if rule.rule == "golden_songs"] == [False]


def test_a_model_that_was_not_asked_is_refused_where_somebody_keeps_golden_songs_and_only_there():
    assert "run `evaluate` again" in decide(measured(), ON).sentence
    assert decide(measured(), GateSettings()).accepted
    assert decide(measured(golden_songs=golden(near(4742, 99, False))), GateSettings()).accepted


@given(made.GOLDEN_SONGS)
def test_whatever_a_record_holds_there_is_a_rule_for_each_entry_and_a_verdict_that_can_be_written(record):
    decision = judge_golden_songs(record)

    assert len(decision.rules) == len(record.wishes)
    assert decision.accepted == all(rule.passed is not False for rule in decision.rules)
    assert decision.to_bytes()
