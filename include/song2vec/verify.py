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
"""How many songs' neighbours, and how many playlists' continuations, are asked for."""
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
    """Ask both models the same questions; return how many."""
    rng = np.random.default_rng(1)
    songs = rng.choice(model.songs, min(QUESTIONS, len(model)), replace=False)
    playlists = rng.choice(model.songs, (QUESTIONS, PLAYLIST_SONGS))
    k = min(ANSWERS, len(model) - 1)
    if k < 1:
        raise _differs(version, "it knows one song only, which has no neighbours")
    for song in songs:
        answer, truth = candidate.similar(song, k), model.similar(song, len(model))
        _agree(answer, truth, f"asked for the neighbours of song {song}", version)
    for playlist in playlists:
        answer, truth = candidate.continue_playlist(playlist, k), model.continue_playlist(playlist, len(model))
        _agree(answer, truth, f"asked to continue the playlist {', '.join(map(str, playlist))}", version)
    return len(songs) + len(playlists)


def _agree(answer: tuple[Ints, Floats], truth: tuple[Ints, Floats], question: str, version: str) -> None:
    """Check that an answer has the best scores there are, each that of its song.

    Songs whose scores differ only by rounding may change places.

    Args:
        answer: songs and scores, best first, of the version.
        truth: the same of the trained model, for all songs.
        question: what the answer is to, for the error.
        version: the version, for the error.
    """
    songs, scores = answer
    all_songs, all_scores = truth
    order = np.argsort(all_songs)
    places = order[np.minimum(np.searchsorted(all_songs, songs, sorter=order), len(order) - 1)]
    expected = np.where(all_songs[places] == songs, all_scores[places], np.nan)
    best = all_scores[: len(songs)]
    allowed = TOLERANCE * max(1.0, float(np.abs(best).max(initial=0)))
    right = (np.abs(scores - expected) <= allowed) & (np.abs(scores - best) <= allowed)  # false for NaN
    if len(songs) < min(ANSWERS, len(all_songs)) or not right.all():
        scored = ", ".join(f"{song} ({score:.4g})" for song, score in zip(songs, scores, strict=True))
        best_scored = ", ".join(f"{song} ({score:.4g})" for song, score in zip(all_songs, best, strict=False))
        raise _differs(version, f"{question}, it says {scored}, and the trained model {best_scored}")


def _differs(version: str, how: str) -> DataError:
    return DataError(
        f"version {version} does not answer as it was trained: {how}. It must not be promoted: what was published is "
        "not what was trained, or the client reads it wrongly. Run the training again; if that does not help, compare "
        "the files in the store with the folder of the run."
    )
