"""What a run did, in a page of plain text: the funnel, the metrics beside the baselines, the verdict, the version."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tabulate import tabulate

from song2vec.changes import in_words
from song2vec.files import read_json
from song2vec.funnel import funnel_table
from song2vec_client.model import SongModel

_NAMES = {"model": "this model", "popularity": "popular songs", "item_knn": "item-kNN", "champion": "in production"}
_METRICS = {"ndcg": "nDCG@100", "hit_rate": "HR@10", "r_precision": "R-precision", "recall": "recall@100"}


def metrics_table(metrics: Mapping[str, Any], style: str = "simple") -> str:
    """The metrics as a table: one line for the model and for each baseline, one column for each metric.

    Args:
        metrics: what ``metrics.json`` holds; a baseline or a metric that is missing is left out.
        style: a table format of tabulate: ``simple`` for a log, ``github`` for Markdown.
    """
    import pandas as pd

    found = {title: metrics[name] for name, title in _NAMES.items() if isinstance(metrics.get(name), Mapping)}
    table = pd.DataFrame.from_dict(found, orient="index").reindex(columns=list(_METRICS)).dropna(axis=1, how="all")
    return table.rename(columns=_METRICS).to_markdown(tablefmt=style, floatfmt=".3f", missingval="–")


def neighbours_table(model: SongModel, k: int = 5) -> str:
    """The `k` songs most similar to the model's most frequent song."""
    sample = int(model.songs[0])
    songs, scores = model.similar(sample, k)
    rows = [[song, f"{score:.3f}"] for song, score in zip(songs, scores, strict=True)]
    return f"Songs most similar to {sample}:\n" + tabulate(rows, tablefmt="plain", disable_numparse=True)


def summarise(
    *,
    funnel: Path,
    checked: Path,
    metrics: Path,
    decision: Path,
    version: str,
    where: str,
    alignment: str,
    model: SongModel,
    live: str,
) -> str:
    """The page that ends a run's log; `live`: what the channel names now, in words."""
    data = read_json(checked)
    measured = read_json(metrics)
    verdict = read_json(decision)
    lines = [
        "What became of the rows",
        funnel_table(read_json(funnel)),
        "",
        f"The data: {data['sentence']}",
        *([f"   since {data['since']}: {in_words(data['changes'])}"] if data["changes"] else []),
        "",
        f"How good the model is, on {measured['playlists']:,} held-out playlists",
        metrics_table(measured),
        "",
        f"The gate: {verdict['sentence']}",
        f"Published: {version}",
        f"       at: {where}/versions/{version}",
        *([f"   vectors: {alignment}"] if alignment else []),
        f"     live: {live}",
        "",
        neighbours_table(model),
    ]
    return "\n".join(lines) + "\n"
