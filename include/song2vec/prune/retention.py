"""Which versions must stay when old ones are deleted, and why: rules over what a store holds, nothing else."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from song2vec.channels import version_before
from song2vec.settings import RetentionSettings
from song2vec_client.format.records import Move, Pointer


def reasons_by_name(pointers: Iterable[Pointer], moves: Sequence[Move], rules: RetentionSettings) -> dict[str, str]:
    """The versions that a channel names, a rollback of one leads to, or its last moves name, each with the reason.

    Args:
        pointers: what every channel holds.
        moves: the whole history, first to last. It may be ahead of the pointers by one move, or behind one.
        rules: how many moves of a channel count.
    """
    last = {move.channel: move for move in moves}
    reasons: dict[str, str] = {}
    for pointer in [*pointers, *last.values()]:
        reasons.setdefault(pointer.version, f"live in {pointer.channel}")
    for channel in last:
        if before := version_before(list(moves), channel):
            reasons.setdefault(before, f"a rollback of {channel} leads to it")
    for channel in last:
        channel_moves = [move for move in moves if move.channel == channel]
        for move in channel_moves[-rules.keep_moves :]:
            for version in filter(None, (move.version, move.previous)):
                reasons.setdefault(version, f"in the last {rules.keep_moves} moves of {channel}")
    return reasons


def reasons_to_stay(
    published: Mapping[str, datetime], names: Mapping[str, str], rules: RetentionSettings, now: datetime
) -> dict[str, str]:
    """The published versions that stay, each with the reason; all others may go.

    Args:
        published: every version, and when it was published.
        names: what `reasons_by_name` gives.
        rules: how many, and how young.
        now: the time, with its zone.
    """
    reasons = {version: why for version, why in names.items() if version in published}
    for version in sorted(published, reverse=True)[: rules.keep_versions]:
        reasons.setdefault(version, f"one of the newest {rules.keep_versions}")
    for version, time in published.items():
        if now - time < timedelta(days=rules.keep_days):
            reasons.setdefault(version, f"published less than {rules.keep_days} days ago")
    return reasons
