"""What a run did, in a page of plain text: the funnel, the metrics beside the baselines, the verdict, the version."""

from collections.abc import Mapping
from pathlib import Path

from tabulate import tabulate

from song2vec.channels import pin_in_words
from song2vec.gates import may_promote
from song2vec.metrics.text import metrics_page
from song2vec.playlists.changes import in_words
from song2vec.plumbing.files import whole_file
from song2vec.plumbing.logs import show
from song2vec.records import DataDecision, Decision, Funnel, Metrics, Training, funnel_table
from song2vec_client.errors import NotFoundError
from song2vec_client.model import SongModel
from song2vec_client.store import ModelStore


def report(store: ModelStore, folders: Mapping[str, Path], version: str, channel: str, *, why: str, out: Path) -> str:
    """Pull `version` as a service does, write ``summary.txt`` to the folder `out`, log it and return it.

    Args:
        store: the model store.
        folders: those of `prepare`, `check_data`, `evaluate` and `gate`, by stage.
        version: what the run published.
        channel: the channel that the run moves.
        why: why the channel was not moved, or what a person answered who was asked; empty: nothing is to be said.
        out: the folder to write to.
    """
    decision = Decision.read(folders["gate"] / Decision.FILE)
    if not may_promote(decision):
        why = "the gate refused the model."
    published = store.version(version)
    text = summarise(
        funnel=Funnel.read(folders["prepare"] / Funnel.FILE),
        data=DataDecision.read(folders["check_data"] / DataDecision.FILE),
        metrics=Metrics.read(folders["evaluate"] / Metrics.FILE),
        decision=decision,
        version=version,
        where=store.bucket.uri,
        alignment=Training.parse(published.read(Training.FILE)).alignment.sentence,
        model=published.load(),
        live=_live(store, channel, version, why),
    )
    with whole_file(out / "summary.txt") as file:
        file.write_text(text, encoding="utf-8")
    show(text)
    return text


def _live(store: ModelStore, channel: str, version: str, why: str) -> str:
    """What the channel names, in words, and why it was not moved if it was not."""
    try:
        live = store.resolve(channel)
    except NotFoundError:
        live = None
    if live and live.version == version:
        return channel
    if live and live.pinned:
        return pin_in_words(live)
    names = f"{channel} stays at {live.version}" if live else f"{channel} names no version"
    return f"{names}: {why}" if why else names


def neighbours_table(model: SongModel, k: int = 5) -> str:
    """The `k` songs most similar to the model's most frequent song."""
    sample = int(model.songs[0])
    songs, scores = model.similar(sample, k)
    rows = [[song, f"{score:.3f}"] for song, score in zip(songs, scores, strict=True)]
    return f"Songs most similar to {sample}:\n" + tabulate(rows, tablefmt="plain", disable_numparse=True)


def summarise(
    *,
    funnel: Funnel,
    data: DataDecision,
    metrics: Metrics,
    decision: Decision,
    version: str,
    where: str,
    alignment: str,
    model: SongModel,
    live: str,
) -> str:
    """The page that ends a run's log; `live`: what the channel names now, in words."""
    lines = [
        "What became of the rows",
        funnel_table(funnel),
        "",
        f"The data: {data.sentence}",
        *([f"   since {data.live_version}: {in_words(data.changes)}"] if data.changes else []),
        "",
        f"How good the model is, on {metrics.playlists:,} held-out playlists",
        metrics_page(metrics),
        "",
        f"The gate: {decision.sentence}",
        f"Published: {version}",
        f"       at: {where}/versions/{version}",
        *([f"   vectors: {alignment}"] if alignment else []),
        f"     live: {live}",
        "",
        neighbours_table(model),
    ]
    return "\n".join(lines) + "\n"
