"""One JSON line a figure on stdout, and what is under way on stderr."""

import json
import os
import sys
from collections.abc import Callable
from statistics import median

SMALL = os.environ.get("SIZE") == "small"
"""A smoke run: small data, one pair."""

Measure = Callable[[], float]


def compare(
    bench: str,
    ours: Measure,
    theirs: Measure,
    *,
    unit: str,
    against: str,
    pairs: int,
    less_is_better: bool = False,
    **more: float | list[float],
) -> None:
    """Measure both sides in turn and print the medians; `ratio`, the median of the pairs', above 1: ours is better.

    What is known of the comparison besides, such as the interval of the difference, is printed as `more`, by name.
    """
    found = []
    for number in range(1, 1 + (1 if SMALL else pairs)):
        found.append((ours(), theirs()))
        us, them = map(_rounded, found[-1])
        progress(f"{bench}: pair {number}: ours {us:,}, theirs {them:,} {unit}")
    ratios = [them / us if less_is_better else us / them for us, them in found]
    line = {
        "bench": bench,
        "ours": _rounded(median(us for us, _ in found)),
        "theirs": _rounded(median(them for _, them in found)),
        "ratio": _rounded(median(ratios)),
        "unit": unit,
        "against": against,
        "pairs": len(found),
        **{
            name: [*map(_rounded, value)] if isinstance(value, list) else _rounded(value)
            for name, value in more.items()
        },
    }
    print(json.dumps(line), flush=True)  # noqa: T201 - the result


def progress(text: str) -> None:
    """Say on stderr what is under way."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - not a log: a person waits


def _rounded(value: float) -> float:
    return float(f"{value:.3g}") if value < 1_000 else round(value)
