"""The strongest neighbours of each song, as the playlists have them, published beside the vectors.

They vote too when a playlist is continued (`song2vec_client.vote`): vectors, of few dimensions, say what is alike, and
neighbours say which songs stand together, however rarely. What a neighbour weighs beside the vectors is chosen on the
playlists that were set aside: more where the data are small and dense, less where they are large and sparse.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import structlog
from numpy.typing import NDArray

from song2vec.model import Model
from song2vec.playlists.corpus import Ragged
from song2vec.playlists.similarity import Exponents, Similarity, table_of
from song2vec.plumbing.threads import each
from song2vec.train.measuring import Validation
from song2vec_client.vote import Neighbours

log = structlog.get_logger(__name__)

EXPONENTS = Exponents(shown=0.5, candidate=0.5, length=0.5)  # between .45 and .6, which were tried beside vectors
WEIGHTS = (0.0, 0.125, 0.25, 0.5, 1.0, 2.0, 4.0)  # of the median song's strongest neighbour; a product is at most 2
USUAL = 0.5
MOST_WEIGHT = np.finfo(np.float16).max  # of one neighbour: infinity would be refused by whoever pulls the model
BLOCK_PAIRS = 2**22  # pairs of songs in one playlist that are added up at a time, more or less


def with_neighbours(
    model: Model, playlists: Ragged, most: int, validation: Validation | None, threads: int
) -> tuple[Model, float]:
    """Give a model the strongest neighbours of each song, at the weight that ranks best.

    Args:
        model: the trained model.
        playlists: rows of the songs of each playlist.
        most: neighbours of a song.
        validation: playlists to choose the weight on; None: it is the usual one.
        threads: how many to use.

    Returns:
        The model, and the weight: what the median song adds to its strongest neighbour.
    """
    rows, similarities = strongest_neighbours(playlists, len(model.vectors), most, threads)
    strongest = similarities[:, 0][similarities[:, 0] > 0]
    similarities /= np.median(strongest) if len(strongest) else 1

    def weighted(weight: float) -> Model:
        weights = similarities * np.float32(weight)
        np.minimum(weights, MOST_WEIGHT, out=weights)
        return replace(model, neighbours=Neighbours(rows, weights.astype(np.float16)))

    weight = USUAL
    if validation is None:
        log.info("neighbours vote too", weight=USUAL, why="the usual weight: no playlists were set aside")
    else:
        weight = _best_weight(lambda tried: validation.measure(weighted(tried)))
    return weighted(weight), weight


def _best_weight(measure: Callable[[float], float]) -> float:
    """The weight that ranks best.

    BLAS has one thread meanwhile, so that the choice does not depend on how many cores there are.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, "blas"):
        rankings = {weight: measure(weight) for weight in WEIGHTS}
    best = max(WEIGHTS, key=rankings.__getitem__)
    others = ", ".join(f"{rankings[weight]:.4f} at {weight:g}" for weight in WEIGHTS if weight != best)
    log.info("neighbours vote too", weight=best, validation_ndcg=round(rankings[best], 4), other_weights=others)
    return best


def strongest_neighbours(
    playlists: Ragged, songs: int, most: int, threads: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Find the songs that are most alike to each by the playlists that hold both.

    Args:
        playlists: rows of the songs of each playlist.
        songs: how many songs there are, at least 2.
        most: neighbours of a song; one that shares playlists with fewer songs has weights 0 after them.
        threads: how many to use.

    Returns:
        Rows int32 and weights float32 (songs, neighbours), as `Similarity` gives them.
    """
    similarity = Similarity(table_of(playlists, songs), EXPONENTS)
    held_by, shown, candidates = similarity.held_by, similarity.shown, similarity.candidates  # not by several threads
    width = min(most, songs - 1)
    rows, weights = np.zeros((songs, width), np.int32), np.zeros((songs, width), np.float32)

    def find(block: slice) -> None:
        scores = (held_by[block] @ similarity.table).tocsr()
        scores.data *= candidates[scores.indices]
        for song, (begin, end) in enumerate(zip(scores.indptr[:-1], scores.indptr[1:], strict=True), block.start):
            found, values = _strongest(scores.indices[begin:end], scores.data[begin:end], song, width)
            rows[song, : len(found)], weights[song, : len(found)] = found, values * shown[song]

    for _ in each(find, _blocks(similarity), threads):
        pass
    return rows, weights


def _strongest(songs: NDArray[Any], scores: NDArray[Any], own: int, most: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """The `most` highest scores and their songs, best first, equal ones by lower row; never the song's own."""
    scores = np.where(songs == own, 0, scores)
    if len(scores) > most:
        near = scores >= np.partition(scores, len(scores) - most)[len(scores) - most]
        songs, scores = songs[near], scores[near]
    order = np.lexsort((songs, -scores))[:most]
    return songs[order], scores[order]


def _blocks(similarity: Similarity) -> Iterator[slice]:
    """Cut the songs so that about `BLOCK_PAIRS` pairs are added up for each block."""
    lengths = np.diff(similarity.table.indptr).astype(np.float32)  # float64 would copy the table into as much
    pairs = np.cumsum(similarity.table.T @ lengths, dtype=np.float64)
    edges = np.searchsorted(pairs, np.arange(BLOCK_PAIRS, pairs[-1], BLOCK_PAIRS))
    yield from (slice(a, b) for a, b in zip([0, *edges], [*edges, len(pairs)], strict=True) if a < b)
