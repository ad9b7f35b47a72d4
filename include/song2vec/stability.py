"""How much a new model moved: which neighbours songs keep, which songs are new and which are gone."""

import heapq
from hashlib import sha256
from typing import Any

import numpy as np

from song2vec.corpus import Ints
from song2vec.model_files import Model
from song2vec_client.scoring import similar_rows, unit_rows

AT = 10
SEED = 1


def stability(model: Model, before: Model, sample: int) -> dict[str, Any]:
    """Compare a model with the one before.

    Args:
        model: the new one.
        before: the one to compare with.
        sample: how many songs that both know are asked for their neighbours. Chosen by digest: the same songs
            from day to day, as far as both know them.

    Returns:
        ``{"at", "sampled", "neighbours_kept", "songs_kept", "songs_new", "songs_gone"}``. `neighbours_kept` is
        the mean share of a song's ten most similar songs that are the same in both (Wendlandt, Kummerfeld and
        Mihalcea 2018), of all songs that each model knows; None where they share no song.
    """
    shared = np.intersect1d(model.vocabulary.songs, before.vocabulary.songs)
    asked = np.array(heapq.nsmallest(sample, shared.tolist(), key=_digest), np.int64)
    new, old = (_neighbours(one, asked) for one in (model, before))
    most = max(1, new.shape[1], old.shape[1])  # AT, unless songs are few
    kept = [len(np.intersect1d(*pair)) / most for pair in zip(new, old, strict=True)]
    return {
        "at": AT,
        "sampled": len(asked),
        "neighbours_kept": float(np.mean(kept)) if kept else None,
        "songs_kept": len(shared),
        "songs_new": len(model.vocabulary.songs) - len(shared),
        "songs_gone": len(before.vocabulary.songs) - len(shared),
    }


def _neighbours(model: Model, songs: Ints) -> Ints:
    """The songs most similar to each of `songs`: int64 (songs, at most AT)."""
    rows, _ = similar_rows(unit_rows(model.vectors), model.vocabulary.rows_of(songs), AT)
    return model.vocabulary.songs_of(rows)


def _digest(song: int) -> bytes:
    return sha256(f"{SEED}/{song}".encode()).digest()
