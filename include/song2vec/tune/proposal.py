"""Whether settings are proposed, in a sentence; and the file with them, which a person accepts."""

from song2vec.records import Tuning

PROPOSED = "proposed.toml"

ACCEPT = (
    f"To try them: song2vec run --config {PROPOSED}.",
    "To accept them: copy the lines from [train] on into the settings file that SONG2VEC_CONFIG names, on every",
    "machine, or name this file there. The gate judges what is trained with them like any other model.",
)
"""How a person accepts what is proposed."""


def verdict(tuning: Tuning) -> tuple[str, bool]:
    """What came of a study in a sentence, and whether the best settings are to be proposed.

    They are where the 95 % interval of what they gain lies above 0.
    """
    complete = [trial for trial in tuning.trials if trial.outcome == "complete"]
    if not complete:
        return "Nothing is proposed: no training was complete in time. Raise tune.minutes.", False
    if not tuning.confirmed:
        first = f"nDCG@{tuning.top} {complete[0].ndcg:.4f} on the {tuning.choose_playlists:,} playlists that choose"
        others = len(tuning.trials) - 1
        return f"Nothing is proposed: none of {others} other settings ranked better than today's ({first}).", False
    gain = tuning.confirmed.gain
    low, high = gain.interval
    figures = (
        f"on {tuning.confirm_playlists:,} playlists that chose nothing nDCG@{tuning.top} is "
        f"{tuning.confirmed.best.ndcg:.4f} instead of {tuning.confirmed.today.ndcg:.4f} with today's settings "
        f"({gain.mean:+.4f}, 95 % interval {low:+.4f} to {high:+.4f})"
    )
    if low > 0:
        return f"Better settings are proposed: {figures}.", True
    return f"Nothing is proposed, as chance may explain the gain of the best settings: {figures}.", False


def proposal(tuning: Tuning) -> str:
    """The settings file: those settings that differ from today's."""
    lines = [f"{name} = {value!r}  # today {tuning.today[name]!r}" for name, value in tuning.proposed.items()]
    comment = ["Made by song2vec tune. Nothing reads this file until a person accepts it.", tuning.sentence, *ACCEPT]
    return "\n".join([*(f"# {line}" for line in comment), "", "[train]", *lines, ""])
