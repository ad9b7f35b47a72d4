"""From playlists to a model: reads, counts, lets a trainer train, writes the model's files."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import structlog

from song2vec.errors import DataError
from song2vec.model import Model, thread_count, write_gensim, write_model
from song2vec.playlists.corpus import Ragged, Vocabulary
from song2vec.playlists.holdout_rule import read_rule
from song2vec.playlists.playlist_file import PlaylistFile, open_playlists
from song2vec.plumbing.files import whole_folder
from song2vec.records import Epoch, Training
from song2vec.settings import Settings, TrainSettings
from song2vec.train.alignment import align_to_parent
from song2vec.train.checkpoint import Checkpoint, identity
from song2vec.train.epochs import Epochs, Validation
from song2vec.train.gensim_trainer import GensimTrainer
from song2vec.train.sampled_loss import draw_sample
from song2vec.train.skipgram_trainer import SkipGramTrainer
from song2vec.workspace import Backup
from song2vec_client.model import SongModel

log = structlog.get_logger(__name__)

VALIDATION_SHARE = 0.02
FEWEST_VALIDATION = 50  # playlists; with fewer, chance decides which epoch ranks best


class Trainer(Protocol):
    """What turns playlists into vectors."""

    def train(self, playlists: Ragged, vocabulary: Vocabulary, settings: TrainSettings, epochs: Epochs) -> Model:
        """Train a model.

        Args:
            playlists: for each playlist the rows in `vocabulary` of its songs, in order; songs without a row
                are left out already.
            vocabulary: at least two songs.
            settings: how to train.
            epochs: to be told after every epoch; says when to end, which epoch was the best, and where the
                checkpoint is.

        Raises:
            SettingsError: the training diverged.
            StoppedError: the process was asked to stop; a checkpoint is kept, if the trainer can have one.
        """
        ...


TRAINERS: dict[str, Trainer] = {"song2vec": SkipGramTrainer(), "gensim": GensimTrainer()}


def train(
    playlists: Path,
    out: Path,
    settings: Settings,
    *,
    heldout: Path | None = None,
    parent: SongModel | None = None,
    backup: Backup | None = None,
) -> dict[str, Any]:
    """Train a model on the playlists that are not held out and write the folder `out`, whole.

    The state is saved now and then in a folder beside `out`; a training of the same data and settings that was
    interrupted goes on from there.

    Args:
        playlists: ``playlists.parquet`` (tables.PLAYLISTS).
        out: gets vectors.npy, context.npy, songs.npy, counts.npy, songs.parquet, song2vec.bin, gensim/ and
            training.json; replaced if it exists.
        settings: section `train` is used.
        heldout: playlists not to train on (tables.HELDOUT).
        parent: the model before, to which the new one is aligned (`alignment`) unless ``train.align`` is off.
        backup: keeps the saved state elsewhere too.

    Returns:
        What ``training.json`` says, without the epochs but the loss of the one that counts, and the path of the model.

    Raises:
        DataError: an unreadable file, or too little to learn from: no playlist, fewer than two songs seen
            ``train.min_count`` times, no two of them in one playlist.
        SettingsError: the training diverged.
        StoppedError: the process was asked to stop.
    """
    options = settings.train
    started = time.time()
    corpus, aside = _set_aside(open_playlists(playlists, without=heldout), options)
    vocabulary, words = _count(corpus, options)
    rows = corpus.rows(vocabulary)
    rule = read_rule(heldout) if heldout else None
    size = {"songs": len(vocabulary.songs), "playlists": len(corpus), "words": words}
    log.info("training", trainer=options.trainer, threads=thread_count(options), epochs=options.epochs, **size)
    loss, validation = draw_sample(rows, vocabulary, options), _validation(aside, vocabulary)
    whose, folder = _whose(options, vocabulary, rows, validation), out.with_name(f".{out.name}.checkpoint")
    checkpoint = Checkpoint(folder, whose, options.checkpoint_seconds, backup)
    epochs = Epochs(options, words, loss, validation, checkpoint)
    model = TRAINERS[options.trainer].train(rows, vocabulary, options, epochs)
    del rows  # what is written needs its memory
    alignment = align_to_parent(model, parent, wanted=options.align)
    training = Training(
        trainer=options.trainer,
        settings=options.model_dump(mode="json"),
        **size,
        held_out=rule,
        validation_playlists=len(aside),
        best_epoch=epochs.chosen,
        epochs=tuple(Epoch(**record) for record in epochs.records),
        alignment=alignment,
        started=_utc(started),
        finished=_utc(time.time()),
        seconds=round(time.time() - started, 3),
    )
    with whole_folder(out) as folder:
        write_model(folder, model)
        training.write(folder / Training.FILE)
        del model  # from here on it is on disk: gensim needs the memory
        write_gensim(folder, options)
    checkpoint.remove()
    record = {
        "model": str(out),
        **size,
        "loss": round(epochs.records[epochs.chosen - 1]["loss"], 4),
        "seconds": training.seconds,
        "alignment": alignment.sentence,
    }
    log.info("trained", **record)
    return record


def _set_aside(corpus: PlaylistFile, settings: TrainSettings) -> tuple[PlaylistFile, PlaylistFile]:
    """The playlists to train on, and those to measure the ranking with while training: none where too few would be."""
    count = min(settings.validation_playlists, int(VALIDATION_SHARE * len(corpus)))
    if count < FEWEST_VALIDATION:
        count = 0
    aside = np.zeros(len(corpus), bool)
    aside[np.random.default_rng([settings.seed, 3]).choice(len(corpus), count, replace=False)] = True
    return corpus.only(~aside), corpus.only(aside)


def _whose(settings: TrainSettings, vocabulary: Vocabulary, rows: Ragged, validation: Validation | None) -> str:
    """What tells the training apart from one with other settings or data."""
    data = [vocabulary.songs, vocabulary.counts, rows.offsets, rows.flat]
    if validation:
        data += [validation.shown.flat, validation.hidden.flat]
    return identity(settings, *data)


def _validation(aside: PlaylistFile, vocabulary: Vocabulary) -> Validation | None:
    """Every other song of each playlist is shown, the rest hidden."""
    if not len(aside):
        return None
    playlists = aside.read()
    place = np.arange(len(playlists.flat)) - np.repeat(playlists.offsets[:-1], playlists.lengths)
    rows = vocabulary.rows_of(playlists.flat)
    shown = playlists.replaced(rows).where((place % 2 == 0) & (rows >= 0))
    return Validation(shown, playlists.replaced(rows).where(place % 2 == 1))


def _count(corpus: PlaylistFile, settings: TrainSettings) -> tuple[Vocabulary, int]:
    """The songs to train, and how many words the corpus has, those of rare songs too."""
    counted = corpus.count_songs()
    vocabulary = counted.seen(settings.min_count)
    if len(vocabulary.songs) < 2:
        raise DataError(
            f"{corpus.path}: of {len(counted.songs):,} songs in {len(corpus):,} playlists "
            f"{len(vocabulary.songs)} were seen at least {settings.min_count} times (train.min_count); "
            "expected at least 2. Collect more playlists, or lower train.min_count."
        )
    return vocabulary, int(counted.counts.sum())


def _utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
