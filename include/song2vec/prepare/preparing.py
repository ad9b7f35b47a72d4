"""Raw rows become playlists; every row that is left out goes to the quarantine with its reason.

The raw files are read twice, so that no copy of them is kept: once to count, once to write down what is left
out and to bring the songs that stay to a sorter. Threads take a piece of the rows each.
"""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import structlog
from numpy.typing import NDArray

from song2vec.errors import DataError, SettingsError
from song2vec.playlists.distinct import DistinctNumbers
from song2vec.playlists.rules import RULES
from song2vec.playlists.tables import PLAYLISTS, QUARANTINE
from song2vec.plumbing.files import whole_folder
from song2vec.plumbing.logs import fold
from song2vec.plumbing.progress import Advance, track
from song2vec.plumbing.threads import each
from song2vec.prepare import judge
from song2vec.prepare.census import SHORT, Census, Tally, census, tally
from song2vec.prepare.fingerprint import Fingerprint
from song2vec.prepare.holdout import hold_out
from song2vec.prepare.judge import KEPT, STAGE
from song2vec.prepare.sorting import Sorter
from song2vec.raw import Piece, RawFile, raw_files
from song2vec.records import Funnel, funnel_table
from song2vec.settings import PrepareSettings, Settings

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

log = structlog.get_logger(__name__)

BYTES_A_SONG = 2_000  # of prepare.memory: what sorting takes where no two rows of a playlist stand together, and room
BYTES_A_NAME = 100  # of prepare.memory: what counting takes for a playlist in a piece
LEAST_MEMORY = 50_000_000  # bytes that are left for sorting

# Smaller and quicker than dictionaries of everything, the default.
_PLAYLISTS_FORMAT = {
    "compression": "lz4",
    "use_dictionary": ["source"],
    "column_encoding": {"songs.list.element": "BYTE_STREAM_SPLIT"},
}
_QUARANTINE_FORMAT = {
    "compression": "lz4",
    "use_dictionary": ["source", "file", "value", "reason", "problem"],
    "column_encoding": {"line": "DELTA_BINARY_PACKED"},
}


def prepare(raw: Sequence[Path], out: Path, settings: Settings) -> Funnel:
    """Make playlists of raw rows, as the original pipeline did, and account for every row.

    A playlist is what has one (source, category). Its songs are in row order: files by name, rows by line.
    Repeats of a song stay. Rules, in order, are those of ``rules.RULES``; what a song is, is in ``songs``.

    Args:
        raw: raw Parquet files (``tables.RAW``) and folders of them, in any order.
        out: folder to write, whole: ``playlists.parquet`` and ``quarantine.parquet``, sorted, so that their
            bytes do not depend on the order of `raw` or the number of threads, ``heldout.parquet``,
            ``funnel.json``. The memory of the settings decides on the row groups, not on the rows.
        settings: the sections ``prepare`` and ``holdout``.

    Returns:
        What became of the rows.

    Raises:
        DataError: a raw file is missing or is none, or no playlist is left; the message shows the funnel.
        SettingsError: the memory of the settings is too little.
    """
    started = time.monotonic()
    files = raw_files(raw)
    log.info("preparing playlists", raw_files=len(files), min_songs=settings.prepare.min_songs)
    counted = _count(files, settings.prepare)
    table = funnel_table(counted.funnel)
    if not counted.funnel.playlists:
        raise DataError(f"no playlist is left. What became of the rows:\n{table}\nSee that the sources hold data")
    with whole_folder(out) as folder, TemporaryDirectory(dir=folder, prefix=".spill-") as spill:
        memory = _free_memory(settings.prepare, sum(map(len, counted.places)))
        sorter = Sorter(Path(spill), counted.lengths, memory // BYTES_A_SONG)
        _divide(files, counted, settings.prepare, sorter, folder / "quarantine.parquet")
        fingerprint, distinct = _write_playlists(counted, sorter, settings.prepare, folder / "playlists.parquet")
        with _database(spill, settings.prepare) as database:
            held_out = hold_out(database, folder / "playlists.parquet", folder / "heldout.parquet", settings.holdout)
        last = {"songs": distinct, "heldout": held_out, "fingerprint": fingerprint}
        funnel = counted.funnel.model_copy(update=last)
        funnel.write(folder / Funnel.FILE)
    fold("What became of the rows", table)
    log.info(
        "playlists are prepared",
        **funnel.model_dump(include={"raw_rows", "rows", "playlists", "songs", "heldout"}),
        fingerprint=fingerprint[:8],
        sorted_in_parts=len(sorter.parts),
        seconds=round(time.monotonic() - started, 1),
    )
    return funnel


def _count(files: Sequence[RawFile], settings: PrepareSettings) -> Census:
    def count(piece: Piece) -> Tally:
        return tally(piece.file.source, judge.judge(piece.read(judge.COLUMNS), settings.unknown_song))

    tallies, names = [], 0
    with _tracked("prepare: counting", files) as advance:
        for tally_of_piece in each(count, _pieces(files), _threads(settings)):
            tallies.append(tally_of_piece)
            names += len(tally_of_piece.names)
            _free_memory(settings, names)
            advance(int(tally_of_piece.rows.sum()))
    return census(tallies, settings.min_songs)


def _divide(files: Sequence[RawFile], counts: Census, settings: PrepareSettings, sorter: Sorter, path: Path) -> None:
    """Bring the songs that stay to the sorter, and write the rows that are left out: by source, file and line."""

    def divide(piece: tuple[Piece, NDArray[np.int32]]) -> tuple[NDArray[np.int32], NDArray[np.int64], pa.RecordBatch]:
        rows, places = piece[0].read([*judge.COLUMNS, "line"]), piece[1]
        judged = judge.judge(rows, settings.unknown_song)
        playlists = places[judged.playlists]
        judged.stages[(judged.stages == KEPT) & (playlists == SHORT)] = STAGE["short_playlist"]
        stay = judged.stages == KEPT
        return playlists[stay], judged.songs[stay], _left_out(piece[0].file, rows, judged.stages)

    pieces = zip(_pieces(files), counts.places, strict=True)
    with (
        pq.ParquetWriter(path, QUARANTINE, **_QUARANTINE_FORMAT) as writer,
        _tracked("prepare: sorting", files) as advance,
    ):
        for playlists, songs, left_out in each(divide, pieces, _threads(settings)):
            sorter.add(playlists, songs)
            if len(left_out):
                writer.write_batch(left_out)
            advance(len(songs) + len(left_out))


def _pieces(files: Sequence[RawFile]) -> list[Piece]:
    return [piece for file in files for piece in file.pieces()]


def _tracked(task: str, files: Sequence[RawFile]) -> AbstractContextManager[Advance]:
    return track(task, "rows", sum(file.rows for file in files))


def _threads(settings: PrepareSettings) -> int:
    return settings.threads or os.cpu_count() or 1


def _left_out(file: RawFile, batch: pa.RecordBatch, stages: NDArray[np.uint8]) -> pa.RecordBatch:
    rows = np.flatnonzero(stages != KEPT)
    some = batch.take(pa.array(rows))
    columns = [
        pa.repeat(file.source, len(rows)),
        pa.repeat(file.file, len(rows)),
        some.column("line"),
        _as_given(some, "category"),
        _as_given(some, "song"),
        pa.array(list(RULES)).take(pa.array(stages[rows])),
        some.column("problem").cast(pa.string()),
    ]
    return pa.record_batch(columns, schema=QUARANTINE)


def _as_given(batch: pa.RecordBatch, name: str) -> pa.Array:
    return pc.coalesce(batch.column(name).cast(pa.string()), batch.column(f"{name}_number").cast(pa.string()))


def _write_playlists(counts: Census, sorter: Sorter, settings: PrepareSettings, path: Path) -> tuple[str, int]:
    """Write the playlists in the order of (source, category); return their fingerprint and the distinct songs."""
    fingerprint, songs = Fingerprint(), DistinctNumbers()
    with pq.ParquetWriter(path, PLAYLISTS, **_PLAYLISTS_FORMAT) as writer:
        parts = range(len(sorter.parts))
        for playlists in each(lambda part: _playlists(counts, sorter, part), parts, _threads(settings)):
            fingerprint.update(playlists)
            songs.add(playlists.column("songs").values)
            writer.write_batch(playlists)
    return fingerprint.hexdigest(), len(songs.ascending())


def _playlists(counts: Census, sorter: Sorter, part: int) -> pa.RecordBatch:
    some = slice(*sorter.parts[part])
    offsets = np.concatenate([[0], np.cumsum(counts.lengths[some])])
    songs = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(sorter.songs(part)))
    return pa.record_batch([counts.sources[some], counts.names[some], songs], schema=PLAYLISTS)


def _free_memory(settings: PrepareSettings, names: int) -> int:
    """The bytes of the settings' memory that are left for sorting, when the playlists have been counted."""
    number, unit = int(settings.memory[:-2]), settings.memory[-2:]
    free = number * {"MB": 10**6, "GB": 10**9}[unit] - names * BYTES_A_NAME
    if free < LEAST_MEMORY:
        raise _too_little_memory(settings)
    return free


def _too_little_memory(settings: PrepareSettings) -> SettingsError:
    return SettingsError(f"prepare.memory = {settings.memory} is too little for this data: raise it")


@contextmanager
def _database(spill: str, settings: PrepareSettings) -> Iterator["DuckDBPyConnection"]:
    import duckdb

    options: dict[str, Any] = {"memory_limit": settings.memory, "temp_directory": spill}
    if settings.threads:
        options["threads"] = settings.threads
    try:
        with closing(duckdb.connect(config=options)) as database:
            database.execute("SET enable_progress_bar = false")
            yield database
    except duckdb.OutOfMemoryException:
        raise _too_little_memory(settings) from None
