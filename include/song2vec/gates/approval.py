"""What a person is asked before a channel moves, and how the answer is told."""

from song2vec.metrics.text import metrics_page
from song2vec.records import Decision, Metrics


def question(channel: str, version: str, decision: Decision, metrics: Metrics) -> tuple[str, str]:
    """The question in one line, and in Markdown what one needs to know to answer it.

    Args:
        channel: the channel to move.
        version: the version it is to name.
        decision: the gate's on it.
        metrics: what the decision rests on.
    """
    remarks = [f"- {rule.sentence}" for rule in decision.rules if not rule.passed]
    body = [
        decision.sentence,
        f"On {metrics.playlists:,} playlists that were not trained on:",
        metrics_page(metrics, "github"),
        *(["Not met, or abstained:", "\n".join(remarks)] if remarks else []),
    ]
    return f"May {channel} move to {version}?", "\n\n".join(body)


def answered(approved: bool, who: str | None, hours: float) -> str:
    """The answer in a sentence, for logs and for the history of the channel; `who` is None where nobody gave it."""
    verdict = "Approved" if approved else "Rejected"
    return f"{verdict} by {who}." if who else f"{verdict} by default: nobody answered within {hours:g} hours."
