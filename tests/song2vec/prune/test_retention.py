"""Which versions stay: whatever was promoted and rolled back before, never is anything live let go."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from song2vec.channels import version_before
from song2vec.prune.retention import reasons_by_name, reasons_to_stay
from song2vec.settings import RetentionSettings
from song2vec_client.format.records import Move

NOW = datetime(2026, 6, 1, tzinfo=UTC)
VERSIONS = [f"202601{day:02}T040000Z-0123abcd" for day in range(1, 13)]
TIMES = {version: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day) for day, version in enumerate(VERSIONS)}
CHANNELS = ["production", "candidate"]

rules = st.builds(
    RetentionSettings,
    keep_versions=st.integers(1, 15),
    keep_days=st.sampled_from([0, 140, 150, 1000]),
    keep_moves=st.integers(1, 8),
)


@st.composite
def histories(draw):
    """Moves as promote and rollback make them, and the pointers they lead to; the last may not have got there."""
    moves, live = [], {}
    for sequence in range(1, draw(st.integers(0, 25)) + 1):
        channel = draw(st.sampled_from(CHANNELS))
        before = version_before(moves, channel)
        back = before is not None and draw(st.booleans())
        version = before if back and before else draw(st.sampled_from(VERSIONS))
        kind = "rollback" if back else "promote"
        previous = live[channel].version if channel in live else None
        moves.append(Move(sequence, channel, version, "0" * 64, previous, "who", NOW, "why", kind=kind))
        live[channel] = moves[-1].pointer()
    if moves and draw(st.booleans()):
        live.pop(moves[-1].channel)
        live |= {move.channel: move.pointer() for move in moves[:-1]}
    return moves, list(live.values())


@given(histories(), rules)
def test_nothing_goes_that_is_live_or_comes_next_or_is_new(history, rules):
    moves, pointers = history

    reasons = reasons_to_stay(TIMES, reasons_by_name(pointers, moves, rules), rules, NOW)

    goes = set(TIMES) - set(reasons)
    assert not goes & {pointer.version for pointer in pointers}
    for channel in CHANNELS:
        own = [move for move in moves if move.channel == channel]
        assert not goes & {move.version for move in own[-rules.keep_moves :]}
        assert not goes & {move.previous for move in own[-rules.keep_moves :]}
        assert version_before(moves, channel) not in goes
    assert not goes & set(VERSIONS[-rules.keep_versions :])
    assert all(NOW - TIMES[version] >= timedelta(days=rules.keep_days) for version in goes)


@given(histories(), rules)
def test_everything_goes_that_no_rule_names(history, rules):
    moves, pointers = history
    needed = {pointer.version for pointer in pointers} | set(VERSIONS[-rules.keep_versions :])
    for channel in CHANNELS:
        own = [move for move in moves if move.channel == channel]
        needed |= {version for move in own[-rules.keep_moves :] for version in (move.version, move.previous)}
        needed |= {version_before(moves, channel), *(move.version for move in own[-1:])}
    needed |= {version for version, time in TIMES.items() if NOW - time < timedelta(days=rules.keep_days)}

    assert set(reasons_to_stay(TIMES, reasons_by_name(pointers, moves, rules), rules, NOW)) == needed & set(TIMES)


def test_what_a_rollback_leads_to_stays_however_long_ago_it_was_promoted():
    a, b, *others = VERSIONS
    steps = [("promote", a), ("promote", b)]
    for version in others[:5]:
        steps += [("promote", version), ("rollback", b)]
    moves, previous = [], None
    for sequence, (kind, version) in enumerate(steps, start=1):
        moves.append(Move(sequence, "production", version, "0" * 64, previous, "who", NOW, "why", kind=kind))
        previous = version

    reasons = reasons_by_name([moves[-1].pointer()], moves, RetentionSettings(keep_moves=1))

    assert reasons == {
        b: "live in production",
        a: "a rollback of production leads to it",
        others[4]: "in the last 1 moves of production",
    }
