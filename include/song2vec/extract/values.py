"""What a database's driver gives, as Arrow columns."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa


def as_column(values: Sequence[Any]) -> pa.Array:
    """The values of one column: int64 where all are whole numbers, else as text; without a loop in either case."""
    kinds = set(map(type, values))
    if kinds == {int}:
        try:
            return pa.array(values, pa.int64())
        except OverflowError:
            pass
    if kinds == {str}:
        return pa.array(values, pa.string())
    return pa.array([_text(value) for value in values], pa.string())


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)
