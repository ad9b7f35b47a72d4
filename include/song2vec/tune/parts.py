"""The user's playlists in three parts: to train on, to choose settings with, to confirm them with.

Those that are held out for `evaluate` are in none of them: of their file only the names are read, to leave them out.
Which part a playlist is in follows from a digest of its name, so that it stays there while data grow.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from song2vec.errors import DataError
from song2vec.playlists.corpus import Ragged
from song2vec.playlists.heldout_file import Heldout
from song2vec.playlists.playlist_file import PlaylistFile, open_playlists, opened
from song2vec.plumbing.files import whole_file
from song2vec.prepare import halve

SHARE = 0.1  # of the playlists choose, as many confirm
FEWEST, MOST = 50, 1_000  # playlists that choose, or confirm

NAMES = pa.schema([("source", pa.string()), ("category", pa.string())])


@dataclass(frozen=True)
class Parts:
    """Who trains, who chooses, who confirms.

    Attributes:
        playlists: ``playlists.parquet``.
        without: of its playlists, the names of those not to train on: held out, choosing or confirming.
        training: how many are left to train on.
        choose: playlists to choose settings with.
        confirm: playlists that choose nothing.
        digest: of all three parts.
    """

    playlists: Path
    without: Path
    training: int
    choose: Heldout
    confirm: Heldout
    digest: str


def make_parts(playlists: Path, heldout: Path | None, without: Path, seed: int) -> Parts:
    """Divide the playlists that are not held out.

    Args:
        playlists: tables.PLAYLISTS.
        heldout: names of playlists that are in no part; None: all are in one.
        without: the file to write.
        seed: what the division depends on beside the names.

    Raises:
        DataError: a file cannot be read, or there are too few playlists.
    """
    corpus, names = open_playlists(playlists, without=heldout), _names(playlists)
    count = min(int(SHARE * len(corpus)), MOST)
    if count < FEWEST:
        raise DataError(
            f"{playlists}: found {len(corpus):,} playlists that are not held out, expected at least "
            f"{round(FEWEST / SHARE):,}: a tenth chooses settings and a tenth confirms them, at least {FEWEST} each. "
            "Collect more playlists; until then the defaults are the best there is."
        )
    ranks = _ranks(names, seed)[corpus.chosen]
    order = np.argsort(ranks, kind="stable")
    confirm, choose, training = (corpus.only(_mask(order, *span)) for span in
                                 ((0, count), (count, 2 * count), (2 * count, None)))  # fmt: skip
    with whole_file(without) as temporary:
        pq.write_table(names.filter(pa.array(~training.chosen)), temporary)
    return Parts(
        playlists,
        without,
        len(training),
        _halved(choose, names, seed),
        _halved(confirm, names, seed),
        _digest(corpus, ranks, seed),
    )


def _names(playlists: Path) -> Any:
    """A table of the source and the category of every playlist of the file."""
    with opened(playlists, NAMES.names) as file:
        return file.read(NAMES.names).cast(NAMES)


def _ranks(names: Any, seed: int) -> NDArray[np.uint64]:
    """uint64 (playlists,): those with the lowest confirm, the next ones choose.

    Another order than that of `holdout`: who is held out on another day does not depend on who chooses today.
    """
    digests = [
        sha256(f"tune/{seed}/{source}/{category}".encode()).digest()[:8]
        for batch in names.to_batches()
        for source, category in zip(*(column.to_pylist() for column in batch.columns), strict=True)
    ]
    return np.frombuffer(b"".join(digests), ">u8").astype(np.uint64)


def _mask(order: NDArray[np.int64], start: int, end: int | None) -> NDArray[np.bool_]:
    mask = np.zeros(len(order), bool)
    mask[order[start:end]] = True
    return mask


def _halved(part: PlaylistFile, names: Any, seed: int) -> Heldout:
    """Half of the songs of each playlist shown, half hidden, as `prepare` does; one song alone is not measured with."""
    of_part = names.filter(pa.array(part.chosen)).to_pylist()
    songs = part.read().lists()
    halves = [halve(**name, songs=one.tolist(), seed=seed) for name, one in zip(of_part, songs, strict=True)]
    shown, hidden = zip(*((shown, hidden) for shown, hidden in halves if hidden), strict=True)
    return Heldout(_ragged(shown), _ragged(hidden))


def _ragged(lists: Sequence[list[int]]) -> Ragged:
    flat = np.array([song for songs in lists for song in songs], np.int64)
    return Ragged(flat, np.cumsum([0, *map(len, lists)]))


def _digest(corpus: PlaylistFile, ranks: NDArray[np.uint64], seed: int) -> str:
    """What tells these parts from those of other playlists."""
    digest = sha256(f"{seed}".encode())
    digest.update(ranks.data)
    for batch in corpus.batches():
        digest.update(np.ascontiguousarray(batch.flat).data)
        digest.update(np.ascontiguousarray(batch.lengths).data)
    return digest.hexdigest()
