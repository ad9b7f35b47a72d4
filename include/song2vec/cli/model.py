"""The commands that train a model, measure it, judge it and ask it, and that look for better settings."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from song2vec.cli import frames, options, show
from song2vec.cli.command import Record, command
from song2vec.cli.deployment import open_store

if TYPE_CHECKING:
    from song2vec.records import Decision, Metrics, Tuning
    from song2vec.settings import Settings
    from song2vec.versions import LiveModel
    from song2vec_client.model import SongModel

ModelVersion = Annotated[
    str | None, Option("--model-version", metavar="VERSION", help="Of the store; without: the live one.")
]


@command("train", "publish")
def train(
    settings: "Settings",
    playlists: Annotated[Path, Argument(metavar="PLAYLISTS.parquet", help="What prepare wrote.")],
    out: Annotated[Path, Option(metavar="MODEL_DIR", help="Gets the model, whole.")],
    heldout: Annotated[Path | None, Option(metavar="HELDOUT.parquet", help="Playlists not to train on.")] = None,
    align_to: Annotated[
        str | None,
        Option(
            metavar=options.STORE_OR_FOLDER,
            help="Turn the vectors onto those of a model: the live one of a store, or one in a folder.",
        ),
    ] = None,
) -> Record:
    """Train a model on playlists."""
    from song2vec.train import train

    live = _model_to_align_to(align_to, settings) if align_to else None
    return train(playlists, out, settings, heldout=heldout, live=live)


@command("train", "evaluate", "gate", "publish", show=show.metrics, frame=frames.metrics)
def evaluate(
    settings: "Settings",
    *,
    model: Annotated[Path, Argument(metavar="MODEL_DIR", help="What train wrote.")],
    heldout: Annotated[Path, Option(metavar="HELDOUT.parquet", help="Playlists that the model never saw.")],
    playlists: Annotated[
        Path | None, Option(metavar="PLAYLISTS.parquet", help="What it was trained on: adds item-kNN, which needs it.")
    ] = None,
    live: Annotated[
        str | None,
        Option(metavar=options.STORE_OR_FOLDER, help="The live model to measure beside: of a store, or in a folder."),
    ] = None,
    out: Annotated[Path | None, Option(metavar="DIR", help="Also write metrics.json there.")] = None,
) -> "Metrics":
    """Measure a model on held-out playlists."""
    from song2vec.evaluate import evaluate

    beside = _live_model(live, settings) if live else None
    return evaluate(model, heldout, settings, playlists=playlists, live=beside, out=out)


@command("gate", show=show.decision)
def gate(
    settings: "Settings",
    metrics: Annotated[Path, Argument(metavar="METRICS.json", help="What evaluate wrote.")],
    out: Annotated[Path, Option(metavar="DIR", help="Gets decision.json.")],
) -> "Decision":
    """Decide whether a model may go live, from its metrics."""
    from song2vec.gates import gate

    return gate(metrics, out, settings.gate)


@command("publish", show=show.decision)
def golden(
    settings: "Settings",
    file: Annotated[Path, Argument(metavar="FILE.toml", help="Golden songs; docs/gate.md shows some.")],
    where: options.StoreOrFolder = "",
    version: ModelVersion = None,
) -> "Decision":
    """Try a file of golden songs on a model that is there: what it answers, and whether the gate would refuse it."""
    from song2vec.evaluate import ask_golden_songs
    from song2vec.gates import judge_golden_songs
    from song2vec.records import Training
    from song2vec.versions.records import read_record
    from song2vec_client.model import SongModel

    if where.startswith("gs://"):
        published = open_store(where).version(version or settings.publish.channel)
        model, training = published.load(), read_record(published, Training)
    else:
        record = Path(where) / Training.FILE
        model, training = SongModel.open(Path(where)), Training.read(record) if record.is_file() else None
    return judge_golden_songs(ask_golden_songs(file, model, training))


@command("publish", show=show.similar, frame=frames.similar)
def similar(
    settings: "Settings",
    song: Annotated[str, Argument(metavar="SONG", help="Its number.")],
    where: options.StoreOrFolder = "",
    version: ModelVersion = None,
    k: Annotated[int, Option("-k", min=1, help="How many songs.")] = 10,
) -> Record:
    """Show the songs most similar to a song."""
    from song2vec_client.model import SongModel

    if where.startswith("gs://"):
        model = open_store(where).load(version or settings.publish.channel)
    else:
        model = SongModel.open(Path(where))
    pairs = zip(*model.similar(song, k), strict=True)
    return {"song": song, "similar": [{"song": int(number), "score": float(score)} for number, score in pairs]}


@command("tune", "train", "evaluate", show=show.tuning, frame=frames.tuning)
def tune(
    settings: "Settings",
    playlists: Annotated[Path, Argument(metavar="PLAYLISTS.parquet", help="What prepare wrote.")],
    out: Annotated[
        Path, Option(metavar="DIR", help="Gets the study and what it proposes; run again, it goes on with that.")
    ],
    heldout: Annotated[
        Path | None, Option(metavar="HELDOUT.parquet", help="Playlists that take no part: those of `evaluate`.")
    ] = None,
) -> "Tuning":
    """Look for better settings of the training, and propose them; none is applied."""
    from song2vec.tune import tune

    return tune(playlists, out, settings, heldout=heldout)


def _model_to_align_to(where: str, settings: "Settings") -> "SongModel | None":
    """The model in a folder, or the live one of a store, if there is one."""
    from song2vec.versions import live_version, pull_live
    from song2vec_client.model import SongModel

    if where.startswith("gs://"):
        store = open_store(where)
        return pull_live(store, live_version(store, settings.publish.channel))
    return SongModel.open(Path(where))


def _live_model(where: str, settings: "Settings") -> "LiveModel | None":
    """The model in a folder, or the live one of a store, if there is one."""
    from song2vec.versions import live_model, live_version, model_in

    if where.startswith("gs://"):
        store = open_store(where)
        return live_model(store, live_version(store, settings.publish.channel))
    return model_in(Path(where))
