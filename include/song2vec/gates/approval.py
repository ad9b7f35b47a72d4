"""What a person is asked before a channel moves, and how the answer is told."""

from collections.abc import Mapping
from typing import Any

from song2vec.metrics.text import metrics_page


def question(channel: str, version: str, decision: Mapping[str, Any], metrics: Mapping[str, Any]) -> tuple[str, str]:
    """The question in one line, and in Markdown what one needs to know to answer it.

    Args:
        channel: the channel to move.
        version: the version it is to name.
        decision: what ``decision.json`` holds.
        metrics: what ``metrics.json`` holds.
    """
    remarks = [f"- {rule['sentence']}" for rule in decision["rules"] if not rule["passed"]]
    body = [
        decision["sentence"],
        f"On {metrics['playlists']:,} playlists that were not trained on:",
        metrics_page(metrics, "github"),
        *(["Not met, or abstained:", "\n".join(remarks)] if remarks else []),
    ]
    return f"May {channel} move to {version}?", "\n\n".join(body)


def answered(approved: bool, who: str | None, hours: float) -> str:
    """The answer in a sentence, for logs and for the history of the channel; `who` is None where nobody gave it."""
    verdict = "Approved" if approved else "Rejected"
    return f"{verdict} by {who}." if who else f"{verdict} by default: nobody answered within {hours:g} hours."
