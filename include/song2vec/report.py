"""What a run did, in a page of plain text: the funnel, the metrics beside the baselines, the verdict, the version."""

from pathlib import Path

from tabulate import tabulate

from song2vec.metrics.text import metrics_page
from song2vec.playlists.changes import in_words
from song2vec.playlists.funnel import funnel_table
from song2vec.plumbing.files import read_json
from song2vec_client.model import SongModel


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
        metrics_page(measured),
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
