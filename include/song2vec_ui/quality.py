"""How good a version is, laid out: the table of figures, and a picture of its parts."""

from collections.abc import Iterator
from dataclasses import dataclass

from song2vec.metrics.text import METRICS, NAMES, sentences, than_live, title
from song2vec.records import Compared, Difference, Figures, Metrics

RIVALS = NAMES | {"live": "live then"}
MOST_PARTS = 500
DOTS_WIDTH, DOTS_MARGIN = 400.0, 6.0  # of the picture of one part, in its own units

_UNRANKED = {"coverage", "popularity_bias"}  # more is not simply better


@dataclass(frozen=True)
class Cell:
    """A figure, whether it is the best of its column, and its 95 % interval where there is one."""

    value: float | None
    best: bool = False
    span: tuple[float, float] | None = None


@dataclass(frozen=True)
class Rival:
    """A line in the table of metrics: the model or what it is compared with."""

    title: str
    is_model: bool
    cells: tuple[Cell, ...]  # one a metric


@dataclass(frozen=True)
class Dot:
    """Where a recommender stands on the line of a part, and from where to where its interval reaches."""

    name: str
    title: str
    at: float
    span: tuple[float, float] | None


@dataclass(frozen=True)
class Part:
    """A part of the playlists, as a line of dots; the model's is drawn last, over the others."""

    name: str
    sentence: str
    playlists: int
    dots: tuple[Dot, ...]
    figure: float | None
    than_live: Difference | None


@dataclass(frozen=True)
class Quality:
    """The section of the page."""

    titles: tuple[str, ...]
    rivals: tuple[Rival, ...]
    parts: tuple[Part, ...]
    shown: tuple[tuple[str, str], ...]  # name and title of everybody in the picture
    highest: float  # the figure at the right end of the picture
    sentences: tuple[str, ...]
    more: int  # parts that are not drawn


def quality(metrics: Metrics) -> Quality:
    """Lay out the metrics of a version."""
    parts = tuple(_parts(metrics))
    return Quality(
        titles=metric_titles(metrics),
        rivals=rivals(metrics),
        parts=parts,
        shown=tuple((name, RIVALS[name]) for name in RIVALS if name in _figures(metrics)),
        highest=_highest(metrics),
        sentences=tuple(sentences(metrics)),
        more=max(0, len(metrics.slices) - MOST_PARTS),
    )


def metric_titles(metrics: Metrics) -> tuple[str, ...]:
    """The names of the metrics, in the order of `Rival.cells`; those that nobody has are left out."""
    return tuple(title(metric, metrics) for metric in _columns(metrics))


def rivals(metrics: Metrics) -> tuple[Rival, ...]:
    """The table of metrics: the model first, then what it is compared with."""
    figures = _figures(metrics)
    columns = _columns(metrics)
    best = {
        metric: max((value for one in figures.values() if (value := getattr(one, metric)) is not None), default=None)
        for metric in columns
    }

    def cell(name: str, metric: str) -> Cell:
        value = getattr(figures[name], metric)
        is_best = value is not None and value == best[metric] and metric not in _UNRANKED
        return Cell(value, is_best, getattr(getattr(metrics.intervals, name), metric, None))

    return tuple(
        Rival(RIVALS[name], name == "model", tuple(cell(name, metric) for metric in columns)) for name in figures
    )


def _parts(metrics: Metrics) -> Iterator[Part]:
    """All playlists, then the slices."""
    highest = _highest(metrics)
    yield _part("all playlists", "", metrics, highest)
    for part in metrics.slices[:MOST_PARTS]:
        yield _part(part.name, part.sentence, part, highest)


def _part(name: str, sentence: str, measured: Compared, highest: float) -> Part:
    def place(value: float) -> float:
        share = min(max(value / highest, 0.0), 1.0)
        return round(DOTS_MARGIN + share * (DOTS_WIDTH - 2 * DOTS_MARGIN), 1)

    dots = []
    for rival, figures in reversed(_figures(measured).items()):
        value, span = figures.ndcg, getattr(getattr(measured.intervals, rival), "ndcg", None)
        if value is not None:
            dots.append(Dot(rival, RIVALS[rival], place(value), (place(span[0]), place(span[1])) if span else None))
    return Part(name, sentence, measured.playlists, tuple(dots), measured.model.ndcg, than_live(measured))


def _highest(metrics: Metrics) -> float:
    """The largest figure or end of an interval in the picture."""
    values = [0.0]
    for measured in (metrics, *metrics.slices):
        values += [one.ndcg for one in _figures(measured).values() if one.ndcg is not None]
        values += [span[1] for name in RIVALS if (span := getattr(getattr(measured.intervals, name), "ndcg", None))]
    return max(values) or 1.0


def _figures(measured: Compared) -> dict[str, Figures]:
    return {name: figures for name in RIVALS if (figures := getattr(measured, name))}


def _columns(metrics: Metrics) -> list[str]:
    figures = _figures(metrics).values()
    return [metric for metric in METRICS if any(getattr(one, metric) is not None for one in figures)]
