"""From playlists to a model: reads, counts, lets a trainer train, logs every epoch, writes the model's files."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import structlog

from song2vec.config import Settings, TrainSettings
from song2vec.corpus import Ragged, Vocabulary, count_songs, read_playlists
from song2vec.errors import DataError
from song2vec.files import whole_folder
from song2vec.gensim_trainer import GensimTrainer
from song2vec.model_files import Model, thread_count, write_model

log = structlog.get_logger(__name__)


class Trainer(Protocol):
    """What turns playlists into vectors."""

    def train(
        self, playlists: Ragged, vocabulary: Vocabulary, settings: TrainSettings, on_epoch: Callable[[float], None]
    ) -> Model:
        """Train a model.

        Args:
            playlists: for each playlist the rows in `vocabulary` of its songs, in order; songs without a row
                are left out already.
            vocabulary: at least two songs.
            settings: how to train.
            on_epoch: to be called after every epoch with its mean loss a positive pair.

        Raises:
            DataError: no playlist holds a pair of songs.
            SettingsError: the training diverged.
        """
        ...


TRAINERS: dict[str, Trainer] = {"gensim": GensimTrainer()}


def train(playlists: Path, out: Path, settings: Settings, heldout: Path | None = None) -> dict[str, Any]:
    """Train a model on the playlists that are not held out and write the folder `out`, whole.

    Args:
        playlists: ``playlists.parquet`` (tables.PLAYLISTS).
        out: gets vectors.npy, context.npy, songs.npy, counts.npy, songs.parquet, song2vec.bin, gensim/ and
            training.json; replaced if it exists.
        settings: section `train` is used.
        heldout: playlists not to train on (tables.HELDOUT).

    Returns:
        What ``training.json`` says, without the epochs but the last loss, and the path of the model.

    Raises:
        DataError: an unreadable file, or too little to learn from: no playlist, fewer than two songs seen
            ``train.min_count`` times, no two of them in one playlist.
        SettingsError: the training diverged.
    """
    options = settings.train
    corpus = read_playlists(playlists, without=heldout)
    vocabulary = count_songs(corpus, options.min_count)
    _check(corpus, vocabulary, options, playlists)
    known = vocabulary.rows_of(corpus.flat)
    rows = corpus.replaced(known).where(known >= 0)
    size = {"songs": len(vocabulary.songs), "playlists": len(corpus), "words": len(corpus.flat)}
    log.info("training", trainer=options.trainer, threads=thread_count(options), epochs=options.epochs, **size)
    epochs = _Epochs(options.epochs, size["words"])
    model = TRAINERS[options.trainer].train(rows, vocabulary, options, epochs)
    training = {
        "trainer": options.trainer,
        "settings": options.model_dump(mode="json"),
        **size,
        "epochs": epochs.records,
        "started": _utc(epochs.started),
        "finished": _utc(time.time()),
        "seconds": round(time.time() - epochs.started, 3),
    }
    with whole_folder(out) as folder:
        write_model(folder, model, options, training)
    record = {"model": str(out), **size, "loss": epochs.records[-1]["loss"], "seconds": training["seconds"]}
    log.info("trained", **record)
    return record


class _Epochs:
    """Logs and keeps what each epoch did; called at its end with its loss."""

    def __init__(self, epochs: int, words: int) -> None:
        self.epochs, self.words = epochs, words
        self.records: list[dict[str, Any]] = []
        self.started = time.time()
        self.begun = self.first = time.monotonic()

    def __call__(self, loss: float) -> None:
        now = time.monotonic()
        seconds = max(now - self.begun, 1e-9)
        epoch = len(self.records) + 1
        record = {"epoch": epoch, "loss": loss, "words_per_second": round(self.words / seconds), "seconds": seconds}
        self.records.append(record)
        left = (now - self.first) / epoch * (self.epochs - epoch)
        log.info(
            "epoch",
            epoch=epoch,
            of=self.epochs,
            loss=round(loss, 4),
            words_per_second=record["words_per_second"],
            seconds=round(seconds, 2),
            seconds_left=round(left),
        )
        self.begun = now


def _check(corpus: Ragged, vocabulary: Vocabulary, settings: TrainSettings, path: Path) -> None:
    if len(vocabulary.songs) < 2:
        raise DataError(
            f"{path}: of {len(set(corpus.flat.tolist())):,} songs in {len(corpus):,} playlists "
            f"{len(vocabulary.songs)} were seen at least {settings.min_count} times (train.min_count); "
            "expected at least 2. Collect more playlists, or lower train.min_count."
        )


def _utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
