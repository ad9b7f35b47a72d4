"""Channels move one at a time, in an order that everybody sees, and every move can be undone."""

import signal
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from structlog.testing import capture_logs
from tests.rig.gcs import blob
from tests.rig.models import FINISHED, facts, publish_model, write_model
from tests.rig.promoters import race

from song2vec.channels import history, pin, promote, rollback, unpin
from song2vec.channels.promotions import append, follow, version_before
from song2vec.errors import DataError, PinnedError, RefusedError, SettingsError
from song2vec.publish import publish, published_files
from song2vec.versions.listing import read_history, version_table
from song2vec_client.errors import CorruptModelError, NotFoundError
from song2vec_client.format.layout import MANIFEST, file_name, move_name
from song2vec_client.format.records import Move
from song2vec_client.gcs.bucket import Bucket
from song2vec_client.store import ModelStore

WHO: dict[str, Any] = {"who": "minji", "why": "it is better"}


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


def test_a_channel_is_promoted_to_a_version_never_to_another_channel(bucket, version):
    promote(bucket, "candidate", version(1), **WHO)

    with pytest.raises(NotFoundError, match="no version candidate"):
        promote(bucket, "production", "candidate", **WHO)
    assert len(history(bucket)) == 1


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


def _insist_linear(bucket, channel="production"):
    """The history has no gap, each move starts where the one before ended, and the pointer is the last one's."""
    moves = history(bucket)
    assert [move.sequence for move in moves] == list(range(1, len(moves) + 1))
    own = [move for move in moves if move.channel == channel]
    assert [move.previous for move in own] == [None, *(move.version for move in own[:-1])]
    assert ModelStore.of(bucket).resolve(channel) == own[-1].pointer()
    return moves


def test_eight_racing_processes_leave_a_gapless_linear_history(bucket, store, version, tmp_path):
    versions = [version(number) for number in range(8)]
    promoters = {f"p{n}": ("never", [versions[(n + step) % 8] for step in range(3)]) for n in range(8)}

    reports = race(store, tmp_path / "cache", promoters)

    moves = _insist_linear(bucket)
    assert [code for code, _ in reports.values()] == [0] * 8
    for who, (_, names) in promoters.items():
        records = reports[who][1]
        assert [record["version"] for record in records] == names
        # What a promoter was told is the history: its own move, or that of the one who was there before.
        assert all(moves[record["sequence"] - 1].pointer().to_json() == record for record in records)
        own = [record["sequence"] for record in records if record["who"] == who]
        assert own == [move.sequence for move in moves if move.who == who]
    assert {move.version for move in moves} == set(versions)


def test_racing_processes_of_which_some_are_killed_halfway_leave_it_too(bucket, store, version, tmp_path):
    versions = [version(number) for number in range(8)]
    dies_at = ["never", "pointer", "record", "pointer", "never", "pointer", "record", "never"]
    promoters = {f"p{n}": (step, [versions[n]]) for n, step in enumerate(dies_at)}

    reports = race(store, tmp_path / "cache", promoters)
    promote(bucket, "production", versions[2], who="after", why="all of them")

    moves = _insist_linear(bucket)
    killed = [who for who, (code, _) in reports.items() if code == -signal.SIGKILL]
    assert {who for who, (code, _) in reports.items() if code == 0} == {"p0", "p4", "p7"} == set(reports) - set(killed)
    # Whoever died with a record written has moved; whoever died before that, or helping another's move, has not.
    movers = [move.who for move in moves]
    assert len(set(movers)) == len(movers)
    assert {"after", "p0", "p4", "p7"} <= set(movers) <= {"after", "p0", "p1", "p3", "p4", "p5", "p7"}


@pytest.mark.parametrize("then", ["promote", "rollback", "pin", "unpin"])
def test_a_promoter_killed_between_the_record_and_the_pointer_is_finished_by_the_next_move(
    bucket, store, version, tmp_path, then
):
    a, b, c = version(1), version(2), version(3)
    promote(bucket, "production", a, **WHO)

    ((code, _),) = race(store, tmp_path / "cache", {"gone": ("pointer", [b])}).values()

    assert code == -signal.SIGKILL
    assert (_live(bucket), [move.version for move in history(bucket)]) == (a, [a, b])
    moved = {
        "promote": lambda: promote(bucket, "production", c, **WHO),
        "rollback": lambda: rollback(bucket, "production", **WHO),
        "pin": lambda: pin(bucket, "production", **WHO),
        "unpin": lambda: unpin(bucket, "production", **WHO),
    }[then]()
    assert moved.version == {"promote": c, "rollback": a}.get(then, b)
    assert [move.who for move in _insist_linear(bucket)][:2] == ["minji", "gone"]


def test_racing_promoters_of_several_channels_leave_one_history(bucket, version):
    versions = [version(number) for number in range(3)]
    jobs = [(channel, name) for channel in ("production", "candidate") for name in versions]

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda job: promote(bucket, *job, who="x", why="race"), jobs))

    moves = history(bucket)
    assert [move.sequence for move in moves] == list(range(1, 7))
    for channel in ("production", "candidate"):
        _insist_linear(bucket, channel)


def _crashed(bucket, version, sequence, previous, channel="production", **changes):
    """The first of a move's two steps, after which its process died."""
    sha256 = "0" * 64
    when = datetime(2026, 1, 31, tzinfo=UTC)
    move = Move(sequence, channel, version, sha256, previous, "gone", when, "died", **changes)
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


def test_a_run_that_died_halfway_and_is_tried_again_completes_its_move(bucket, version):
    a, b = version(1), version(2)
    promote(bucket, "production", a, **WHO)
    died = _crashed(bucket, b, 2, a, run="song2vec_promote/1")

    assert promote(bucket, "production", b, **WHO, run="song2vec_promote/1") == died.pointer()
    assert _live(bucket) == b


def test_a_move_of_another_channel_completes_it_too(bucket, version):
    a = version(1)
    _crashed(bucket, a, 1, None)

    promote(bucket, "candidate", a, **WHO)

    assert _live(bucket) == a


def test_a_rollback_that_died_halfway_is_finished_by_the_next_one_and_goes_no_further(bucket, version):
    a, b, c = version(1), version(2), version(3)
    for name in (a, b, c):
        promote(bucket, "production", name, **WHO)
    died = _crashed(bucket, b, 4, c, kind="rollback")

    assert rollback(bucket, "production", **WHO) == died.pointer()
    assert _live(bucket) == b
    assert rollback(bucket, "production", **WHO).version == a


def test_a_run_that_is_tried_again_moves_once(bucket, version):
    a, b, c = version(1), version(2), version(3)
    for name in (a, b, c):
        promote(bucket, "production", name, **WHO)

    first = rollback(bucket, "production", **WHO, run="song2vec_promote/1")
    promoted = promote(bucket, "production", c, **WHO, run="song2vec_promote/1")

    assert rollback(bucket, "production", **WHO, run="song2vec_promote/1") == first
    assert promote(bucket, "production", c, **WHO, run="song2vec_promote/1") == promoted
    assert _live(bucket) == c
    assert rollback(bucket, "production", **WHO, run="song2vec_promote/2").version == b
    assert [move.run for move in history(bucket)][3:] == [f"song2vec_promote/{n}" for n in (1, 1, 2)]


class InterruptedBucket(Bucket):
    """A store in which somebody else is faster: `first` is called before the first record is written."""

    first: Any = None

    def create(self, name, content, known=None, advance=None):
        if self.first:
            first, self.first = self.first, None
            first()
        return super().create(name, content, known, advance)


@pytest.mark.parametrize("move", [rollback, pin])
def test_what_was_decided_by_what_was_there_is_not_done_to_what_has_come_since(bucket, store, version, move):
    a, b, c = version(1), version(2), version(3)
    for name in (a, b):
        promote(bucket, "production", name, **WHO)
    interrupted = InterruptedBucket.open(store)
    interrupted.first = lambda: promote(bucket, "production", c, who="jun", why="newer")

    with pytest.raises(RefusedError, match="production was moved by jun at the same time: look at the history"):
        move(interrupted, "production", **WHO)
    assert [move.version for move in _insist_linear(bucket)] == [a, b, c]


def test_a_promotion_that_was_overtaken_goes_on_top_unless_a_pin_overtook_it(bucket, store, version):
    a, b, c = version(1), version(2), version(3)
    promote(bucket, "production", a, **WHO)
    interrupted = InterruptedBucket.open(store)

    interrupted.first = lambda: promote(bucket, "candidate", b, **WHO)
    assert promote(interrupted, "production", b, **WHO).sequence == 3
    interrupted.first = lambda: pin(bucket, "production", **WHO)
    with pytest.raises(PinnedError, match="is pinned to"):
        promote(interrupted, "production", c, **WHO)

    assert [move.version for move in _insist_linear(bucket) if move.channel == "production"] == [a, b, b]


def test_a_pointer_that_was_lost_is_restored_by_the_next_move(bucket, store, version):
    a, b = version(1), version(2)
    promote(bucket, "production", a, **WHO)
    promote(bucket, "candidate", b, **WHO)
    blob(store, "channels/production.json").delete()

    assert promote(bucket, "production", b, **WHO).previous == a
    _insist_linear(bucket)


def test_a_pointer_that_is_none_is_left_alone_and_the_error_says_what_to_do(bucket, store, version):
    a, b = version(1), version(2)
    promote(bucket, "production", a, **WHO)
    bucket.put("channels/production.json", b"{}")

    with pytest.raises(CorruptModelError, match=r"channels/production\.json: .*delete it"):
        promote(bucket, "production", b, **WHO)
    blob(store, "channels/production.json").delete()
    assert promote(bucket, "production", b, **WHO).previous == a


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


def test_a_record_that_is_no_move_is_named_and_nothing_moves(bucket, version):
    a, b = version(1), version(2)
    promote(bucket, "production", a, **WHO)
    bucket.put(move_name(2), b'{"format": 1, "sequence": "two"}')

    for ask in (lambda: history(bucket), lambda: promote(bucket, "production", b, **WHO)):
        with pytest.raises(CorruptModelError, match=r"promotions/00000002\.json: sequence: found 'two'"):
            ask()
    assert _live(bucket) == a


def test_what_is_no_record_stops_nobody(bucket, version):
    a, b = version(1), version(2)
    promote(bucket, "production", a, **WHO)
    for name in ("promotions/", "promotions/README.txt", "promotions/2.json"):
        bucket.put(name, b"what somebody left there")

    assert promote(bucket, "production", b, **WHO).sequence == 2


def test_the_list_of_moves_shows_all_that_can_be_read_and_says_what_cannot(bucket, version):
    a, b = version(1), version(2)
    for name in (a, b, a):
        promote(bucket, "production", name, **WHO)
    bucket.put(move_name(2), b"\x00")
    bucket.put(move_name(7), bucket.read(move_name(3))[0])
    bucket.put("promotions/README.txt", b"")

    record = read_history(bucket)

    assert [move["sequence"] for move in record["moves"]] == [1, 3]
    assert [problem.removeprefix(f"{bucket.uri}/").removeprefix(bucket.uri) for problem in record["problems"]] == [
        "promotions/00000002.json: not a JSON record: Expecting value: line 1 column 1 (char 0)",
        "promotions/00000007.json says that it is move 3: restore it from a backup",
        " has promotions/00000007.json where promotions/00000004.json belongs: restore it",
        "promotions/README.txt is no move: it is left alone",
    ]


@pytest.mark.parametrize("lost", ["vectors.npy", "song2vec.bin", "training.json"])
@pytest.mark.parametrize("how", ["gone", "another"])
def test_no_channel_moves_to_a_version_that_is_not_whole(bucket, store, version, lost, how):
    a, b = version(1), version(2)
    promote(bucket, "production", a, **WHO)
    promote(bucket, "production", b, **WHO)
    ModelStore.of(bucket).pull(a)  # a copy in the cache does not make up for it
    if how == "gone":
        blob(store, f"versions/{a}/{lost}").delete()
    else:
        content, _ = bucket.read(f"versions/{a}/{lost}")
        bucket.put(f"versions/{a}/{lost}", content[:-1] + bytes([content[-1] ^ 1]))

    says = f"{a}.*{lost} is {'missing' if how == 'gone' else 'not what the manifest says'}"
    for move in (
        lambda: promote(bucket, "candidate", a, **WHO, force=True),
        lambda: rollback(bucket, "production", **WHO),
        lambda: pin(bucket, "production", **WHO, to=a),
    ):
        with pytest.raises(CorruptModelError, match=says):
            move()
    assert (_live(bucket), len(history(bucket))) == (b, 2)


class Republishing(Bucket):
    """A store in which somebody writes another manifest of `version` while its files are looked at."""

    version = ""

    def listing(self, prefix=""):
        manifest = file_name(self.version, MANIFEST)
        if prefix == file_name(self.version, ""):
            self.put(manifest, self.read(manifest)[0].replace(b'"status": "accepted"', b'"status": "reviewed"'))
        return super().listing(prefix)


def test_no_channel_moves_to_a_manifest_that_was_not_looked_at(store, version):
    bucket = Republishing.open(store)
    bucket.version = version(1)

    with pytest.raises(CorruptModelError, match="is not the manifest that was asked for"):
        promote(bucket, "production", bucket.version, **WHO)
    assert history(bucket) == []


def test_no_channel_moves_to_a_model_that_does_not_load(bucket, version, tmp_path):
    broken = write_model(tmp_path / "broken")
    np.save(broken / "vectors.npy", np.full((6, 2), np.nan, np.float32))
    name = publish(bucket, published_files(broken), facts()).version

    with pytest.raises(CorruptModelError, match="NaN"):
        promote(bucket, "production", name, **WHO)
    assert history(bucket) == []


def test_the_table_of_versions_says_what_is_live(bucket, version):
    a, b = version(1), version(2, accepted=False, status="rejected")
    promote(bucket, "production", a, **WHO)
    promote(bucket, "candidate", a, **WHO)

    unmeasured = {"published": "2026-01-31 04:00 UTC", "ndcg": None, "hit_rate": None}
    assert version_table(bucket) == [
        {"version": b, "live": "", "status": "rejected", **unmeasured},
        {"version": a, "live": "candidate, production", "status": "accepted", **unmeasured},
    ]


def test_a_damaged_channel_hides_no_version_from_the_table(bucket, store, version):
    a = version(1)
    promote(bucket, "production", a, **WHO)
    promote(bucket, "candidate", a, **WHO)
    blob(store, "channels/production.json").upload_from_string("{}")

    with capture_logs() as log:
        assert [(row["version"], row["live"]) for row in version_table(bucket)] == [(a, "candidate")]
    assert [(line["event"], line["channel"]) for line in log] == [("a channel is damaged", "production")]


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
        ("A B !B", "A"),
        ("A B !B ~B", "A"),
        ("A B C !B", "A"),
        ("A B !C", "B"),
        ("!A", None),
    ],
)
def test_which_version_is_before_the_live_one(steps, before):
    names = {letter: f"20260131T040000Z-{letter.lower() * 8}" for letter in "ABC"}
    kinds = {"<": "rollback", "!": "pin", "~": "unpin"}
    moves = [
        Move(1, "production", names[step[-1]], "0" * 64, None, "x", FINISHED, "", kind=kind, pinned=kind == "pin")
        for step in steps.split()
        for kind in [kinds.get(step[0], "promote")]
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
