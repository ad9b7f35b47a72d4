"""A study as an SVG: the ranking of each trial and the best so far over the minutes, and which settings matter."""

from collections.abc import Iterator
from xml.sax.saxutils import escape

from song2vec.plumbing.axes import ticks
from song2vec.records import Trial, Tuning

WIDTH, HEIGHT = 960, 320
LEFT, RIGHT, TOP, BOTTOM = 64, 640, 40, 270  # of the trials; to their right is what matters
BARS, LABELS, ROW = 800, 690, 24

_STYLE = """
text { font: 13px sans-serif; fill: #333 } .title { font-weight: bold } .grid { stroke: #ddd }
.trial { fill: #7a9cc6 } .today { fill: #d95f02 } .best { fill: none; stroke: #1b6ca8; stroke-width: 2 }
.pruned { stroke: #999 } .bar { fill: #7a9cc6 } .right { text-anchor: end } .middle { text-anchor: middle }
"""


def picture(tuning: Tuning) -> str:
    """The picture."""
    shapes = [*_trials(tuning), *_importance(tuning)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">\n'
        f'<style>{_STYLE}</style>\n<rect width="100%" height="100%" fill="white"/>\n' + "\n".join(shapes) + "\n</svg>\n"
    )


def _trials(tuning: Tuning) -> Iterator[str]:
    """A dot a complete trial, a mark at the bottom for each other one, a line for the best so far."""
    ranked = [trial.ndcg for trial in tuning.trials if trial.ndcg is not None] or [0, 1]
    marks = ticks(min(ranked), max(ranked))
    minutes = ticks(0, max(tuning.minutes, 1e-3))

    def across(trial: Trial) -> float:
        return LEFT + (trial.minutes or 0) / minutes[-1] * (RIGHT - LEFT)

    def down(ndcg: float) -> float:
        return TOP + (marks[-1] - ndcg) / (marks[-1] - marks[0]) * (BOTTOM - TOP)

    yield _text(LEFT, 24, f"nDCG@{tuning.top} of each trial, and the best so far", "title")
    for mark in marks:
        yield f'<path class="grid" d="M{LEFT} {down(mark):.1f}H{RIGHT}"/>'
        yield _text(LEFT - 6, down(mark) + 4, f"{mark:g}", "right")
    for mark in minutes:
        yield _text(LEFT + mark / minutes[-1] * (RIGHT - LEFT), BOTTOM + 20, f"{mark:g}", "middle")
    yield _text(
        (LEFT + RIGHT) / 2, BOTTOM + 40, "minutes; orange: today's settings; marks below: ended early", "middle"
    )
    path, best = "", float("-inf")
    for trial in tuning.trials:
        x = across(trial)
        if trial.ndcg is None:
            yield f'<path class="pruned" d="M{x:.1f} {BOTTOM}v-6"/>'
            continue
        best = max(best, trial.ndcg)
        path += f"H{x:.1f}V{down(best):.1f}" if path else f"M{x:.1f} {down(best):.1f}"
        kind = "today" if trial.settings == tuning.today else "trial"
        yield f'<circle class="{kind}" cx="{x:.1f}" cy="{down(trial.ndcg):.1f}" r="4"/>'
    if path:
        yield f'<path class="best" d="{path}"/>'


def _importance(tuning: Tuning) -> Iterator[str]:
    """A bar a setting."""
    yield _text(LABELS, 24, "Which settings matter", "title")
    if not tuning.importance:
        yield _text(LABELS, TOP + ROW, "too few trials to say")
    for place, (name, share) in enumerate(tuning.importance.items()):
        y = TOP + place * ROW
        width = share / max(tuning.importance.values()) * (WIDTH - BARS - 60) if share else 0
        yield _text(BARS - 8, y + 13, name, "right")
        yield f'<rect class="bar" x="{BARS}" y="{y}" width="{width:.1f}" height="{ROW - 8}"/>'
        yield _text(BARS + width + 6, y + 13, f"{share:.0%}")


def _text(x: float, y: float, text: str, kind: str = "") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'
