"""Raw rows on their way to Parquet: what ``extract`` and ``collect`` share."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from song2vec.playlists.tables import RAW
from song2vec.plumbing.files import whole_file

MOST_DIGITS = 18  # a number of this many digits always fits an INT64

# What is quickest to write and read, and small enough. Statistics serve `reading`, which looks at these only.
_FORMAT = {
    "compression": "lz4",
    "use_dictionary": ["source", "file", "category", "song", "problem"],
    "column_encoding": {
        "line": "DELTA_BINARY_PACKED",
        "category_number": "PLAIN",
        "song_number": "BYTE_STREAM_SPLIT",
    },
    "write_statistics": ["source", "file", "category", "problem"],
    "write_batch_size": 1 << 16,
}

LineNumbers = Sequence[int] | NDArray[np.int64]


class RawWriter:
    """Writes the rows of one CSV file or one database table; counts them as it goes."""

    def __init__(self, writer: pq.ParquetWriter, source: str, file: str) -> None:
        self._writer = writer
        self._source, self._file = source, file
        self.rows = 0
        self.problems = 0
        self.first_problem = ""  # "line 7: …", for the log

    def batch(
        self, lines: LineNumbers, categories: pa.Array, songs: pa.Array, problems: pa.Array | None = None
    ) -> pa.RecordBatch:
        """Rows of ``tables.RAW``; all columns are of one length, in the source's order.

        Args:
            lines: the line or running number of each row.
            categories: string or int64 array, the playlist's id as given.
            songs: string or int64 array, the song as given, or the raw text of a row with a problem.
            problems: string array, null where the row could be read; None: all could.
        """
        count = len(lines)
        if problems is None:
            problems = pa.nulls(count, pa.string())
        columns = [
            _constant(self._source, count),
            _constant(self._file, count),
            pa.array(lines if isinstance(lines, np.ndarray) else np.fromiter(lines, np.int64, count), pa.int64()),
            *_run_by_run(categories),
            *numbers_and_texts(songs),
            problems,
        ]
        return pa.record_batch(columns, schema=RAW)

    def append(self, batch: pa.RecordBatch) -> None:
        """Write what `batch` made."""
        if len(batch):
            self._writer.write_batch(batch)
        self.rows += len(batch)
        problems = batch.column("problem")
        self.problems += len(batch) - problems.null_count
        if problems.null_count < len(batch) and not self.first_problem:
            row = problems.is_valid().index(True).as_py()
            self.first_problem = f"line {batch.column('line')[row]}: {problems[row]}"

    def write(
        self, lines: LineNumbers, categories: pa.Array, songs: pa.Array, problems: pa.Array | None = None
    ) -> None:
        """Make a batch and append it."""
        self.append(self.batch(lines, categories, songs, problems))


def numbers_and_texts(values: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Split a column into its plain whole numbers and all other texts; a null is null in both.

    Plain is what a number is written as: ASCII digits, at most 18, no leading zero but in "0" itself. So the
    text is known from the number, and a text is split alike whatever type its column had.

    Args:
        values: string or int64 array.

    Returns:
        int64 array and string array, each null where the other one is set.
    """
    if pa.types.is_integer(values.type):
        least, most = pc.min_max(values).as_py().values()
        if least is None or (least >= 0 and most < 10**MOST_DIGITS):
            return values, pa.nulls(len(values), pa.string())
        values = values.cast(pa.string())
    length = pc.binary_length(values)
    digits = pc.and_(pc.ascii_is_decimal(values), pc.less_equal(length, MOST_DIGITS))
    padded = pc.and_(pc.starts_with(values, "0"), pc.greater(length, 1))
    plain = pc.and_not(digits, padded)
    if pc.all(plain, min_count=0).as_py() and not plain.null_count:
        return values.cast(pa.int64()), pa.nulls(len(values), pa.string())
    nothing = pa.scalar(None, pa.string())
    return pc.if_else(plain, values, nothing).cast(pa.int64()), pc.if_else(plain, nothing, values)


def _run_by_run(values: pa.Array) -> list[pa.Array]:
    """`numbers_and_texts`, quicker where equal values stand together, as the rows of a playlist mostly do."""
    if pa.types.is_integer(values.type):
        return list(numbers_and_texts(values))
    runs = pc.run_end_encode(values)
    return [
        pc.run_end_decode(pa.RunEndEncodedArray.from_arrays(runs.run_ends, column))
        for column in numbers_and_texts(runs.values)
    ]


@contextmanager
def raw_file(path: Path, source: str, file: str) -> Iterator[RawWriter]:
    """Open `path` for raw rows of `file` from `source`; it appears, whole, when the block ends well."""
    with (
        whole_file(path) as temporary,
        pq.ParquetWriter(temporary, RAW, **_FORMAT) as writer,
    ):
        yield RawWriter(writer, source, file)


def _constant(value: str, count: int) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(np.zeros(count, np.int32), pa.array([value]))
