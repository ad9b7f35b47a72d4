"""How figures are written on the pages; the filters of the templates."""

from datetime import UTC, datetime

NOTHING = "–"
LONGEST = 4_000  # characters of a text that a page shows
_UNITS = ("B", "KB", "MB", "GB", "TB")
_STEPS = ((60, "second"), (60, "minute"), (24, "hour"), (30, "day"), (12, "month"))


def cut(text: str, longest: int = LONGEST) -> str:
    """A text of which nobody knows how long it is: at most `longest` characters of it, and then an ellipsis."""
    return text if len(text) <= longest else text[:longest] + "…"


def count(value: int | None) -> str:
    """A whole number with its thousands apart: ``12,345``."""
    return NOTHING if value is None else f"{value:,}"


def score(value: float | None) -> str:
    """A metric: ``0.169``, ``−0.092``."""
    return NOTHING if value is None else f"{value:.3f}".replace("-", "−")


def difference(value: float) -> str:
    """A difference of metrics: ``+0.012``, ``−0.012``."""
    return f"{value:+.3f}".replace("-", "−")


def figure(value: float | None) -> str:
    """Any number, short: ``20``, ``0.169``, ``1.2e+09``."""
    if value is None:
        return NOTHING
    return f"{value:,.0f}" if value == int(value) and abs(value) < 1e9 else f"{value:.4g}"


def signed(value: float | None) -> str:
    """A number with its sign: ``+0.151``, ``−0.13``."""
    if value is None:
        return NOTHING
    return f"{'−' if value < 0 else '+'}{figure(abs(value))}"


def percent(part: float, whole: float) -> str:
    """A share: ``12.3 %``; what is not nothing is never shown as nothing."""
    share = part / whole * 100 if whole else 0.0
    return "< 0.1 %" if 0 < share < 0.1 else f"{share:.1f} %"


def size(octets: int) -> str:
    """A file's size in decimal units: ``12.3 MB``."""
    value, unit = float(octets), 0
    while value >= 999.95 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{value:.1f} {_UNITS[unit]}" if unit else f"{octets} B"


def duration(seconds: float) -> str:
    """A length of time: ``1 h 05 min``, ``2 min 05 s``, ``3.2 s``."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def moment(when: datetime) -> str:
    """A time in UTC, to the minute: ``2026-11-22 04:00 UTC``."""
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def ago(when: datetime, now: datetime) -> str:
    """How long ago something was, in its largest unit: ``3 hours ago``."""
    value = max(0, int((now - when).total_seconds()))
    for length, unit in _STEPS:
        if value < length:
            return "just now" if unit == "second" else f"{value} {unit}{'s' * (value > 1)} ago"
        value //= length
    return f"{value} year{'s' * (value > 1)} ago"


FILTERS = {f.__name__: f for f in (cut, count, score, difference, figure, signed, percent, size, duration, moment, ago)}
