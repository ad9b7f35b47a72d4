"""The first look at the raw rows: which playlists there are, how long they are, and what the rules leave out."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from song2vec.prepare.judge import KEPT, Judged
from song2vec.records import Funnel

SHORT = -1


@dataclass(frozen=True, slots=True)
class Census:
    """What the raw rows come to.

    Attributes:
        sources: string array, for each playlist that stays; playlists are in the order of (source, name).
        names: string array, for each playlist that stays.
        lengths: int64 (playlists,): how many songs each has, repeats counted.
        places: for each piece, int32 (names of the piece,): the playlist that stays, or `SHORT`.
        funnel: what the rules did.
    """

    sources: pa.Array
    names: pa.Array
    lengths: NDArray[np.int64]
    places: list[NDArray[np.int32]]
    funnel: Funnel


class Tally(NamedTuple):
    """What a piece of the raw rows holds of each playlist that it names.

    Attributes:
        source: of all its rows.
        names: string array.
        lengths: int64 (names,): how many rows no rule left out.
        furthest: uint8 (names,): the highest stage of its rows.
        rows: int64 (stages,): rows by stage.
    """

    source: str
    names: pa.Array
    lengths: NDArray[np.int64]
    furthest: NDArray[np.uint8]
    rows: NDArray[np.int64]


def tally(source: str, judged: Judged) -> Tally:
    """Count a piece."""
    out = np.flatnonzero(judged.stages != KEPT)  # few, so each is looked at
    stages, playlists = judged.stages[out], judged.playlists[out]
    rows = np.bincount(stages, minlength=KEPT + 1)
    rows[KEPT] = len(judged.stages) - len(out)
    furthest = np.zeros(len(judged.names), np.uint8)
    for stage in np.flatnonzero(rows[:KEPT]):  # ascending: the furthest is written last
        furthest[playlists[stages == stage]] = stage
    lengths = np.bincount(judged.playlists, minlength=len(furthest)) - np.bincount(playlists, minlength=len(furthest))
    furthest[lengths > 0] = KEPT
    return Tally(source, judged.names, lengths, furthest, rows)


def census(tallies: Iterable[Tally], min_songs: int) -> Census:
    """Bring the pieces together.

    Args:
        tallies: of all pieces, those of a source one after the other, sources in order.
        min_songs: shortest playlist that stays.
    """
    sources, names, lengths, places = [], [], [], []
    rows, playlists, first = np.zeros(KEPT + 1, np.int64), np.zeros(KEPT + 1, np.int64), 0
    for source, group in groupby(tallies, key=lambda batch: batch.source):
        batches = list(group)
        index = _Index(batches)
        rows += sum(batch.rows for batch in batches)
        playlists += np.bincount(index.furthest[index.named], minlength=KEPT + 1)
        stay = np.flatnonzero(index.lengths >= min_songs)
        stay = stay[pc.sort_indices(index.names.take(pa.array(stay))).to_numpy()]
        place = np.full(len(index.names), SHORT, np.int32)
        place[stay] = np.arange(first, first + len(stay))
        places += [place[numbers] for numbers in index.numbers]
        sources.append(pa.repeat(pa.scalar(source), len(stay)))
        names.append(index.names.take(pa.array(stay)))
        lengths.append(index.lengths[stay])
        first += len(stay)
    all_lengths = np.concatenate([np.zeros(0, np.int64), *lengths])
    text = pa.array([], pa.string())
    return Census(
        pa.concat_arrays([text, *sources]),
        pa.concat_arrays([text, *names]),
        all_lengths,
        places,
        Funnel.of([*_remaining(rows), int(all_lengths.sum())], [*_remaining(playlists), first]),
    )


class _Index:
    """The playlists of one source, each once; `numbers` says for each piece where its names are among them."""

    def __init__(self, batches: list[Tally]) -> None:
        names = pa.chunked_array([batch.names for batch in batches])
        chunks = names.dictionary_encode(null_encoding="encode").chunks  # of one dictionary
        self.names = chunks[0].dictionary
        self.named = self.names.is_valid().to_numpy(zero_copy_only=False)
        self.numbers = [chunk.indices.to_numpy() for chunk in chunks]
        self.lengths = np.zeros(len(self.names), np.int64)
        self.furthest = np.zeros(len(self.names), np.uint8)
        for batch, numbers in zip(batches, self.numbers, strict=True):
            np.add.at(self.lengths, numbers, batch.lengths)
            np.maximum.at(self.furthest, numbers, batch.furthest)


def _remaining(by_stage: NDArray[np.int64]) -> list[int]:
    """How many are left before the first rule and after each but the last."""
    remaining: list[int] = np.cumsum(by_stage[::-1])[::-1].tolist()
    return remaining[:KEPT]
