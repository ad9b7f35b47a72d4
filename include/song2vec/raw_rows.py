"""Raw rows on their way back from Parquet: which files there are, and their rows in order."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from song2vec.errors import DataError
from song2vec.tables import RAW


@dataclass(frozen=True, order=True, slots=True)
class RawFile:
    """A Parquet file with the rows of one CSV file or one database table; in the order of their names.

    Attributes:
        source: "mariadb" or "csv".
        file: the CSV's name, or the table's.
        path: where the Parquet file is.
        rows: how many it has.
    """

    source: str
    file: str
    path: Path
    rows: int

    def batches(self, columns: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
        """The rows in the source's order, `rows` at a time at most; the same batches each time.

        Arrow's own threads would take twice the processor time and more memory here.
        """
        with pq.ParquetFile(self.path, read_dictionary=["category", "song"]) as file:
            for group in range(file.num_row_groups):
                yield from file.iter_batches(rows, row_groups=[group], columns=list(columns), use_threads=False)


def raw_files(raw: Sequence[Path]) -> list[RawFile]:
    """The Parquet files that `raw`, files and folders, come to, each once, by source and name.

    Files without a row are left out.

    Raises:
        DataError: one does not exist, or is no file of raw rows; or there is none at all.
    """
    paths: set[Path] = set()
    for path in raw:
        if not path.exists():
            raise DataError(f"there are no raw rows at {path}: run extract and collect first")
        paths.update(found.resolve() for found in ([path] if path.is_file() else path.rglob("*.parquet")))
    if not paths:
        raise DataError(f"there is no Parquet file in {', '.join(map(str, raw))}: run extract and collect first")
    return sorted(file for path in paths if (file := _raw_file(path)).rows)


def _raw_file(path: Path) -> RawFile:
    try:
        metadata = pq.read_metadata(path)
        schema = metadata.schema.to_arrow_schema()
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(f"{path} cannot be read as Parquet: {error}") from None
    if not schema.equals(RAW):
        columns = ", ".join(f"{field.name} {field.type}" for field in schema)
        raise DataError(f"{path} holds no raw rows, but the columns {columns}: give what extract and collect wrote")
    if not metadata.num_rows:
        return RawFile("", "", path, 0)
    return RawFile(_only(path, metadata, "source"), _only(path, metadata, "file"), path, metadata.num_rows)


def _only(path: Path, metadata: pq.FileMetaData, column: str) -> str:
    """The one value of a column, from what Parquet notes of it."""
    position = RAW.get_field_index(column)
    notes = [metadata.row_group(group).column(position).statistics for group in range(metadata.num_row_groups)]
    values = {value for note in notes if note for value in (note.min, note.max)}
    if len(values) != 1 or None in values:
        raise DataError(f"{path} holds rows of more than one {column}: give what extract and collect wrote")
    return str(values.pop())
