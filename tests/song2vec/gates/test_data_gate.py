import json
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rig.genres import genre_playlists, write_playlists
from tests.rig.models import facts, write_model

from song2vec.channels import promote
from song2vec.errors import RefusedError
from song2vec.gates.data_gate import check_data, decide, insist
from song2vec.playlists.changes import DataIndex
from song2vec.publish import publish, published_files
from song2vec.records import DataDecision, Funnel, FunnelRule
from song2vec.settings import CheckDataSettings, load_settings
from song2vec.versions import LiveData, live_data, live_version
from song2vec_client import ModelStore
from song2vec_client.errors import CorruptModelError

SETTINGS = CheckDataSettings(
    min_playlists=50, min_songs=20, min_usable_share=0.6, max_quarantined_share=0.3, max_drop=2, max_jump=4
)
VERSION = "20260131T040000Z-0123abcd"


def funnel(playlists=1_000, rows=8_000, raw_rows=10_000, songs=500, **left_out):
    left_out = left_out or {"unknown_song": 1_500, "short_playlist": 500}
    rules = tuple(FunnelRule.of(rule, (count, 0), (0, 0)) for rule, count in left_out.items())
    return Funnel(rules=rules, raw_rows=raw_rows, rows=rows, playlists=playlists, songs=songs)


def last(**figures):
    return LiveData(VERSION, funnel(**figures), None)


def verdicts(decision):
    return {(rule.rule, rule.of): rule.passed for rule in decision.rules}


def refused_by(decision):
    return [name for name, passed in verdicts(decision).items() if passed is False]


def test_good_data_is_accepted_with_the_figures_that_speak_for_it():
    decision = decide(funnel(), last(), SETTINGS)

    assert (decision.accepted, decision.overridden) == (True, False)
    assert set(verdicts(decision).values()) == {True}
    assert decision.sentence.startswith("Accepted: 1,000 playlists (at least 50); 500 songs (at least 20); 80% of")
    insist(decision)  # passes


@pytest.mark.parametrize(
    ("figures", "rule", "words"),
    [
        ({"playlists": 49}, ("min_playlists", "playlists"), "49 playlists instead of at least 50"),
        ({"songs": 19}, ("min_songs", "songs"), "19 songs instead of at least 20"),
        ({"raw_rows": 16_000}, ("min_usable_share", "rows"), "50% of the rows are usable instead of at least 60%"),
        (
            {"bad_song": 3_100, "short_playlist": 10},
            ("max_quarantined_share", "rows"),
            "bad_song left out 31% of the rows instead of at most 30%",
        ),
    ],
)
def test_a_refusal_names_the_rule_the_figure_and_the_limit(figures, rule, words):
    decision = decide(funnel(**figures), None, SETTINGS)

    assert refused_by(decision) == [rule]
    assert decision.sentence == f"Refused: {words}."
    with pytest.raises(RefusedError, match=words):
        insist(decision)


@pytest.mark.parametrize(
    ("before", "now", "rule", "words"),
    [
        (2_001, 1_000, "max_drop", f"1,000 playlists after 2,001 in {VERSION} instead of at least 1,000"),
        (249, 1_000, "max_jump", f"1,000 playlists after 249 in {VERSION} instead of at most 996"),
    ],
)
def test_too_great_a_difference_to_the_version_that_is_live_is_refused(before, now, rule, words):
    decision = decide(funnel(playlists=now), last(playlists=before), SETTINGS)

    assert refused_by(decision) == [(rule, "playlists")]
    assert words in decision.sentence


def test_rows_are_compared_like_playlists():
    assert refused_by(decide(funnel(), last(rows=16_001), SETTINGS)) == [("max_drop", "rows")]
    assert refused_by(decide(funnel(), last(rows=1_999), SETTINGS)) == [("max_jump", "rows")]


def test_a_figure_at_the_limit_passes():
    at_the_limit = funnel(playlists=50, songs=20, rows=6_000, bad_song=3_000, short_playlist=1_000)

    assert decide(at_the_limit, last(playlists=100, rows=12_000), SETTINGS).accepted
    assert decide(funnel(), last(playlists=250, rows=2_000), SETTINGS).accepted


@pytest.mark.parametrize(
    ("before", "why"),
    [
        (None, "no version is live yet"),
        (LiveData(VERSION, None, None), f"{VERSION} does not say how many playlists it had"),
        (last(playlists=99, rows=99), f"99 playlists in {VERSION} are too few"),
    ],
)
def test_with_nothing_to_compare_with_the_rules_abstain_and_say_why(before, why):
    decision = decide(funnel(), before, SETTINGS)

    assert decision.accepted
    compared = [rule for rule in decision.rules if rule.rule in ("max_drop", "max_jump")]
    assert [rule.passed for rule in compared] == [None] * 4
    assert f"max_drop abstains: {why}" in decision.sentence


def test_shares_of_a_few_rows_abstain():
    decision = decide(funnel(raw_rows=99, rows=1, bad_song=98), None, SETTINGS)

    assert decision.accepted
    assert "min_usable_share abstains: 99 rows are too few" in decision.sentence


def test_an_override_accepts_what_was_refused_and_is_recorded_with_the_reason():
    reason = "the shop in Busan closed"
    settings = SETTINGS.model_copy(update={"override": f" {reason} "})

    decision = decide(funnel(songs=3), None, settings)

    assert (decision.accepted, decision.overridden, decision.override) == (True, True, reason)
    assert decision.sentence == f"Accepted all the same ({reason}): 3 songs instead of at least 20."
    assert refused_by(decision) == [("min_songs", "songs")]
    insist(decision)  # passes
    needless = decide(funnel(), None, settings)
    assert (needless.accepted, needless.overridden) == (True, False)
    blank = SETTINGS.model_copy(update={"override": "  "})
    assert not decide(funnel(songs=3), None, blank).accepted


COUNTS = st.integers(0, 10**6)


@given(COUNTS, COUNTS, COUNTS, COUNTS, COUNTS)
def test_accepted_exactly_when_no_rule_failed_and_always_json(playlists, rows, left, songs, before):
    now = funnel(playlists, rows, rows + left, songs, bad_song=left)

    decision = decide(now, last(playlists=before), SETTINGS)

    assert decision.accepted == (refused_by(decision) == [])
    assert DataDecision.parse(decision.to_bytes()) == decision
    assert json.loads(json.dumps(decision.to_json(), allow_nan=False)) == decision.to_json()


def live(bucket):
    """The data of the version that `production` names."""
    store = ModelStore.of(bucket)
    return live_data(store, live_version(store, "production"))


def prepared(folder, playlists):
    folder.mkdir()
    write_playlists(folder / "playlists.parquet", playlists)
    rows = sum(map(len, playlists))
    songs = len(set().union(*playlists))
    funnel(len(playlists), rows, rows, songs, bad_song=0).write(folder / "funnel.json")
    return folder


def test_what_changed_since_the_live_version_is_found_from_what_it_published(bucket, tmp_path):
    playlists = genre_playlists(200)
    settings = load_settings()
    first = check_data(prepared(tmp_path / "1", playlists), tmp_path / "check 1", live(bucket), settings)
    files = published_files(write_model(tmp_path / "model"), tmp_path / "1", tmp_path / "check 1")
    version = publish(bucket, files, facts()).version
    not_yet = check_data(tmp_path / "1", tmp_path / "check", live(bucket), settings)
    promote(bucket, "production", version, who="test", why="test")
    changed = [playlists[0][::-1], *playlists[1:199], [7, 8, 9], [7, 8, 10], [7, 8, 11]]

    second = check_data(prepared(tmp_path / "2", changed), tmp_path / "check 2", live(bucket), settings)

    assert (first.live_version, first.changes) == (not_yet.live_version, not_yet.changes) == (None, None)
    assert second.live_version == version
    assert second.changes is not None
    assert asdict(second.changes) == {
        "playlists": {"new": 2, "gone": 0, "changed": 2, "same": 198},
        "songs": {"new": 5, "gone": 0, "same": 30},
    }
    assert json.loads((tmp_path / "check 2" / "check_data.json").read_text()) == second.to_json()
    assert {"check_data.json", "data_index.npz"} < files.keys()
    with pytest.raises(RefusedError, match=f"99 playlists after 200 in {version} instead of at least 100"):
        insist(check_data(prepared(tmp_path / "3", playlists[:99]), tmp_path / "check 3", live(bucket), settings))
    assert (tmp_path / "check 3" / "check_data.json").is_file()


def test_a_version_that_was_published_without_an_index_is_compared_by_its_funnel_alone(bucket, tmp_path):
    files = published_files(write_model(tmp_path / "model", funnel=funnel().to_json()))
    version = publish(bucket, files, facts()).version
    promote(bucket, "production", version, who="test", why="test")

    decision = check_data(
        prepared(tmp_path / "1", genre_playlists(200)), tmp_path / "out", live(bucket), load_settings()
    )

    assert (decision.live_version, decision.changes) == (version, None)
    assert refused_by(decision) == [("max_drop", "playlists"), ("max_drop", "rows")]


def test_a_damaged_index_is_not_believed(bucket, tmp_path):
    DataIndex(np.arange(3, dtype=np.uint64), np.arange(3, dtype=np.uint64), np.arange(3)).write(
        tmp_path / "model" / "data_index.npz"
    )
    version = publish(bucket, published_files(write_model(tmp_path / "model")), facts()).version
    promote(bucket, "production", version, who="test", why="test")
    assert live(bucket).index.songs.tolist() == [0, 1, 2]
    name = f"versions/{version}/data_index.npz"
    content = bucket.read(name)[0]

    bucket.put(name, content[:-1] + bytes([content[-1] ^ 1]))

    with pytest.raises(CorruptModelError, match=r"data_index\.npz is damaged"):
        live(bucket)
