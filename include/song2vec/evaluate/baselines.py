"""What a model must beat: recommending the popular songs, and item-kNN.

Both see which playlists hold a song, not how often: a song counts once a playlist, as in the table of people × items
that both come from.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from song2vec.playlists.corpus import Ints, Ragged, Vocabulary
from song2vec.playlists.playlist_file import PlaylistFile
from song2vec.playlists.similarity import TUNED, Exponents, Similarity, table_of
from song2vec_client.scoring import BLOCK_SCORES, top


@dataclass(frozen=True)
class Holdings:
    """Which playlists hold which songs.

    Attributes:
        songs: the songs and how many playlists hold each, most popular first, equally popular ones in the order
            in which they first appear: how songs are numbered helps nobody.
        table: sparse float32 (playlists, songs), 1 where the playlist holds the song.
    """

    songs: Vocabulary
    table: Any

    @classmethod
    def of(cls, playlists: PlaylistFile) -> "Holdings":
        """Read the playlists that are trained on."""
        vocabulary = playlists.count_songs()
        rows = playlists.rows(vocabulary)
        table = table_of(rows, len(vocabulary.songs))
        counts = np.bincount(table.indices, minlength=len(vocabulary.songs))
        first = np.empty(len(counts), np.int64)
        first[rows.flat[::-1]] = np.arange(len(rows.flat) - 1, -1, -1)  # of equal places the last one counts
        order = np.lexsort((first, -counts))
        return cls(Vocabulary(vocabulary.songs[order], counts[order]), table[:, order])

    def seen(self, times: int) -> "Holdings":
        """Only the songs that at least `times` playlists hold."""
        songs = self.songs.seen(times)
        return Holdings(songs, self.table[:, : len(songs.songs)])


def popular_songs(counts: Ints, shown: Ragged, k: int) -> Ints:
    """Recommend the most frequent songs that a playlist does not show yet.

    Args:
        counts: int64 (songs,), how often each song occurs.
        shown: rows of the shown songs of each playlist.
        k: how many songs to recommend.

    Returns:
        int64 (playlists, k), rows, most frequent first, equally frequent ones by lower row; -1 where songs run out.
    """
    longest = int(shown.lengths.max(initial=0))
    popular = np.argsort(-counts, kind="stable")[: k + longest]
    songs = len(counts)
    keys = np.arange(len(shown))[:, None] * songs + popular
    taken = np.isin(keys, shown.owners * songs + shown.flat)
    order = np.argsort(taken, axis=1, kind="stable")[:, :k]  # what is not taken comes first, in its order
    best = np.where(np.take_along_axis(taken, order, axis=1), -1, popular[order])
    return np.pad(best, ((0, 0), (0, k - best.shape[1])), constant_values=-1)


def neighbour_songs(table: Any, shown: Ragged, k: int, exponents: Exponents = TUNED) -> Ints:
    """Recommend by item-kNN: the songs that share most playlists with the shown ones.

    All songs are neighbours, and a candidate's score is the sum of its `Similarity` to each shown song.

    Args:
        table: sparse float32 (playlists, songs), as in `Holdings`.
        shown: rows of the shown songs of each held-out playlist.
        k: how many songs to recommend.
        exponents: of the similarity.

    Returns:
        int64 (playlists, k), rows, best first, equal scores by lower row; -1 where no more songs share a
        playlist with a shown one.
    """
    songs, similarity = table.shape[1], Similarity(table, exponents)
    asked = (table_of(shown, songs) * similarity.shown).tocsr()
    best = np.full((len(shown), k), -1, np.int64)
    width, size = min(k, songs), max(1, BLOCK_SCORES // max(table.shape))  # `alike` may be as large as the scores
    for start in range(0, len(shown), size):
        block = asked[start : start + size]
        alike = block @ similarity.held_by  # how much each playlist is like the shown songs
        scores = (alike @ table).toarray() * similarity.candidates
        scores[block.nonzero()] = 0
        rows, values = top(scores, width)
        best[start : start + size, :width] = np.where(values > 0, rows, -1)
    return best
