"""The one place that prints records and writes tables: for people, as JSON, as CSV, as a file for Excel."""

import io
import json
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.box import Box
from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text

from song2vec.errors import DataError
from song2vec_client.format.layout import is_version

if TYPE_CHECKING:
    from pandas import DataFrame

Part = str | Table
"""A piece of what a person is shown."""

ENDLESS = 100_000
"""Columns of a page that nobody looks at: a table in a file or a pipe is not cut."""

EXCEL_ROWS = 1_048_576
_UNDERLINED = Box("    \n    \n -  \n    \n    \n    \n    \n    \n", ascii=True)


def print_json(record: Mapping[str, Any]) -> None:
    """One object, on a line."""
    _print(json.dumps(record, ensure_ascii=False, default=str))


def print_parts(parts: Iterable[Part]) -> None:
    """Text as it is, and tables, with a line between; coloured and folded where stdout is a terminal, else plain."""
    _print("\n\n".join(part if isinstance(part, str) else _rendered(part) for part in parts))


def print_csv(frame: "DataFrame") -> None:
    """With a line of names, without the index."""
    _print(frame.to_csv(index=False).removesuffix("\n"))


def write_excel(frame: "DataFrame", path: Path) -> None:
    """A workbook with one sheet, written whole. Text stays text: what begins with ``=`` would be run as a formula.

    Raises:
        DataError: a sheet cannot hold so many rows, or the file cannot be written.
    """
    from song2vec.plumbing.files import whole_file

    if len(frame) >= EXCEL_ROWS:
        raise DataError(f"{path} can hold {EXCEL_ROWS - 1:,} rows, and there are {len(frame):,}: use --csv")
    try:
        with whole_file(path) as temporary:
            _write_sheet(frame, temporary)
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror}") from None


def _write_sheet(frame: "DataFrame", path: Path) -> None:
    import pandas

    options = {"strings_to_formulas": False, "strings_to_urls": False}
    with (
        path.open("wb") as file,
        pandas.ExcelWriter(file, engine="xlsxwriter", engine_kwargs={"options": options}) as writer,
    ):
        frame.to_excel(writer, index=False, freeze_panes=(1, 0), autofilter=True)


def table(
    frame: "DataFrame", *, whole: str = "d", broken: str = ".3f", widest: Mapping[str, int] | None = None
) -> Table:
    """A frame for people.

    Args:
        frame: one row a line; what is missing is left empty.
        whole: the format of whole numbers.
        broken: the format of other numbers.
        widest: how many letters of a column's texts are shown, by its name; None: all.
    """
    from pandas.api.types import is_numeric_dtype

    drawn = Table(box=_UNDERLINED, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    cells = []
    for name, column in frame.items():
        most = (widest or {}).get(str(name))
        texts = [Text(printable(_written(value, whole, broken), most)) for value in column.tolist()]
        whole_texts = any(is_version(text.plain) for text in texts)  # people copy them
        side: JustifyMethod = "right" if is_numeric_dtype(column) else "left"
        drawn.add_column(str(name), justify=side, no_wrap=whole_texts, overflow="fold")
        cells.append(texts)
    for row in zip(*cells, strict=True):
        drawn.add_row(*row)
    return drawn


def _written(value: Any, whole: str, broken: str) -> str:
    if isinstance(value, float):
        return format(value, broken)
    if isinstance(value, int) and not isinstance(value, bool):
        return format(value, whole)
    return str(value) if isinstance(value, str | bool) else ""  # pandas.NA


def printable(text: str, widest: int | None = None) -> str:
    """A text of unknown origin made fit for a terminal: one line, no control characters, not too long."""
    short = text if widest is None or len(text) <= widest else text[: widest - 1] + "…"
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in short)


def _rendered(drawn: Table) -> str:
    """The table as text: as wide as the terminal, and wider where a version would have to be folded."""
    terminal = sys.stdout.isatty()
    console = Console(file=io.StringIO(), force_terminal=terminal, width=None if terminal else ENDLESS)
    if any(column.no_wrap for column in drawn.columns):
        unbounded = console.options.update(max_width=ENDLESS)
        console.width = max(console.width, console.measure(drawn, options=unbounded).minimum)
    with console.capture() as captured:
        console.print(drawn)
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def _print(text: str) -> None:
    """To stdout; quietly where nobody reads on, as with ``| head``."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python fails again as it closes stdout
