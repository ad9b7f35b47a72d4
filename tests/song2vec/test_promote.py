"""Channels move one at a time, in an order that everybody sees, and every move can be undone."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from tests.rig.gcs import blob
from tests.rig.models import FINISHED, facts, publish_model, write_model

from song2vec.errors import DataError, NotFoundError, RefusedError, SettingsError
from song2vec.history import append, follow, version_before
from song2vec.promote import history, promote, rollback, version_table
from song2vec.publish import publish, published_files
from song2vec_client.format import Move
from song2vec_client.layout import move_name
from song2vec_client.store import ModelStore

WHO = {"who": "minji", "why": "it is better"}


@pytest.fixture
def version(bucket, tmp_path):
    """Publish the n-th version."""

    def make(number, **changes):
        folder = tmp_path / f"model-{number}"
        return publish_model(bucket, folder, finished=FINISHED + timedelta(days=number), **changes).version

    return make


def _live(bucket, channel="production"):
    return ModelStore.of(bucket).resolve(channel).version


def _moves(bucket):
    return [(move.kind, move.previous, move.version) for move in history(bucket)]


def test_a_promotion_moves_the_channel_and_is_written_down(bucket, version):
    a, b = version(1), version(2)

    first = promote(bucket, "production", a, **WHO)
    second = promote(bucket, "production", b, who="jun", why="newer")

    assert ModelStore.of(bucket).resolve("production") == second
    assert (first.sequence, first.previous, second.sequence, second.previous) == (1, None, 2, a)
    assert [(move.who, move.why, move.version) for move in history(bucket)] == [
        ("minji", "it is better", a),
        ("jun", "newer", b),
    ]
    assert [move.pointer() for move in history(bucket)] == [first, second]


def test_channels_move_apart_in_one_history(bucket, version):
    a, b = version(1), version(2)

    promote(bucket, "production", a, **WHO)
    promote(bucket, "candidate", b, **WHO)
    promote(bucket, "production", b, **WHO)

    assert (_live(bucket), _live(bucket, "candidate")) == (b, b)
    assert [(move.sequence, move.channel, move.previous) for move in history(bucket)] == [
        (1, "production", None),
        (2, "candidate", None),
        (3, "production", a),
    ]


def test_promoting_what_is_live_does_nothing(bucket, version):
    a = version(1)
    first = promote(bucket, "production", a, **WHO)

    assert promote(bucket, "production", a, who="jun", why="again") == first
    assert len(history(bucket)) == 1


def test_a_version_that_is_not_published_whole_is_refused(bucket, store, version):
    a = version(1)
    blob(store, f"versions/{a}/manifest.json").delete()

    for name in (a, "20260131T040000Z-00000000", "../up", "production", ""):
        with pytest.raises(NotFoundError, match="song2vec versions"):
            promote(bucket, "production", name, **WHO)
    assert history(bucket) == []


def test_a_rejected_version_needs_force_and_the_history_shows_it(bucket, version):
    a = version(1, accepted=False, status="rejected")

    with pytest.raises(RefusedError, match=r"rejected.*decision\.json"):
        promote(bucket, "production", a, **WHO)
    assert history(bucket) == []

    promote(bucket, "production", a, **WHO, force=True)
    assert [move.forced for move in history(bucket)] == [True]


@pytest.mark.parametrize(
    ("channel", "who", "why"),
    [("Production", "a", "b"), ("../x", "a", "b"), ("production", " ", "b"), ("production", "a", "")],
)
def test_a_move_without_a_name_or_a_reason_is_refused(bucket, version, channel, who, why):
    a = version(1)

    for move in (
        lambda: promote(bucket, channel, a, who=who, why=why),
        lambda: rollback(bucket, channel, who=who, why=why),
    ):
        with pytest.raises(SettingsError):
            move()
    assert history(bucket) == []


def test_rollbacks_go_further_and_further_back(bucket, version):
    a, b, c = version(1), version(2), version(3)
    for name in (a, b, c):
        promote(bucket, "production", name, **WHO)

    assert rollback(bucket, "production", **WHO).version == b
    assert rollback(bucket, "production", **WHO).version == a
    with pytest.raises(NotFoundError, match="no version before"):
        rollback(bucket, "production", **WHO)
    assert _live(bucket) == a
    promote(bucket, "production", c, **WHO)
    assert rollback(bucket, "production", **WHO).version == a
    assert _moves(bucket)[3:] == [("rollback", c, b), ("rollback", b, a), ("promote", a, c), ("rollback", c, a)]


def test_a_rollback_to_a_named_version_that_was_live(bucket, version):
    a, b, c, never = (version(number) for number in range(1, 5))
    for name in (a, b, c):
        promote(bucket, "production", name, **WHO)
    promote(bucket, "candidate", never, **WHO)

    assert rollback(bucket, "production", to=a, **WHO).version == a
    assert rollback(bucket, "production", to=a, **WHO).sequence == 5
    with pytest.raises(RefusedError, match="never live in production"):
        rollback(bucket, "production", to=never, **WHO)
    assert _live(bucket) == a


def test_a_rollback_before_any_promotion_is_said_so(bucket):
    with pytest.raises(NotFoundError, match="nothing was ever promoted"):
        rollback(bucket, "production", **WHO)


def test_racing_promoters_leave_a_gapless_linear_history(bucket, version):
    versions = [version(number) for number in range(8)]

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda name: promote(bucket, "production", name, who=name, why="race"), versions))

    moves = history(bucket)
    assert [move.sequence for move in moves] == list(range(1, 9))
    assert sorted(move.version for move in moves) == sorted(versions)
    assert [move.previous for move in moves] == [None, *(move.version for move in moves[:-1])]
    assert ModelStore.of(bucket).resolve("production") == moves[-1].pointer()
    assert sorted(made, key=lambda pointer: pointer.sequence) == [move.pointer() for move in moves]


def test_racing_promoters_of_several_channels_leave_one_history(bucket, version):
    versions = [version(number) for number in range(3)]
    jobs = [(channel, name) for channel in ("production", "candidate") for name in versions]

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda job: promote(bucket, *job, who="x", why="race"), jobs))

    moves = history(bucket)
    assert [move.sequence for move in moves] == list(range(1, 7))
    for channel in ("production", "candidate"):
        own = [move for move in moves if move.channel == channel]
        assert [move.previous for move in own] == [None, *(move.version for move in own[:-1])]
        assert ModelStore.of(bucket).resolve(channel) == own[-1].pointer()


def _crashed(bucket, version, sequence, previous, channel="production"):
    """The first of a move's two steps, after which its process died."""
    sha256 = "0" * 64
    move = Move(sequence, channel, version, sha256, previous, "gone", datetime(2026, 1, 31, tzinfo=UTC), "died")
    assert append(bucket, move)
    return move


def test_a_move_that_died_halfway_is_completed_by_the_next_one(bucket, version):
    a, b, c = version(1), version(2), version(3)
    promote(bucket, "production", a, **WHO)
    died = _crashed(bucket, b, 2, a)
    assert _live(bucket) == a

    third = promote(bucket, "production", c, **WHO)

    assert (third.sequence, third.previous) == (3, b)
    assert history(bucket)[1] == died


def test_the_same_promotion_again_completes_the_one_that_died(bucket, version):
    a, b = version(1), version(2)
    promote(bucket, "production", a, **WHO)
    died = _crashed(bucket, b, 2, a)

    assert promote(bucket, "production", b, **WHO) == died.pointer()
    assert _live(bucket) == b
    assert len(history(bucket)) == 2


def test_a_move_of_another_channel_completes_it_too(bucket, version):
    a = version(1)
    _crashed(bucket, a, 1, None)

    promote(bucket, "candidate", a, **WHO)

    assert _live(bucket) == a


def test_an_old_move_never_takes_a_pointer_back(bucket, version):
    a, b = version(1), version(2)
    promote(bucket, "production", a, **WHO)
    promote(bucket, "production", b, **WHO)

    follow(bucket, history(bucket)[0])

    assert _live(bucket) == b


def test_a_history_with_a_hole_is_refused(bucket, store, version):
    a, b = version(1), version(2)
    for name in (a, b, a):
        promote(bucket, "production", name, **WHO)
    blob(store, move_name(2)).delete()

    for ask in (lambda: history(bucket), lambda: promote(bucket, "production", b, **WHO)):
        with pytest.raises(DataError, match=r"00000003\.json where promotions/00000002\.json belongs"):
            ask()


def test_the_table_of_versions_says_what_is_live(bucket, version):
    a, b = version(1), version(2, accepted=False, status="rejected")
    promote(bucket, "production", a, **WHO)
    promote(bucket, "candidate", a, **WHO)

    unmeasured = {"published": "2026-01-31 04:00 UTC", "ndcg": None, "hit_rate": None}
    assert version_table(bucket) == [
        {"version": b, "live": "", "status": "rejected", **unmeasured},
        {"version": a, "live": "candidate, production", "status": "accepted", **unmeasured},
    ]


def test_the_table_of_versions_shows_what_was_measured(bucket, tmp_path):
    metrics = {"model": {"ndcg": 0.25, "hit_rate": 0.5}}
    publish(bucket, published_files(write_model(tmp_path / "model", metrics=metrics)), facts())

    assert [(row["ndcg"], row["hit_rate"]) for row in version_table(bucket)] == [(0.25, 0.5)]


@pytest.mark.parametrize(
    ("steps", "before"),
    [
        ("", None),
        ("A", None),
        ("A B", "A"),
        ("A B C", "B"),
        ("A B C <B", "A"),
        ("A B C <A", None),
        ("A B <A C", "A"),
        ("A B A", "B"),
        ("A B A <B", "A"),
        ("A B <A <B", "A"),
    ],
)
def test_which_version_is_before_the_live_one(steps, before):
    names = {letter: f"20260131T040000Z-{letter.lower() * 8}" for letter in "ABC"}
    moves = [
        Move(
            1,
            "production",
            names[step[-1]],
            "0" * 64,
            None,
            "x",
            FINISHED,
            "",
            kind="rollback" if "<" in step else "promote",
        )
        for step in steps.split()
    ]

    assert version_before(moves, "production") == (names[before] if before else None)
    assert version_before(moves, "candidate") is None


def test_a_version_that_cannot_be_read_has_its_row_and_hides_no_other(bucket, store, version):
    a, b, c = version(1), version(2), version(3)
    blob(store, f"versions/{b}/manifest.json").upload_from_string("{}")
    blob(store, f"versions/{c}/manifest.json").upload_from_string('{"format": 99}')

    rows = version_table(bucket)

    assert [row["version"] for row in rows] == [c, b, a]
    assert [row["status"].split(":")[0] for row in rows] == ["unreadable", "unreadable", "accepted"]
    assert len({tuple(row) for row in rows}) == 1
