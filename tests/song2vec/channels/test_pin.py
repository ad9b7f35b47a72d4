"""A pinned channel stays where it is until a person says otherwise; who pinned it, and why, everybody sees."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.rig.models import FINISHED, publish_model

from song2vec.channels import history, pin, promote, rollback, unpin
from song2vec.errors import PinnedError, RefusedError, SettingsError
from song2vec.versions.listing import version_table
from song2vec_client.errors import NotFoundError
from song2vec_client.format.fields import parse_json
from song2vec_client.store import ModelStore

WHO: dict[str, Any] = {"who": "minji", "why": "nothing new on Christmas"}
DAILY: dict[str, Any] = {"who": "airflow (scheduled)", "why": "Accepted."}


@pytest.fixture
def versions(bucket, tmp_path):
    """Three accepted versions and a rejected one."""
    return [
        publish_model(
            bucket,
            tmp_path / f"model-{number}",
            finished=FINISHED + timedelta(days=number),
            accepted=number < 3,
            status="accepted" if number < 3 else "rejected",
        ).version
        for number in range(4)
    ]


def _live(bucket):
    return ModelStore.of(bucket).resolve("production")


def _moves(bucket):
    return [(move.kind, move.previous, move.version, move.forced) for move in history(bucket)]


def test_a_pinned_channel_is_not_moved_and_the_refusal_says_who_pinned_it_and_why(bucket, versions):
    a, b, *_ = versions
    promote(bucket, "production", a, **DAILY)

    pinned = pin(bucket, "production", **WHO)

    assert (pinned.version, pinned.pinned, pinned.who, pinned.sequence) == (a, True, "minji", 2)
    says = rf"production is pinned to {a} by minji since .* UTC, because: nothing new on Christmas\. `song2vec unpin`"
    with pytest.raises(PinnedError, match=says):
        promote(bucket, "production", b, **DAILY)
    with pytest.raises(PinnedError):
        pin(bucket, "production", to=b, **DAILY)
    assert _live(bucket) == pinned
    assert promote(bucket, "candidate", b, **DAILY).version == b  # the pin is of one channel


def test_a_run_that_may_promote_what_the_gate_rejected_may_not_end_a_pin(bucket, versions):
    a, _, _, rejected = versions
    promote(bucket, "production", a, **DAILY)
    pinned = pin(bucket, "production", **WHO)

    with pytest.raises(PinnedError) as refused:
        promote(bucket, "production", rejected, **DAILY, rejected=True)

    assert "decision.json" not in str(refused.value)
    assert _live(bucket) == pinned
    unpin(bucket, "production", **WHO)
    promote(bucket, "production", rejected, **DAILY, rejected=True)
    assert _moves(bucket)[-1] == ("promote", a, rejected, True)


def test_unpinned_it_moves_again(bucket, versions):
    a, b, *_ = versions
    promote(bucket, "production", a, **DAILY)
    pin(bucket, "production", **WHO)

    unpinned = unpin(bucket, "production", who="jun", why="January")

    assert (unpinned.version, unpinned.pinned) == (a, False)
    assert promote(bucket, "production", b, **DAILY).pinned is False
    assert _moves(bucket) == [
        ("promote", None, a, False),
        ("pin", a, a, False),
        ("unpin", a, a, False),
        ("promote", a, b, False),
    ]


def test_force_moves_a_pinned_channel_ends_the_pin_and_the_history_shows_it(bucket, versions):
    a, b, c, _ = versions
    promote(bucket, "production", a, **DAILY)
    pin(bucket, "production", **WHO)

    promote(bucket, "production", b, who="jun", why="urgent", force=True)
    promote(bucket, "production", c, **DAILY)
    pin(bucket, "production", **WHO)
    with pytest.raises(PinnedError):
        rollback(bucket, "production", **DAILY)
    rollback(bucket, "production", who="jun", why="urgent", force=True)

    assert not _live(bucket).pinned
    assert _moves(bucket)[2:] == [
        ("promote", a, b, True),
        ("promote", b, c, False),
        ("pin", c, c, False),
        ("rollback", c, b, True),
    ]


def test_to_go_back_and_stay_there_is_one_step(bucket, versions):
    a, b, c, _ = versions
    for version in (a, b, c):
        promote(bucket, "production", version, **DAILY)

    assert pin(bucket, "production", to=b, **WHO).version == b

    with pytest.raises(PinnedError):
        promote(bucket, "production", c, **DAILY)
    assert rollback(bucket, "production", **WHO, force=True).version == a


def test_a_rejected_version_is_pinned_by_force_only_and_both_reasons_are_told(bucket, versions):
    a, *_, rejected = versions
    with pytest.raises(RefusedError, match=r"is rejected: see why under \*Models\*, or in its decision\.json"):
        pin(bucket, "production", to=rejected, **WHO)
    promote(bucket, "production", a, **DAILY)
    pin(bucket, "production", **WHO)

    with pytest.raises(PinnedError, match=rf"is pinned to {a}.*version {rejected} is rejected"):
        pin(bucket, "production", to=rejected, **WHO)
    assert pin(bucket, "production", to=rejected, **WHO, force=True).version == rejected
    assert _moves(bucket)[-1] == ("pin", a, rejected, True)


def test_what_is_so_already_is_not_written_down_again(bucket, versions):
    a, *_ = versions
    promote(bucket, "production", a, **DAILY)

    assert unpin(bucket, "production", **WHO).sequence == 1
    pinned = pin(bucket, "production", **WHO)

    assert pin(bucket, "production", who="jun", why="me too") == pinned
    assert pin(bucket, "production", to=a, who="jun", why="me too") == pinned
    assert promote(bucket, "production", a, **DAILY) == pinned


def test_a_channel_that_does_not_exist_is_pinned_to_a_version_or_not_at_all(bucket, versions):
    for move in (pin, unpin):
        with pytest.raises(NotFoundError, match="nothing was ever promoted"):
            move(bucket, "production", **WHO)
        with pytest.raises(SettingsError, match="why is empty"):
            move(bucket, "production", who="minji", why=" ")
    assert pin(bucket, "production", to=versions[0], **WHO).pinned


def test_the_pin_is_in_the_pointer_that_readers_of_before_still_read(bucket, versions):
    a, *_ = versions
    promote(bucket, "production", a, **DAILY)
    unpinned: Any = parse_json(bucket.read("channels/production.json")[0])
    pin(bucket, "production", **WHO)

    pinned: Any = parse_json(bucket.read("channels/production.json")[0])

    changed = {name for name in pinned if pinned[name] != unpinned[name]}
    assert {"pinned", "who", "why", "sequence"} <= changed <= {"pinned", "who", "why", "sequence", "previous", "when"}
    assert ModelStore.of(bucket).load("production").version == a


def test_the_table_of_versions_shows_the_pin(bucket, versions):
    promote(bucket, "candidate", versions[0], **DAILY)
    pin(bucket, "production", to=versions[0], **WHO)

    assert [row["live"] for row in version_table(bucket)] == ["", "", "", "candidate, production (pinned)"]


class _Expected:
    """What a channel should do, in a few lines."""

    def __init__(self, rejected):
        self.rejected, self.version, self.pinned = rejected, None, False

    def move(self, kind, version, *, force):
        """The error that is to come, or None; then the channel has moved."""
        if kind == "unpin" or (kind == "pin" and version is None):
            if self.version is None:
                return NotFoundError
            self.pinned = kind == "pin"
            return None
        if version == self.version:
            self.pinned = self.pinned or kind == "pin"
        elif self.pinned and not force:
            return PinnedError
        elif version == self.rejected and not force:
            return RefusedError
        else:
            self.version, self.pinned = version, kind == "pin"
        return None


steps = st.tuples(st.sampled_from(["promote", "pin", "unpin"]), st.sampled_from([0, 1, 3, None]), st.booleans())


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(todo=st.lists(steps, max_size=12))
def test_whatever_is_asked_for_the_channel_does_what_the_rules_say(bucket, versions, todo):
    channel = f"channel-{len(ModelStore.of(bucket).channels())}"  # a new one for each example
    expected = _Expected(rejected=versions[3])
    for kind, number, force in todo:
        version = None if number is None else versions[number]
        if kind == "promote" and version is None:
            continue
        arguments = {"pin": {"to": version, "force": force}, "promote": {"version": version, "force": force}}
        move: Any = {"pin": pin, "promote": promote, "unpin": unpin}[kind]
        error = expected.move(kind, version, force=force)
        if error:
            with pytest.raises(error):
                move(bucket, channel, **WHO, **arguments.get(kind, {}))
        else:
            pointer = move(bucket, channel, **WHO, **arguments.get(kind, {}))
            assert (pointer.version, pointer.pinned) == (expected.version, expected.pinned)
    own = [move for move in history(bucket) if move.channel == channel]
    assert [move.previous for move in own] == [None, *(move.version for move in own[:-1])][: len(own)]
    assert all(before.version != after.version or before.pinned != after.pinned for before, after in pairwise(own))
