"""What was left out, for people to see: the rows of ``quarantine.parquet`` by reason, with counts and examples."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from song2vec.errors import DataError
from song2vec.playlists.rules import RULES
from song2vec.playlists.tables import QUARANTINE
from song2vec.workspace import open_run_folder
from song2vec_client.errors import NotFoundError

NAME = "quarantine.parquet"
BATCH_ROWS = 100_000

_PLACE = ["reason", "source", "file"]
_EXAMPLE = ["source", "file", "line", "category", "value", "problem"]


def read_quarantine(where: str, *, reason: str | None = None, examples: int = 3) -> dict[str, Any]:
    """Count the left-out rows by reason, in one pass and a memory that does not grow with their number.

    Args:
        where: ``quarantine.parquet``, or the folder that `prepare` wrote; a path or ``gs://…``.
        reason: only this one.
        examples: how many rows of each reason to show: the first ones, by source, file and line.

    Returns:
        ``{"rows", "reasons": [{"reason", "means", "rows", "files", "examples": [{"source", "file", "line",
        "category", "value", "problem"}, …]}, …]}``, reasons in the order in which the rules are applied; `files` counts
        the files (or tables) that the rows come from.

    Raises:
        NotFoundError: nothing is there.
        DataError: the file is no quarantine.
    """
    rows: Counter[tuple[str, ...]] = Counter()
    shown: dict[str, list[dict[str, Any]]] = {}
    with _local(where) as path:
        for batch in _batches(path):
            for group in batch.group_by(_PLACE).aggregate([([], "count_all")]).to_pylist():
                rows[tuple(group[name] for name in _PLACE)] += group["count_all"]
            for name in pc.unique(batch.column("reason")).to_pylist():
                first_rows = shown.setdefault(name, [])
                if len(first_rows) < examples:
                    matching = batch.filter(pc.equal(batch.column("reason"), name))
                    first_rows += matching.slice(0, examples - len(first_rows)).select(_EXAMPLE).to_pylist()
    reasons = [_reason(name, rows, shown[name]) for name in _in_order(shown) if reason in (None, name)]
    return {"rows": sum(each["rows"] for each in reasons), "reasons": reasons}


@contextmanager
def _local(where: str) -> Iterator[Path]:
    """A local path of the file at `where`."""
    if where.startswith("gs://"):
        uri = where if where.endswith(".parquet") else f"{where.rstrip('/')}/{NAME}"
        folder = open_run_folder(uri.rpartition("/")[0])  # what it downloads goes when it goes
        yield folder.fetch(uri)
        return
    path = Path(where) / NAME if Path(where).is_dir() else Path(where)
    if not path.is_file():
        raise NotFoundError(f"there is no quarantine at {path}: give the folder that `song2vec prepare` wrote")
    yield path


def _batches(path: Path) -> Iterator[pa.Table]:
    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(f"{path} cannot be read as Parquet: {error}") from None
    with file:
        if missing := set(QUARANTINE.names) - set(file.schema_arrow.names):
            raise DataError(f"{path} is no quarantine: it lacks {', '.join(sorted(missing))}")
        for batch in file.iter_batches(BATCH_ROWS, columns=QUARANTINE.names):
            yield pa.table(batch)


def _in_order(reasons: Mapping[str, Any]) -> list[str]:
    return [name for name in RULES if name in reasons] + sorted(set(reasons) - set(RULES))


def _reason(name: str, rows: Counter[tuple[str, ...]], examples: list[dict[str, Any]]) -> dict[str, Any]:
    places = [count for place, count in rows.items() if place[0] == name]
    means = RULES.get(name, "")
    return {"reason": name, "means": means, "rows": sum(places), "files": len(places), "examples": examples}
