"""From playlists to a model: reads, counts, lets a trainer train, writes the model's files."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import structlog

from song2vec.errors import DataError
from song2vec.model import write_gensim, write_model
from song2vec.playlists.corpus import Ragged, Vocabulary
from song2vec.playlists.holdout_rule import HoldoutRule, read_rule
from song2vec.playlists.playlist_file import PlaylistFile, open_playlists
from song2vec.plumbing.files import whole_folder
from song2vec.plumbing.threads import thread_count
from song2vec.records import Epoch, HowAligned, Training
from song2vec.settings import Settings, TrainSettings
from song2vec.train.alignment import align_to_live
from song2vec.train.checkpoint import Arrays, Checkpoint, identity
from song2vec.train.gensim_trainer import GensimTrainer
from song2vec.train.history import History
from song2vec.train.loop import Observer, Trainer, train_epochs
from song2vec.train.measuring import Measurements, Validation, draw_sample
from song2vec.train.neighbours import with_neighbours
from song2vec.train.skipgram_trainer import SkipGramTrainer
from song2vec.workspace import Backup
from song2vec_client.format.layout import TWO_WAY
from song2vec_client.model import SongModel

log = structlog.get_logger(__name__)

VALIDATION_SHARE = 0.04
FEWEST_VALIDATION = 50  # playlists; with fewer, chance decides which epoch ranks best

Start = Callable[[Ragged, Vocabulary, TrainSettings, Arrays | None], Trainer]
"""Makes a trainer, of:

- for each playlist the rows in the vocabulary of its songs, in order; songs without a row are left out already;
- the vocabulary, at least two songs;
- how to train;
- the state that it goes on from; None: it begins.
"""

TRAINERS: Mapping[str, Start] = {"song2vec": SkipGramTrainer, "gensim": GensimTrainer}


def train(
    playlists: Path,
    out: Path,
    settings: Settings,
    *,
    heldout: Path | None = None,
    live: SongModel | None = None,
    backup: Backup | None = None,
    observe: Observer | None = None,
) -> dict[str, Any]:
    """Train a model on the playlists that are not held out and write the folder `out`, whole.

    The state is saved now and then in a folder beside `out`; a training of the same data and settings that was
    interrupted goes on from there.

    Args:
        playlists: ``playlists.parquet`` (tables.PLAYLISTS).
        out: gets vectors.npy, context.npy, songs.npy, counts.npy, songs.parquet, song2vec.bin, gensim/ and
            training.json, of our own trainer also neighbours.npy and neighbour_weights.npy; replaced if it exists.
        settings: section `train` is used.
        heldout: playlists not to train on (tables.HELDOUT).
        live: the live version, onto which the new model is turned (`alignment`) unless ``train.align`` is off.
        backup: keeps the saved state elsewhere too.
        observe: is told of the rankings while training, and may end it (`loop.Observer`).

    Returns:
        What ``training.json`` says, without the epochs but the loss of the one that counts, and the path of the model.

    Raises:
        DataError: an unreadable file, or too little to learn from: no playlist, fewer than two songs seen
            ``train.min_count`` times, no two of them in one playlist.
        SettingsError: the training diverged.
        StoppedError: the process was asked to stop, or the observer said so.
    """
    options, started = settings.train, time.time()
    corpus, aside = _set_aside(open_playlists(playlists, without=heldout), options)
    vocabulary, words = _count(corpus, options)
    rows, threads = corpus.rows(vocabulary), thread_count(options.workers)
    rule = read_rule(heldout) if heldout else None
    size = {"songs": len(vocabulary.songs), "playlists": len(corpus), "words": words}
    log.info("training", trainer=options.trainer, threads=threads, epochs_at_most=options.epochs, **size)
    measurements = _measurements(rows, vocabulary, aside, options)
    owner = _identity(rows, vocabulary, measurements.validation, options)
    checkpoint = Checkpoint(out.with_name(f".{out.name}.checkpoint"), owner, options.checkpoint_seconds, backup)
    start = partial(TRAINERS[options.trainer], rows, vocabulary, options)
    model, history, best_epoch = train_epochs(start, options, words, measurements, checkpoint, observe=observe)
    neighbour_weight = None
    if model.scoring == TWO_WAY:
        model, neighbour_weight = with_neighbours(model, rows, options.neighbours, measurements.validation, threads)
    del rows, start  # what is written needs the memory
    alignment = align_to_live(model, live, enabled=options.align)
    training = _training(
        options,
        size,
        rule,
        history,
        best_epoch,
        validation_playlists=len(aside),
        neighbour_weight=neighbour_weight,
        alignment=alignment,
        started=started,
    )
    with whole_folder(out) as folder:
        write_model(folder, model)
        training.write(folder / Training.FILE)
        del model  # from here on it is on disk: gensim needs the memory
        write_gensim(folder, options, threads)
    checkpoint.remove()
    record = {"model": str(out), **size, **_summary(training, history.records[best_epoch - 1].loss)}
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


def _measurements(rows: Ragged, vocabulary: Vocabulary, aside: PlaylistFile, settings: TrainSettings) -> Measurements:
    """The loss on a sample of `rows`, and the ranking of the playlists `aside`, if there are any."""
    sample = draw_sample(rows, vocabulary, settings)
    validation = Validation.of(aside, vocabulary) if len(aside) else None
    return Measurements(sample, validation, every=settings.measure_every, last=settings.epochs)


def _identity(rows: Ragged, vocabulary: Vocabulary, validation: Validation | None, settings: TrainSettings) -> str:
    """What tells the training apart from one with other settings or data."""
    data = [vocabulary.songs, vocabulary.counts, rows.offsets, rows.flat]
    if validation:
        data += [validation.shown.flat, validation.hidden.flat]
    return identity(settings, *data)


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


def _training(
    settings: TrainSettings,
    size: Mapping[str, int],
    rule: HoldoutRule | None,
    history: History,
    best_epoch: int,
    *,
    validation_playlists: int,
    neighbour_weight: float | None,
    alignment: HowAligned,
    started: float,
) -> Training:
    """What ``training.json`` says."""
    now = time.time()
    return Training(
        trainer=settings.trainer,
        settings=settings.model_dump(mode="json"),
        **size,
        held_out=rule,
        validation_playlists=validation_playlists,
        best_epoch=best_epoch,
        neighbour_weight=neighbour_weight,
        epochs=tuple(Epoch(**record.to_json()) for record in history.records),
        alignment=alignment,
        started=_utc(started),
        finished=_utc(now),
        seconds=round(now - started, 3),
    )


def _summary(training: Training, loss: float) -> dict[str, Any]:
    """What people look at first; `loss`: after the best epoch."""
    return {
        "loss": round(loss, 4),
        "seconds": training.seconds,
        "alignment": training.alignment.sentence,
    }


def _utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
