"""The geometry of the charts, for inline SVG: numbers in, coordinates out."""

from collections.abc import Sequence
from dataclasses import dataclass

from song2vec.plumbing.axes import ticks

WIDTH, HEIGHT = 720, 240
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 12, 40  # margins: room for the labels of the axes
MOST_POINTS = 400  # more would not be seen at this width


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: where along it, and what it says."""

    at: float
    label: str


@dataclass(frozen=True)
class LineChart:
    """A line over two axes; coordinates are those of a ``viewBox`` of ``WIDTH`` by ``HEIGHT``."""

    points: str  # of an SVG polyline
    first: tuple[float, float]
    last: tuple[float, float]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]


def line_chart(points: Sequence[tuple[float, float]]) -> LineChart | None:
    """Lay out `points` (x rising, y finite) as a line; None where there is nothing to draw."""
    if not points:
        return None
    shown = _thinned(points)
    x_marks = ticks(points[0][0], points[-1][0])
    y_marks = ticks(min(y for _, y in points), max(y for _, y in points))
    x_low, width = points[0][0], max(points[-1][0] - points[0][0], 1)
    y_low, y_high = y_marks[0], y_marks[-1]

    def across(x: float) -> float:
        return round(LEFT + (x - x_low) / width * (WIDTH - LEFT - RIGHT), 1)

    def down(y: float) -> float:
        return round(TOP + (y_high - y) / (y_high - y_low) * (HEIGHT - TOP - BOTTOM), 1)

    placed = [(across(x), down(y)) for x, y in shown]
    return LineChart(
        points=" ".join(f"{x},{y}" for x, y in placed),
        first=placed[0],
        last=placed[-1],
        x_ticks=tuple(Tick(across(x), f"{x:g}") for x in x_marks if x_low <= x <= x_low + width and x == int(x)),
        y_ticks=tuple(Tick(down(y), f"{y:g}") for y in y_marks),
    )


def _thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Every n-th point, so that at most `MOST_POINTS` are left, and always the last."""
    stride = -(-len(points) // MOST_POINTS)
    shown = list(points[::stride])
    return shown if shown[-1] == points[-1] else [*shown, points[-1]]
