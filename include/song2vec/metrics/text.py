"""What metrics say, for people: tables of figures with their intervals, and sentences."""

from tabulate import tabulate

from song2vec.records import Compared, Difference, Figures, Metrics, Span, Stability

NAMES = {"model": "this model", "live": "live version", "item_knn": "item-kNN", "popularity": "popular songs"}
"""Who is measured, in the order of the tables."""

METRICS = {
    "ndcg": "nDCG@{top}",
    "hit_rate": "HR@10",
    "r_precision": "R-precision",
    "recall": "recall@{top}",
    "mrr": "MRR@{top}",
    "coverage": "coverage",
    "popularity_bias": "popularity bias",
}
"""The titles of the metrics, in the order of the tables; `title` fills in how many recommendations are looked at."""

_COMPARED = ("ndcg", "hit_rate", "recall")  # more would make a table too wide for a log
_NOTHING = "–"


def metrics_page(metrics: Metrics, style: str = "simple") -> str:
    """All of it: figures, differences, slices and what else there is to say.

    Args:
        metrics: what is missing is left out.
        style: a table format of tabulate: ``simple`` for a log, ``github`` for Markdown.
    """
    parts = [metrics_table(metrics, style)]
    if metrics.differences.given():
        parts += ["How much better this model is, with the 95 % interval:", differences_table(metrics, style)]
    if metrics.slices:
        parts += [f"{title('ndcg', metrics)} of each part:", slices_table(metrics, style)]
    return "\n\n".join([*parts, *sentences(metrics)])


def metrics_table(metrics: Metrics, style: str = "simple") -> str:
    """A line for the model, one for its intervals, and one for each that it is compared with."""
    rows = [
        [NAMES[name], *(_figure(getattr(getattr(metrics, name), metric)) for metric in METRICS)]
        for name in _measured(metrics)
    ]
    if spans := metrics.intervals.model:
        rows.insert(1, ["95 % interval", *(_span(getattr(spans, metric)) for metric in METRICS)])
    return _table(rows, ["", *(title(metric, metrics) for metric in METRICS)], style)


def differences_table(metrics: Metrics, style: str = "simple") -> str:
    """A line for each that the model is compared with: how much better it is, by which metric."""
    rows = [
        [f"than {title}", *(difference(getattr(differences, metric)) for metric in _COMPARED)]
        for name, title in NAMES.items()
        if (differences := getattr(metrics.differences, name))
    ]
    return _table(rows, ["", *(title(metric, metrics) for metric in _COMPARED)], style)


def slices_table(metrics: Metrics, style: str = "simple") -> str:
    """The ranking in each slice, and how much better the model is there than the live version."""
    names = _measured(metrics)
    rows = [
        [
            part.sentence,
            f"{part.playlists:,}",
            *(_figure(getattr(getattr(part, name), "ndcg", None)) for name in names),
            *([difference(than_live(part))] if metrics.live else []),
        ]
        for part in metrics.slices
    ]
    more = ["than live version"] if metrics.live else []
    return _table(rows, ["", "playlists", *(NAMES[name] for name in names), *more], style)


def than_live(part: Compared) -> Difference | None:
    """How much better the model ranks than the live version; None where that was not measured."""
    return part.differences.live.ndcg if part.differences.live else None


def sentences(metrics: Metrics) -> list[str]:
    """What the figures leave out: what cannot be found, what item-kNN is, who was compared, what moved."""
    lines = []
    if (share := metrics.hidden_unknown_share) is not None:
        span = metrics.hidden_unknown_interval
        sure = f" (95 % interval {span[0]:.1%} to {span[1]:.1%})" if span else ""
        lines.append(f"{share:.1%} of the hidden songs are unknown to the model{sure}: it cannot find them.")
    if (theirs := metrics.item_knn) and (differences := metrics.differences.item_knn) and differences.ndcg:
        lines.append(_beside_item_knn(metrics, theirs, differences.ndcg))
    if live := metrics.protocol.live:
        lines.append(live)
    if stability := metrics.stability:
        lines.append(_moved(stability))
    return lines


def difference(measured: Difference | None) -> str:
    """A difference with its interval: ``+0.012 (+0.003 to +0.021)``."""
    if not measured:
        return _NOTHING
    low, high = measured.interval
    return f"{measured.mean:+.3f} ({low:+.3f} to {high:+.3f})"


def title(metric: str, metrics: Metrics) -> str:
    """The title of a metric, as `metrics` measured it: ``nDCG@100``."""
    return METRICS[metric].format(top=metrics.protocol.top)


def _beside_item_knn(metrics: Metrics, item_knn: Figures, difference: Difference) -> str:
    """What item-kNN is, and who is ahead of whom."""
    low, high = difference.interval
    word = "ahead" if difference.mean >= 0 else "behind"
    if difference.mean < 0:
        low, high = -high, -low
    what, theirs, ours = title("ndcg", metrics), _figure(item_knn.ndcg), _figure(metrics.model.ndcg)
    return (
        f"Songs that share playlists with the shown ones (item-kNN) reach {what} {theirs}; the model {ours}, {word} by "
        f"{abs(difference.mean):.3f}, interval {low:.3f} to {high:.3f}{', which may be chance' * (low <= 0)}."
    )


def _moved(stability: Stability) -> str:
    songs = f"{stability.songs_new:,} songs are new and {stability.songs_gone:,} gone since {stability.version}"
    if stability.neighbours_kept is None:
        return f"{songs}; no song is in both."
    kept = f"{stability.neighbours_kept:.0%} of their {stability.at} nearest neighbours"
    return f"{songs}; the others keep {kept} (of {stability.sampled:,} songs)."


def _measured(metrics: Compared) -> list[str]:
    return [name for name in NAMES if getattr(metrics, name)]


def _figure(value: float | None) -> str:
    return _NOTHING if value is None else f"{value:.3f}"


def _span(span: Span) -> str:
    return f"{span[0]:.3f} to {span[1]:.3f}" if span else ""


def _table(rows: list[list[str]], head: list[str], style: str) -> str:
    shown = [place for place in range(len(head)) if place == 0 or any(row[place] not in (_NOTHING, "") for row in rows)]
    align = ["left", *["right"] * (len(shown) - 1)]
    kept = [[row[place] for place in shown] for row in rows]
    return tabulate(kept, [head[place] for place in shown], style, disable_numparse=True, colalign=align)
