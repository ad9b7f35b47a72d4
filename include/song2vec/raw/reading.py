"""Raw rows on their way back from Parquet: which files there are, and their rows in order."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from song2vec.errors import DataError
from song2vec.playlists.tables import RAW


@dataclass(frozen=True, order=True, slots=True)
class RawFile:
    """A Parquet file with the rows of one CSV file or one database table; in the order of their names.

    Attributes:
        source: "mariadb" or "csv".
        file: the CSV's name, or the table's.
        path: where the Parquet file is.
        rows: how many it has.
        groups: in how many row groups.
    """

    source: str
    file: str
    path: Path
    rows: int
    groups: int

    def pieces(self) -> list["Piece"]:
        """The file's row groups, in order: what Parquet lets be read by itself, of a million rows at most."""
        return [Piece(self, group) for group in range(self.groups)]


@dataclass(frozen=True, slots=True)
class Piece:
    """A row group of a file."""

    file: RawFile
    group: int

    def read(self, columns: Sequence[str]) -> pa.RecordBatch:
        """The rows, in the source's order, texts as dictionaries.

        Arrow's own threads are off: where pieces are read side by side they take twice the processor time.
        """
        with pq.ParquetFile(self.file.path, read_dictionary=["category", "song", "problem"]) as file:
            empty = [name for name in columns if _has_no_value(file.metadata.row_group(self.group), name)]
            rest = [name for name in columns if name not in empty]
            table = file.read_row_group(self.group, columns=rest, use_threads=False)
        (batch,) = table.combine_chunks().to_batches()
        for name in empty:  # nulls, too, take time to read
            batch = batch.append_column(name, pa.nulls(len(batch), pa.dictionary(pa.int32(), pa.string())))
        return batch


def _has_no_value(group: pq.RowGroupMetaData, name: str) -> bool:
    """Whether a column holds nulls only, as category and problem mostly do, by Parquet's statistics."""
    statistics = group.column(RAW.get_field_index(name)).statistics if name in ("category", "problem") else None
    return statistics is not None and statistics.null_count == group.num_rows


def raw_files(raw: Sequence[Path]) -> list[RawFile]:
    """The Parquet files among `raw`, files and folders, each once, by source and name.

    Files without a row are left out.

    Raises:
        DataError: one does not exist, or is not a file of raw rows; or there is none at all.
    """
    paths: set[Path] = set()
    for path in raw:
        if not path.exists():
            raise DataError(f"there are no raw rows at {path}: run extract and collect first")
        paths.update(file.resolve() for file in ([path] if path.is_file() else path.rglob("*.parquet")))
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
        raise DataError(
            f"{path} does not hold raw rows, but the columns {columns}: give what extract and collect wrote"
        )
    if not metadata.num_rows:
        return RawFile("", "", path, 0, 0)
    source, file = _only(path, metadata, "source"), _only(path, metadata, "file")
    return RawFile(source, file, path, metadata.num_rows, metadata.num_row_groups)


def _only(path: Path, metadata: pq.FileMetaData, column: str) -> str:
    """The one value of a column, by Parquet's statistics."""
    position = RAW.get_field_index(column)
    groups = [metadata.row_group(group).column(position).statistics for group in range(metadata.num_row_groups)]
    values = {value for group in groups if group for value in (group.min, group.max)}
    if len(values) != 1 or None in values:
        raise DataError(f"{path} holds rows of more than one {column}: give what extract and collect wrote")
    return str(values.pop())
