"""Stage `verify`: pulled as a service pulls it, does a published version answer what the trained model answers?

Everything between the trainer's memory and a service is tested: files, upload, manifest, download, cache,
client. Questions are drawn with a fixed seed, so that what failed once fails again.
"""

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import structlog
from numpy.typing import NDArray

from song2vec.errors import DataError
from song2vec_client.model import SongModel
from song2vec_client.store import ModelStore

log = structlog.get_logger(__name__)

QUESTIONS = 20
"""So many songs' neighbours, and so many playlists' continuations, are asked for."""
PLAYLIST_SONGS = 5
ANSWERS = 10
TOLERANCE = 1e-4
"""float32 sums in another order differ by about 1e-6 of the largest term."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]


def verify(store: ModelStore, name: str, trained: Path | None = None) -> dict[str, Any]:
    """Pull a version into a fresh cache, verify every file, and ask it for neighbours and continuations.

    Args:
        store: the model store.
        name: a published version, or a channel.
        trained: the folder that ``train`` wrote: the answers must be those of its arrays. None: they must be
            answers at all, as no such folder is left of an older version.

    Returns:
        ``{"version", "songs", "questions", "seconds", "sentence"}``; where a channel was given, the version it names.

    Raises:
        DataError: the version answers other than the trained model, or not at all.
        CorruptModelError: a file is not what the manifest says.
        NotFoundError: there is no such version.
    """
    started = time.monotonic()
    with TemporaryDirectory(prefix="song2vec-verify-", ignore_cleanup_errors=True) as cache:
        published = ModelStore.of(store.bucket, cache=cache).version(name)
        version, candidate = published.name, published.load()
        model = candidate if trained is None else SongModel.open(trained)
        if not np.array_equal(candidate.songs, model.songs):
            raise _differs(version, f"its {len(candidate):,} songs are not the {len(model):,} that were trained on")
        questions = _compare(candidate, model, version)
        songs = len(candidate)
    seconds = round(time.monotonic() - started, 2)
    beside = "as the trained model does" if trained else "as a model should"
    sentence = f"{version} was pulled, every file verified, and it answers {questions} questions {beside}."
    log.info(sentence, songs=songs, seconds=seconds)
    return {"version": version, "songs": songs, "questions": questions, "seconds": seconds, "sentence": sentence}


def _compare(candidate: SongModel, model: SongModel, version: str) -> int:
    """Ask both models the same questions; how many there were."""
    rng = np.random.default_rng(1)
    asked = rng.choice(model.songs, min(QUESTIONS, len(model)), replace=False)
    playlists = rng.choice(model.songs, (QUESTIONS, PLAYLIST_SONGS))
    k = min(ANSWERS, len(model) - 1)
    if k < 1:
        raise _differs(version, "it knows one song only, which has no neighbours")
    for question in asked:
        found, every = candidate.similar(question, k), model.similar(question, len(model))
        _agree(found, every, f"asked for the neighbours of song {question}", version)
    for playlist in playlists:
        found, every = candidate.continue_playlist(playlist, k), model.continue_playlist(playlist, len(model))
        _agree(found, every, f"asked to continue the playlist {', '.join(map(str, playlist))}", version)
    return len(asked) + len(playlists)


def _agree(found: tuple[Ints, Floats], every: tuple[Ints, Floats], question: str, version: str) -> None:
    """Check that an answer holds the best scores there are, each that of its song.

    Songs whose scores are the same but for rounding may change places.

    Args:
        found: songs and scores, best first, of the version.
        every: the same of the trained model, for all songs.
        question: what was asked, for the error.
        version: the version, for the error.
    """
    songs, scores = found
    every_song, every_score = every
    order = np.argsort(every_song)
    places = order[np.minimum(np.searchsorted(every_song, songs, sorter=order), len(order) - 1)]
    truth = np.where(every_song[places] == songs, every_score[places], np.nan)
    best = every_score[: len(songs)]
    allowed = TOLERANCE * max(1.0, float(np.abs(best).max(initial=0)))
    right = (np.abs(scores - truth) <= allowed) & (np.abs(scores - best) <= allowed)  # false for NaN
    if len(songs) < min(ANSWERS, len(every_song)) or not right.all():
        said = ", ".join(f"{song} ({score:.4g})" for song, score in zip(songs, scores, strict=True))
        meant = ", ".join(f"{song} ({score:.4g})" for song, score in zip(every_song, best, strict=False))
        raise _differs(version, f"{question}, it says {said}, and the trained model {meant}")


def _differs(version: str, how: str) -> DataError:
    return DataError(
        f"version {version} does not answer as it was trained: {how}. It must not be promoted: what was published is "
        "not what was trained, or the client reads it wrongly. Run the training again; if that does not help, compare "
        "the files in the store with the folder of the run."
    )
