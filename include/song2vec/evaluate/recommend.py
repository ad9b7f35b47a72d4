"""What a model and the baselines recommend to held-out playlists, as song numbers."""

import os
from collections.abc import Mapping

import numpy as np

from song2vec.evaluate.baselines import Holdings, neighbour_songs, popular_songs
from song2vec.model import Model
from song2vec.playlists.corpus import Ints, Ragged, Vocabulary
from song2vec.plumbing.threads import each
from song2vec_client.scoring import MOST_PLAYLISTS, continue_rows


def recommend(
    models: Mapping[str, Model], popularity: Vocabulary, holdings: Holdings | None, shown: Ragged, k: int
) -> dict[str, Ints]:
    """Let every model and baseline continue the playlists, each over the songs that it knows.

    Args:
        models: by name.
        popularity: how often each song occurs.
        holdings: what item-kNN learns from; None: it is left out.
        shown: song numbers of each playlist.
        k: how many songs to recommend.

    Returns:
        By name, those of `models`, ``popularity`` and ``item_knn``: int64 (playlists, k), song numbers, best first;
        -1 where there is none.
    """
    playlists = popularity.known(shown)
    songs = {name: continued(model, shown, k) for name, model in models.items()}
    songs["popularity"] = popularity.songs_of(popular_songs(popularity.counts, playlists, k))
    if holdings is not None:
        rows = neighbour_songs(holdings.table, holdings.songs.known(shown), k)
        songs["item_knn"] = holdings.songs.songs_of(rows)
    return songs


def continued(model: Model, shown: Ragged, k: int) -> Ints:
    """Continue playlists as the client does, on all cores: int64 (playlists, k), song numbers.

    One thread of BLAS for each of ours: what is not a product then runs side by side too.
    """
    from threadpoolctl import threadpool_limits

    playlists, vote = model.vocabulary.known(shown).lists(), model.served().vote
    parts = [playlists[start : start + MOST_PLAYLISTS] for start in range(0, len(playlists), MOST_PLAYLISTS)]
    with threadpool_limits(1, "blas"):
        rows = list(each(lambda part: continue_rows(vote, part, k)[0], parts, _cores()))
    return model.vocabulary.songs_of(np.concatenate(rows))


def _cores() -> int:
    return os.cpu_count() or 1
