"""How songs are compared and how a playlist is continued. Pure functions on arrays.

The client and the evaluator use these same functions, so that what is measured is what services get.

Two songs are similar by the cosine of their input vectors. A playlist is continued by a `Vote` of its songs.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from song2vec_client.vote import Vote, blocks, owners

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]

NOTHING = -1  # the row where fewer songs are left than were asked for; its score is -inf
BLOCK_SCORES = 4 * 2**20  # scores held at a time, and as many votes where playlists are continued: 16 MiB each
BLOCK_QUERIES = 256  # songs asked about at a time: enough for a matrix product at full speed
MOST_PLAYLISTS = 32  # continued at a time: adding up the votes costs a product of this length for every vote

_DOWN = np.float32(-np.inf)


def similar_rows(unit: Floats, rows: Rows, k: int, *, most: int = BLOCK_SCORES) -> tuple[Rows, Floats]:
    """Find the `k` songs nearest to each of `rows` by cosine.

    Args:
        unit: float32 (songs, dimensions), rows of length 1, as `unit_rows` gives them.
        rows: int64 (queries,), the songs asked about, as rows of `unit`.
        k: how many songs to find; at most songs - 1 are given.
        most: how many scores to hold at a time.

    Returns:
        Rows int64 (queries, k) and cosines float32 (queries, k), best first, equal cosines by lower row.
        A song is never its own neighbour.
    """
    k = min(k, len(unit) - 1)
    nearest, scores = _empty(len(rows), k)
    for block in blocks(len(rows), 1, most, BLOCK_QUERIES):
        queries = rows[block]
        tiles = [_similar_within(unit, queries, tile, k) for tile in blocks(len(unit), len(queries), most)]
        nearest[block], scores[block] = tiles[0] if len(tiles) == 1 else _best_of(tiles, k)
    return nearest, scores


def _best_of(tiles: Sequence[tuple[Rows, Floats]], k: int) -> tuple[Rows, Floats]:
    """The `k` best of what each tile gave; of equal scores, those of the lower row, as tiles are in order."""
    rows, scores = (np.concatenate(parts, axis=1) for parts in zip(*tiles, strict=True))
    best, scores = top(scores, k)
    return np.take_along_axis(rows, best, axis=1), scores


def _similar_within(unit: Floats, rows: Rows, tile: slice, k: int) -> tuple[Rows, Floats]:
    """As `similar_rows`, among the songs of `tile` only; where these are at most `k`, all of them."""
    cosines = unit[rows] @ unit[tile].T
    own = np.flatnonzero((tile.start <= rows) & (rows < tile.stop))
    cosines[own, rows[own] - tile.start] = _DOWN
    columns, values = top(cosines, min(k, cosines.shape[1]))
    return columns + tile.start, values


def continue_rows(
    vote: Vote,
    playlists: Sequence[Rows],
    k: int,
    exclude: Sequence[Rows] | None = None,
    *,
    most: int = BLOCK_SCORES,
) -> tuple[Rows, Floats]:
    """Find the `k` songs that best continue each playlist.

    Args:
        vote: what the songs of a playlist say of the others.
        playlists: one int64 array a playlist, the rows of the songs it holds.
        k: how many songs to find.
        exclude: one int64 array a playlist, rows that must not be recommended either.
        most: how many scores, and how many votes, to hold at a time.

    Returns:
        Rows int64 (playlists, k) and scores float32 (playlists, k), best first, equal scores by lower row.
        A playlist's own songs are never among them. Where fewer than `k` songs are left, or the playlist is
        empty, the rest is row -1 with score -inf.
    """
    songs = vote.songs
    best_rows, best = _empty(len(playlists), k)
    taken = playlists if exclude is None else [np.concatenate(pair) for pair in zip(playlists, exclude, strict=True)]
    width = min(k, songs)
    for block in blocks(len(playlists), songs, most, MOST_PLAYLISTS):
        scores = vote.scores(playlists[block], most)
        scores[owners(taken[block]), np.concatenate(taken[block])] = _DOWN
        best_rows[block, :width], best[block, :width] = top(scores, width)
        best[block][[len(playlist) == 0 for playlist in playlists[block]]] = _DOWN
    best_rows[np.isneginf(best)] = NOTHING
    return best_rows, best


def top(scores: Floats, k: int) -> tuple[Rows, Floats]:
    """Find the `k` highest scores of each row.

    Args:
        scores: float32 (queries, songs), without NaN.
        k: at most songs.

    Returns:
        Columns int64 (queries, k) and their scores float32 (queries, k), best first, equal scores by lower column.
    """
    queries, songs = scores.shape
    if k < 1 or not queries:
        return _empty(queries, k)
    keep = scores >= _floor(scores, k)
    if np.count_nonzero(keep) > 4 * queries * k:
        keep = _best(scores, k)
    places = np.flatnonzero(keep)
    owners, values = places // songs, scores.ravel()[places]
    order = np.lexsort((-values, owners))  # stable: of equal scores, the lower column stays first
    order = order[np.searchsorted(owners, np.arange(queries))[:, None] + np.arange(k)]
    return places[order] % songs, values[order]


def _floor(scores: Floats, k: int) -> Floats:
    """A bound that at least `k` scores of each row reach, and few more: float32 (queries, 1).

    It is the k-th best of the maxima of groups of songs, which are found in one fast pass over the scores.
    """
    queries, songs = scores.shape
    size = min(64, songs // (4 * k))  # of a group
    if size > 1:
        scores = scores[:, : songs // size * size].reshape(queries, size, -1).max(axis=1)
    place = scores.shape[1] - k
    return np.asarray(np.partition(scores, place, axis=1)[:, place, None])


def _best(scores: Floats, k: int) -> NDArray[np.bool_]:
    """Mark exactly the `k` highest scores of each row, however many tie: bool (queries, songs)."""
    place = scores.shape[1] - k
    limit = np.partition(scores, place, axis=1)[:, place, None]
    above, ties = scores > limit, scores == limit
    room = k - np.count_nonzero(above, axis=1)
    return np.asarray(above | (ties & (np.cumsum(ties, axis=1) <= room[:, None])))


def _empty(queries: int, k: int) -> tuple[Rows, Floats]:
    return np.full((queries, k), NOTHING, np.int64), np.full((queries, k), _DOWN, np.float32)
