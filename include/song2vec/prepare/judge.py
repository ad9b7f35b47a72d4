"""The rules on single rows, applied to whole columns: which playlist and song a row names, or why it is left out."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from song2vec.playlists.rules import RULES
from song2vec.playlists.songs import BLANKS, read_song

COLUMNS = ["category_number", "category", "song_number", "song", "problem"]
STAGE = {rule: stage for stage, rule in enumerate(RULES)}
"""How far a row got: the place of the rule that left it out; the later the rule, the higher."""
KEPT = len(RULES)

LONGEST = 32  # characters; longer texts are rarely songs, and not worth the memory
_short = lru_cache(1 << 17)(read_song)  # texts of songs repeat, from batch to batch too


class Judged(NamedTuple):
    """A batch of raw rows, judged.

    Attributes:
        playlists: int32 (rows,): places in `names`.
        names: string array: the playlists that the rows name, null where the name is missing or blank; one may
            occur twice.
        songs: int64 (rows,): the song's number; any number where the row is left out.
        stages: uint8 (rows,): the `STAGE` of the rule that leaves the row out, or `KEPT`.
    """

    playlists: NDArray[np.int32]
    names: pa.Array
    songs: NDArray[np.int64]
    stages: NDArray[np.uint8]


def judge(batch: pa.RecordBatch, unknown: str) -> Judged:
    """Apply the rules of ``rules.RULES`` but the last, which is on playlists.

    Songs that came as numbers, nearly all, are judged without looking at text; each text is judged once.

    Args:
        batch: `COLUMNS` of ``tables.RAW``, with texts as dictionaries.
        unknown: what the collector writes where it did not know the number.
    """
    playlists, names = _playlists(batch)
    songs, stages = _songs(batch, unknown)
    if names.null_count:
        stages[names.is_null().to_numpy(zero_copy_only=False)[playlists]] = STAGE["no_playlist"]
    problem = batch.column("problem")
    if problem.null_count < len(problem):
        stages[problem.is_valid().to_numpy(zero_copy_only=False)] = STAGE["unreadable"]
    return Judged(playlists, names, songs, stages)


def _playlists(batch: pa.RecordBatch) -> tuple[NDArray[np.int32], pa.Array]:
    """Number the playlists of a batch; its rows mostly stand together, so only their runs are looked up."""
    runs = pc.run_end_encode(batch.column("category_number"))
    numbers = runs.values.dictionary_encode(null_encoding="encode")
    lengths = np.diff(runs.run_ends.to_numpy(), prepend=0)
    playlists = np.repeat(numbers.indices.to_numpy(), lengths)
    names, texts = numbers.dictionary.cast(pa.string()), batch.column("category")
    if texts.null_count == len(texts):
        return playlists, names
    named = texts.is_valid().to_numpy(zero_copy_only=False)
    places = len(names) + texts.indices.fill_null(0).to_numpy()
    blank = pc.equal(pc.utf8_trim(texts.dictionary, characters=BLANKS), "")
    nameable = pc.if_else(blank, pa.scalar(None, pa.string()), texts.dictionary)
    return np.where(named, places, playlists).astype(np.int32), pa.concat_arrays([names, nameable])


def _songs(batch: pa.RecordBatch, unknown: str) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    numbers, texts = batch.column("song_number"), batch.column("song")
    songs = numbers.fill_null(0).to_numpy()
    stages = np.full(len(songs), KEPT, np.uint8)
    stages[songs <= 0] = STAGE["bad_song"]
    if unknown.isascii() and unknown.isdecimal() and str(int(unknown)) == unknown:
        stages[songs == int(unknown)] = STAGE["unknown_song"]
    if numbers.null_count:
        songs = songs.copy()  # what Arrow gives is not to be written to
        rows = np.flatnonzero(numbers.is_null().to_numpy(zero_copy_only=False))
        places = texts.indices.fill_null(len(texts.dictionary)).to_numpy()[rows]
        meanings = [_meaning(text, unknown) for text in [*texts.dictionary.to_pylist(), None]]
        songs[rows] = np.array([number or 0 for number, _ in meanings], np.int64)[places]
        stages[rows] = np.array([KEPT if rule is None else STAGE[rule] for _, rule in meanings], np.uint8)[places]
    return songs, stages


def _meaning(text: str | None, unknown: str) -> tuple[int | None, str | None]:
    return (_short if len(text or "") <= LONGEST else read_song)(text, unknown)
