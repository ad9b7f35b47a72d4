"""Axes of charts: where their marks are."""

import math


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers, `about` of them and at least two, that span `low` to `high`: steps of 1, 2 or 5 times 10^n.

    Where `low` and `high` are as good as equal, the step is a tenth of their size.
    """
    span = high - low
    if span <= max(1e-9 * max(abs(low), abs(high)), 1e-300):  # a smaller one has no fifth part
        span = max(abs(low), abs(high), 1.0) / 10 * about
    power = math.floor(math.log10(span / about))
    step = next(factor for factor in (1, 2, 5, 10) if factor * 10.0**power >= span / about * 0.999) * 10.0**power
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(number * step, max(0, 1 - power)) for number in range(first, max(last, first + 1) + 1)]
