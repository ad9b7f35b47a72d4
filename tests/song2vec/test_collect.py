import csv
import io
import json

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from song2vec.collect import collect, find_csvs, groups
from song2vec.config import CollectSettings
from song2vec.errors import SettingsError
from song2vec.tables import RAW

HEADER = "Category,master_number\n"


@pytest.fixture
def read(tmp_path):
    """Collect a file of these bytes; its rows as (line, category, song, problem), and the record."""

    def read(content: bytes, name: str = "a.csv", **options):
        path = tmp_path / name
        path.write_bytes(content)
        record = collect(path, tmp_path / "raw", CollectSettings(**options))
        parquet = tmp_path / "raw" / record["name"]
        table = pq.read_table(parquet)
        assert table.schema.equals(RAW)
        assert json.loads(parquet.with_suffix(".json").read_text()) == record
        assert record["rows"] == len(table)
        assert record["problems"] == len(table) - table["problem"].null_count
        assert {(row["source"], row["file"]) for row in table.to_pylist()} <= {("csv", name)}
        return [(row["line"], row["category"], row["song"], row["problem"]) for row in table.to_pylist()], record

    return read


def test_rows_are_kept_as_they_are_with_their_lines(read):
    rows, record = read((HEADER + "a,12345.0\na, ? \n,\nb,00123\n").encode())
    assert rows == [(2, "a", "12345.0", None), (3, "a", " ? ", None), (4, "", "", None), (5, "b", "00123", None)]
    assert (record["encoding"], record["problem"]) == ("utf-8", None)


def test_columns_are_found_by_their_header_wherever_they_are(read):
    rows, _ = read(b"title, number ,x,playlist\nHello,5,,p\n", playlist_column="playlist", song_column="number")
    assert rows == [(2, "p", "5", None)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949"])
def test_the_encoding_is_found_from_the_bytes(read, encoding):
    rows, record = read((HEADER + "발라드 모음,1\n똠방각하,2\n").encode(encoding))
    assert rows == [(2, "발라드 모음", "1", None), (3, "똠방각하", "2", None)]
    assert record["encoding"] == encoding.removesuffix("-sig")


def test_the_encoding_is_found_where_it_begins_late(read):
    text = HEADER + f"{'a' * 200},1\n" * 10_000 + "노래,2\n"  # beyond the first megabytes
    rows, record = read(text.encode("cp949"))
    assert record["encoding"] == "cp949"
    assert rows[-1] == (10_002, "노래", "2", None)
    assert len(rows) == 10_001


def test_the_encoding_can_be_given(read):
    rows, _ = read((HEADER + "노래,1\n").encode("utf-16"), encoding="utf-16")
    assert rows == [(2, "노래", "1", None)]


def test_one_line_of_other_bytes_costs_that_line_only(read):
    rows, record = read((HEADER + "노래,1\n").encode() + b"\xbf\xfe,2\n" + "노래,3\n".encode())
    assert record["encoding"] == "utf-8"
    assert [row[2] for row in rows] == ["1", "\\xbf\\xfe,2", "3"]
    assert rows[1] == (3, None, "\\xbf\\xfe,2", "bytes that are not of the file's encoding")


def test_blank_lines_are_no_rows_but_count_as_lines(read):
    rows, _ = read(b"\n" + HEADER.encode() + b"\na,1\n   \n\na,2\n")
    assert [(line, song) for line, _, song, _ in rows] == [(4, "1"), (7, "2")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_of_every_system(read, end):
    rows, _ = read(f"Category,master_number{end}a,1{end}b,2".encode())
    assert rows == [(2, "a", "1", None), (3, "b", "2", None)]


def test_quoted_fields(read):
    rows, _ = read(b'Category,master_number\n"a,b","1"\n"two\nlines",2\n"say ""hi""",3\n5" disc,4\n')
    assert rows == [
        (2, "a,b", "1", None),
        (3, "two\nlines", "2", None),
        (5, 'say "hi"', "3", None),
        (6, '5" disc', "4", None),
    ]


@pytest.mark.parametrize("lines_after", [0, 5, 5_000])
def test_a_quote_that_is_never_closed_costs_its_own_line_only(read, lines_after):
    rows, _ = read((HEADER + 'a,1\n"b,2\n' + "c,3\n" * lines_after).encode())
    assert rows[0] == (2, "a", "1", None)
    assert rows[1] == (3, None, '"b,2', "a quote that is never closed")
    assert rows[2:] == [(4 + i, "c", "3", None) for i in range(lines_after)]


def test_ragged_lines_are_kept_as_text_with_the_reason(read):
    rows, record = read((HEADER + "a,1\nonly\na,1,2\na,2\n").encode())
    assert rows == [
        (2, "a", "1", None),
        (3, None, "only", "1 fields where the header has 2"),
        (4, None, "a,1,2", "3 fields where the header has 2"),
        (5, "a", "2", None),
    ]
    assert record["problems"] == 2


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"\n\n", "it is empty"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "it holds zero bytes"),
        (b"\xff\xfeC\0a\0t\0", "UTF-16"),
        (b"Playlist,song\na,1\n", "no column 'Category': it is 'Playlist, song'"),
        (b"Category,title\na,1\n", "no column 'master_number'"),
        (b"Category,Category,master_number\na,b,1\n", "more than one column 'Category'"),
        (b'"Category,master_number\na,1\n', "no column"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_row_with_the_reason(read, content, reason):
    rows, record = read(content)
    assert len(rows) == 1
    assert rows[0][3] == record["problem"]
    assert reason in record["problem"]


def test_a_file_that_is_gone_is_one_row_with_the_reason(tmp_path):
    record = collect(tmp_path / "gone.csv", tmp_path / "raw", CollectSettings())
    assert record["problem"] == "the file cannot be read: No such file or directory"
    assert record["rows"] == 1


def test_a_header_alone_gives_no_rows(read):
    assert read(HEADER.encode())[0] == []


def test_output_names_differ_where_the_files_do(tmp_path):
    names = set()
    for name in ["a.csv", "a.txt", "A.csv", "노래 모음.csv", "ㄱ" * 80 + ".csv", "a[1].csv"]:
        (tmp_path / name).write_text(HEADER + "a,1\n", encoding="utf-8")
        names.add(collect(tmp_path / name, tmp_path / "raw", CollectSettings())["name"])
    assert len(names) == 6
    assert {path.name for path in (tmp_path / "raw").glob("*.parquet")} == names


def test_collecting_again_gives_the_same_bytes(read, tmp_path):
    files = []
    for _ in range(2):
        _, record = read((HEADER + "a,1\nb,2,3\n").encode())
        files.append(
            [(tmp_path / "raw" / record["name"]).with_suffix(end).read_bytes() for end in (".parquet", ".json")]
        )
    assert files[0] == files[1]


def test_finds_files_by_name_and_only_files(tmp_path):
    for name in ["b.csv", "a.csv", "나.csv", "c.txt"]:
        (tmp_path / name).touch()
    (tmp_path / "folder.csv").mkdir()
    assert [path.name for path in find_csvs(CollectSettings(folder=str(tmp_path)))] == ["a.csv", "b.csv", "나.csv"]


def test_no_files_are_fine_but_no_folder_is_not(tmp_path):
    assert find_csvs(CollectSettings(folder=str(tmp_path))) == []
    with pytest.raises(SettingsError, match=r"collect.folder: there is no folder .*gone"):
        find_csvs(CollectSettings(folder=str(tmp_path / "gone")))


def test_two_files_of_one_name_are_refused(tmp_path):
    for folder in "ab":
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.csv").touch()
    with pytest.raises(SettingsError, match="one name"):
        find_csvs(CollectSettings(folder=str(tmp_path), pattern="**/*.csv"))


@pytest.mark.parametrize("count", [0, 1, 64, 65, 1_000])
def test_groups_hold_every_path_in_order(tmp_path, count):
    paths = [tmp_path / f"{i}.csv" for i in range(count)]
    found = groups(paths)
    assert [path for group in found for path in group] == [str(path) for path in paths]
    assert len(found) == min(count, 64)
    assert max(map(len, found), default=0) - min(map(len, found), default=0) <= 1


anything = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)
FIELD = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


@anything
@given(st.lists(st.tuples(FIELD, FIELD.filter(str.strip)), max_size=20))
def test_what_a_csv_writer_wrote_is_read_back(read, pairs):
    text = io.StringIO()
    csv.writer(text).writerows([("Category", "master_number"), *pairs])
    rows, _ = read(text.getvalue().encode())
    assert [(category, song) for _, category, song, _ in rows] == pairs


@anything
@given(st.lists(st.sampled_from([b"a", b"1", b",", b'"', b"\n", b"\r", b" ", b"\0", b"\xbf", b"\xec\x95\x84", b"?"])))
def test_whatever_the_bytes_nothing_crashes_and_no_line_is_lost(read, pieces):
    content = b"".join(pieces)
    rows, record = read(HEADER.encode() + content)
    kept = sum(len(category or "") + len(song) for _, category, song, _ in rows)
    if not record["problem"]:
        assert kept >= content.count(b"a") + content.count(b"1") + content.count(b"?")


@anything
@given(st.binary(max_size=400))
def test_whatever_the_file_it_is_read_or_left_out(read, content):
    rows, record = read(content)
    assert record["problem"] is None or rows[-1][3] == record["problem"]
