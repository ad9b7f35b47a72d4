"""Raw rows on their way to Parquet: what ``extract`` and ``collect`` share."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from song2vec.files import whole_file
from song2vec.tables import RAW


class RawWriter:
    """Writes the rows of one CSV file or one database table; counts them as it goes."""

    def __init__(self, writer: pq.ParquetWriter, source: str, file: str) -> None:
        self._writer = writer
        self._source, self._file = source, file
        self.rows = 0
        self.problems = 0

    def write(
        self, lines: Sequence[int], categories: pa.Array, songs: pa.Array, problems: pa.Array | None = None
    ) -> None:
        """Append rows; all columns are of one length, in the source's order.

        Args:
            lines: the line or running number of each row.
            categories: string array, the playlist's id as given.
            songs: string array, the song as given, or the raw text of a row with a problem.
            problems: string array, null where the row could be read; None: all could.
        """
        count = len(lines)
        if count == 0:
            return
        if problems is None:
            problems = pa.nulls(count, pa.string())
        columns = [
            _constant(self._source, count),
            _constant(self._file, count),
            pa.array(lines, pa.int64()),
            categories,
            songs,
            problems,
        ]
        self._writer.write_batch(pa.record_batch(columns, schema=RAW))
        self.rows += count
        self.problems += count - problems.null_count


@contextmanager
def raw_file(path: Path, source: str, file: str) -> Iterator[RawWriter]:
    """Open `path` for raw rows of `file` from `source`; it appears, whole, when the block ends well."""
    with whole_file(path) as temporary, pq.ParquetWriter(temporary, RAW) as writer:
        yield RawWriter(writer, source, file)


def _constant(value: str, count: int) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array([0] * count, pa.int32()), pa.array([value]))
