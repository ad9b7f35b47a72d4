"""How much of one model is still true in the next: which songs stay near which.

Over a fixed sample of the songs that both know, the share of a song's nearest neighbours that are its nearest
neighbours in the other model too (overlap@k; Wendlandt, Kummerfeld and Mihalcea 2018, "Factors Influencing the
Surprising Instability of Word Embeddings"). Neighbours are looked for among all songs of each model, as services see
them: a new song that pushes out an old one is a change. The figure does not depend on how the two spaces are turned.
"""

import numpy as np
from numpy.typing import NDArray

from song2vec.records import Stability
from song2vec_client.model import SongModel

Ints = NDArray[np.int64]
Words = NDArray[np.uint64]

SEED = 1  # the same songs whoever asks


def stability(old: SongModel, new: SongModel, sample: int, seed: int = SEED, at: int = 10) -> Stability:
    """Compare the neighbours of songs in two models.

    Args:
        old: the model before, such as the live version.
        new: the model after.
        sample: how many songs to look at, at most; of the songs that both know.
        seed: which songs those are. The choice follows from seed and song alone, so that from one day to the next
            nearly the same songs are looked at, while songs come and go.
        at: how many neighbours of each song to look at.

    Returns:
        What moved; `version` is not given.
    """
    shared = np.intersect1d(old.songs, new.songs, assume_unique=True)
    songs = sample_songs(shared, sample, seed)
    return Stability(
        at=at,
        sampled=len(songs),
        neighbours_kept=_neighbours_kept(old, new, songs, at),
        songs_kept=len(shared),
        songs_new=len(new) - len(shared),
        songs_gone=len(old) - len(shared),
    )


def sample_songs(songs: Ints, sample: int, seed: int) -> Ints:
    """Choose `sample` of the distinct `songs`, int64 (n,), or all where there are fewer; ascending.

    Those with the lowest hash of seed and song: a song that is added or gone changes one choice at most.
    """
    salt = _scatter(np.array([seed], np.int64).view(np.uint64))
    order = np.argsort(_scatter(_scatter(songs.astype(np.int64).view(np.uint64)) ^ salt))
    return np.sort(songs[order[:sample]])


def _neighbours_kept(old: SongModel, new: SongModel, songs: Ints, at: int) -> float | None:
    width = min(at, len(old) - 1, len(new) - 1)  # of a smaller model all other songs are neighbours
    if not len(songs) or not width:
        return None
    before, after = (model.similar_batch(songs.tolist(), width)[0] for model in (old, new))
    still_near = (before[:, :, None] == after[:, None, :]).any(axis=2)
    return float(still_near.mean())


def _scatter(numbers: Words) -> Words:
    """Scatter numbers over all 64 bits: a step of SplitMix64 (Steele, Lea and Flood 2014), a bijection."""
    mixed = numbers + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
