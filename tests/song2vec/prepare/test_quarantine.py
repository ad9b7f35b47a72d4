import io
import unicodedata
from collections import Counter
from contextlib import redirect_stdout

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from song2vec.cli import show
from song2vec.cli.output import print_parts
from song2vec.errors import DataError
from song2vec.playlists.rules import RULES
from song2vec.playlists.tables import QUARANTINE
from song2vec.prepare import read_quarantine
from song2vec_client.errors import NotFoundError

REASONS = list(RULES)


def page(record):
    """What `song2vec quarantine` prints."""
    with redirect_stdout(io.StringIO()) as printed:
        print_parts(show.quarantine(record))
    return printed.getvalue().rstrip("\n")


def write_quarantine(path, rows, batch_rows=1_000):
    """Rows (file, line, category, value, reason), all of source csv; a row group holds `batch_rows`."""
    columns = ("source", "file", "line", "category", "value", "reason")
    table = pa.Table.from_pylist([dict(zip(columns, ("csv", *row), strict=True)) for row in rows], QUARANTINE)
    pq.write_table(table, path, row_group_size=batch_rows)
    return path


def test_what_could_not_be_read_says_why_and_other_rows_have_no_such_column(tmp_path):
    row = {"source": "csv", "file": "a.csv", "line": 1, "value": "", "reason": "unreadable", "problem": "0 bytes"}
    other = {**row, "line": 2, "value": "x", "reason": "bad_song", "problem": None}
    pq.write_table(pa.Table.from_pylist([row, other], QUARANTINE), tmp_path / "quarantine.parquet")

    found = read_quarantine(str(tmp_path))

    assert [reason["examples"][0]["problem"] for reason in found["reasons"]] == ["0 bytes", None]
    unreadable, bad_song = page(found).split("bad_song, 1 of 1:")
    assert "0 bytes" in unreadable
    assert "problem" not in bad_song


@pytest.fixture
def quarantine(tmp_path):
    rows = [
        ("a.csv", 3, "p1", "?", "unknown_song"),
        ("a.csv", 4, "p1", "12345.5", "bad_song"),
        ("b.csv", 2, None, "12345", "no_playlist"),
        ("b.csv", 7, "p2", "?", "unknown_song"),
        ("b.csv", 9, "p2", "?", "unknown_song"),
    ]
    return write_quarantine(tmp_path / "quarantine.parquet", rows)


def test_reasons_come_in_the_order_of_the_rules_with_counts_and_first_examples(quarantine):
    found = read_quarantine(str(quarantine), examples=2)

    assert found["rows"] == 5
    counts = [(reason["reason"], reason["rows"], reason["files"]) for reason in found["reasons"]]
    assert counts == [("no_playlist", 1, 1), ("unknown_song", 3, 2), ("bad_song", 1, 1)]
    assert found["reasons"][1]["means"] == RULES["unknown_song"]
    assert found["reasons"][1]["examples"] == [
        {"source": "csv", "file": "a.csv", "line": 3, "category": "p1", "value": "?", "problem": None},
        {"source": "csv", "file": "b.csv", "line": 7, "category": "p2", "value": "?", "problem": None},
    ]
    assert read_quarantine(str(quarantine.parent), examples=2) == found


def test_one_reason_alone(quarantine):
    found = read_quarantine(str(quarantine), reason="bad_song")

    assert (found["rows"], [reason["reason"] for reason in found["reasons"]]) == (1, ["bad_song"])
    assert read_quarantine(str(quarantine), reason="unreadable") == {"rows": 0, "reasons": []}


def test_the_columns_stand_below_each_other_where_letters_are_two_columns_wide(tmp_path):
    rows = [("두 번.csv", 1, "노래방", "?", "unknown_song"), ("abc.csv", 12, "P1", "?", "unknown_song")]
    path = write_quarantine(tmp_path / "quarantine.parquet", rows)

    *_, korean, latin = page(read_quarantine(str(path))).splitlines()

    assert columns_before(korean, "노래방") == columns_before(latin, "P1")
    assert columns_before(korean, "?") == columns_before(latin, "?")


def columns_before(line, part):
    return sum(1 + (unicodedata.east_asian_width(letter) in "WF") for letter in line[: line.index(part)])


def test_a_quarantine_in_a_bucket_is_read_alike(quarantine, bucket):
    bucket.put("run/prepared/quarantine.parquet", quarantine)

    for where in ("run/prepared", "run/prepared/", "run/prepared/quarantine.parquet"):
        assert read_quarantine(f"{bucket.uri}/{where}") == read_quarantine(str(quarantine))


@given(st.lists(st.tuples(st.sampled_from(["a", "b"]), st.sampled_from(REASONS)), max_size=40), st.integers(0, 4))
def test_every_row_is_counted_once_and_no_more_examples_are_shown_than_asked_for(tmp_path_factory, rows, examples):
    path = tmp_path_factory.mktemp("quarantine") / "quarantine.parquet"
    write_quarantine(path, [(file, line, "p", "?", reason) for line, (file, reason) in enumerate(rows)], batch_rows=7)

    found = read_quarantine(str(path), examples=examples)

    expected = Counter(reason for _, reason in rows)
    assert found["rows"] == len(rows)
    assert {reason["reason"]: reason["rows"] for reason in found["reasons"]} == expected
    for reason in found["reasons"]:
        assert reason["files"] == len({file for file, name in rows if name == reason["reason"]})
        lines = [line for line, (_, name) in enumerate(rows) if name == reason["reason"]]
        assert [row["line"] for row in reason["examples"]] == lines[:examples]


def test_what_collectors_wrote_cannot_disturb_the_terminal(tmp_path):
    value = "\x1b[2Jred\n노래" + "x" * 1000
    path = write_quarantine(tmp_path / "quarantine.parquet", [("가 나.csv", 1, None, value, "unreadable")])

    text = page(read_quarantine(str(path)))

    assert "\\x1b[2Jred\\n노래xxx" in text
    assert "…" in text
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) < 150


def test_the_table_shows_counts_then_examples(quarantine, tmp_path):
    text = page(read_quarantine(str(quarantine), examples=1))

    assert "unknown_song, 1 of 3:" in text
    assert "a.csv" in text
    assert "unknown_song, 1 of" not in page(read_quarantine(str(quarantine), examples=0))
    nothing = write_quarantine(tmp_path / "nothing.parquet", [])
    assert page(read_quarantine(str(nothing))) == "no row was left out"


def test_what_is_no_quarantine_is_said_to_be_none(tmp_path, store):
    (tmp_path / "text.parquet").write_text("Category,master_number\n")
    pq.write_table(pa.table({"song": [1]}), tmp_path / "other.parquet")

    for nowhere in (str(tmp_path), str(tmp_path / "nowhere"), f"{store}/nowhere"):
        with pytest.raises(NotFoundError, match=r"nowhere|no quarantine at"):
            read_quarantine(nowhere)
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        read_quarantine(str(tmp_path / "text.parquet"))
    with pytest.raises(DataError, match="it lacks category, file, line"):
        read_quarantine(str(tmp_path / "other.parquet"))
