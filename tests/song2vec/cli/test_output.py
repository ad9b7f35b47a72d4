"""Tables for people, as CSV and as a workbook: Korean in line, text that stays text, and nothing lost."""

import io
import os
import pty
import re
import subprocess
import sys
import zipfile
from contextlib import redirect_stdout
from unicodedata import east_asian_width
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rig.models import FINISHED, publish_model
from tests.rig.terminal import read_all

from song2vec.cli import frames, show
from song2vec.cli.main import PANELS, main
from song2vec.cli.output import print_csv, print_parts, table, write_excel
from song2vec.errors import DataError
from song2vec.records import Funnel, Metrics, Tuning

MOVE = {"kind": "pin", "forced": False, "channel": "production", "version": "v2", "previous": "v1", "sequence": 2}
MOVES = [
    {**MOVE, "when": "2026-01-31 04:00 UTC", "who": "민지", "why": "크리스마스"},
    {**MOVE, "sequence": 11, "previous": "v2", "when": "2026-02-01 04:00 UTC", "who": "jun", "why": '=1+1, "so"'},
]


def printed(function, *arguments):
    with redirect_stdout(io.StringIO()) as out:
        function(*arguments)
    return out.getvalue()


def columns_before(line, part):
    return sum(1 + (east_asian_width(letter) in "WF") for letter in line[: line.index(part)])


def test_a_table_is_in_line_where_letters_are_two_columns_wide():
    head, rule, latin, korean = printed(print_parts, show.history({"moves": MOVES, "problems": []})).splitlines()

    for name, other, own in (("who", "jun", "민지"), ("why", "=1+1", "크리스마스")):
        assert columns_before(head, name) == columns_before(latin, other) == columns_before(korean, own)
    assert (latin[:2], korean[:2]) == ("11", " 2")
    assert set(rule) == {"-", " "}
    assert not re.search(r"[ \t]$", head + latin + korean)


def test_what_is_wrong_stands_below_and_a_terminal_is_not_disturbed():
    moves = [{**MOVES[0], "why": "\x1b[2J\nred"}]
    text = printed(print_parts, show.history({"moves": moves, "problems": ["3 is missing"]}))

    assert "\\x1b[2J\\nred" in text
    assert "\x1b" not in text
    assert text.endswith("\n\n3 is missing\n")


def test_numbers_are_written_as_their_kind_and_what_is_missing_is_left_empty():
    import pandas as pd

    frame = pd.DataFrame({"song": [53651, None], "score": [0.5, None], "new": [True, None], "name": ["a", None]})
    frame = frame.astype({"song": "Int64", "score": "Float64", "new": "boolean", "name": "string"})

    *_, first, second = printed(print_parts, [table(frame)]).splitlines()
    assert first.split() == ["53651", "0.500", "True", "a"]
    assert second == ""
    assert printed(print_parts, [table(frame, whole=",", broken=".1f")]).splitlines()[2].split()[:2] == [
        "53,651",
        "0.5",
    ]


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\x00"), max_size=20)
ROWS = st.lists(st.tuples(st.integers(1, 2**63 - 1), TEXT.filter(lambda text: text not in {"NA", ""})), max_size=8)


@given(ROWS)
def test_csv_gives_back_what_was_in_the_frame(rows):
    import pandas as pd

    frame = pd.DataFrame(rows, columns=["song", "title"]).astype({"song": "Int64", "title": "string"})

    text = printed(print_csv, frame)

    back = pd.read_csv(io.StringIO(text), dtype=dict(frame.dtypes), keep_default_na=False, na_values=[])
    pd.testing.assert_frame_equal(back, frame)


def strings(path):
    """The cells of the first sheet: text as text, formulas with their sign."""
    name = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    with zipfile.ZipFile(path) as book:
        shared = ["".join(item.itertext()) for item in ElementTree.fromstring(book.read("xl/sharedStrings.xml"))]
        sheet = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))
    assert not list(sheet.iter(f"{name}f")), "a formula"
    rows = [list(row) for row in sheet.iter(f"{name}row")]
    return [
        [
            shared[int(value)] if cell.get("t") == "s" else float(value)
            for cell in row
            if (value := cell.findtext(f"{name}v"))
        ]
        for row in rows
    ]


def test_a_workbook_holds_text_as_text_and_numbers_as_numbers(tmp_path):
    frame = frames.history({"moves": MOVES})

    write_excel(frame, tmp_path / "new/moves.xlsx")

    head, first, second = strings(tmp_path / "new/moves.xlsx")
    assert head == list(frame.columns)
    assert (first[0], first[-2:]) == (11, ["jun", '=1+1, "so"'])
    assert second[-2:] == ["민지", "크리스마스"]
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["moves.xlsx"]


def test_more_rows_than_a_sheet_holds_are_refused(tmp_path):
    import pandas as pd

    with pytest.raises(DataError, match=r"can hold 1,048,575 rows, and there are 1,048,576: use --csv"):
        write_excel(pd.DataFrame({"row": range(2**20)}), tmp_path / "much.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_versions_as_csv_and_as_a_workbook_beside_the_table(store, bucket, tmp_path, capsys):
    name = publish_model(bucket, tmp_path / "model", finished=FINISHED).version

    capsys.readouterr()
    assert main(["versions", "--from", store, "--csv"]) == 0
    head, row = capsys.readouterr().out.splitlines()
    assert head == "version,live,status,published,ndcg,hit_rate"
    assert row.startswith(f"{name},,accepted,2026-01-31 04:00 UTC")
    assert main(["versions", "--from", store, "--excel", str(tmp_path / "versions.xlsx")]) == 0
    assert name in capsys.readouterr().out
    assert [row[0] for row in strings(tmp_path / "versions.xlsx")] == ["version", name]


def test_a_workbook_that_cannot_be_written_is_told_in_a_line(tmp_path, capsys):
    (tmp_path / "file").write_text("")

    assert main(["settings", "--excel", str(tmp_path / "file/settings.xlsx")]) == 1

    streams = capsys.readouterr()
    assert (streams.out, streams.err) == (
        "",
        f"song2vec: {tmp_path}/file/settings.xlsx cannot be written: File exists\n",
    )


EMPTY = {"versions": [], "moves": [], "problems": [], "files": [], "reasons": [], "similar": [], "settings": []}
TYPED = {
    "prepare": Funnel(rules=(), raw_rows=0, rows=0, playlists=0),
    "evaluate": Metrics.model_construct(),  # type: ignore[call-arg]  # nobody was measured
    "tune": Tuning.model_construct(trials=(), today={"alpha": 0.2}),  # type: ignore[call-arg]  # nothing was tried
}
TABLES = {command.name: command.frame for commands in PANELS.values() for command in commands if command.frame}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_without_rows_has_its_columns_and_types_all_the_same(name):
    frame = TABLES[name](TYPED.get(name, EMPTY))

    assert len(frame) == 0
    assert {"string", "Int64", "Float64", "boolean"} >= {str(kind) for kind in frame.dtypes}
    assert printed(print_csv, frame) == ",".join(frame.columns) + "\n"


def on_a_terminal(code, columns):
    """What a Python program prints on a terminal with so many columns."""
    terminal, stdout = pty.openpty()
    environment = {"PYTHONPATH": "include", "PATH": os.environ["PATH"], "TERM": "xterm-256color"}
    environment["COLUMNS"] = str(columns)
    with subprocess.Popen([sys.executable, "-c", code], stdout=stdout, env=environment) as process:
        os.close(stdout)
        text = read_all(terminal)
    assert process.returncode == 0
    return text


def test_a_terminal_gets_a_table_that_fits():
    text = on_a_terminal("from song2vec.cli.main import main; main(['settings'])", 70)

    assert "\x1b[1m" in text
    lines = re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines()
    assert max(map(len, lines)) <= 70
    assert "train.epochs" in " ".join(lines)


def test_a_version_is_whole_in_however_narrow_a_terminal():
    move = MOVE | {"version": "20261124T205101Z-8f801590", "previous": "20261124T202708Z-a4023291"}
    move |= {"when": "2026-11-24T20:51:00Z", "who": "minji", "why": "too many ballads on a night like this, they said"}
    code = f"""
from song2vec.cli import show
from song2vec.cli.output import print_parts
print_parts(show.history({{"moves": [{move!r}], "problems": []}}))
"""
    text = on_a_terminal(code, 60)

    assert move["version"] in text
    assert move["previous"] in text
    assert "…" not in text
