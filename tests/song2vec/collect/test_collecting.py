import csv
import gzip
import io
import json
import tracemalloc
import unicodedata
import zipfile
from threading import Event, Thread

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from song2vec.collect import collect, find_csvs, groups
from song2vec.errors import DataError, SettingsError
from song2vec.playlists.tables import RAW
from song2vec.settings import CollectSettings, load_settings

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
        return rows_of(table), record

    return read


def rows_of(table):
    """The rows as (line, category, song, problem), numbers as the texts they were."""
    return [
        (
            row["line"],
            text(row["category_number"], row["category"]),
            text(row["song_number"], row["song"]),
            row["problem"],
        )
        for row in table.to_pylist()
    ]


def text(number, other):
    return other if number is None else str(number)


def test_rows_are_kept_as_they_are_with_their_lines(read):
    rows, record = read((HEADER + "a,12345.0\na, ? \n,\nb,00123\n").encode())
    assert rows == [(2, "a", "12345.0", None), (3, "a", " ? ", None), (4, "", "", None), (5, "b", "00123", None)]
    assert (record["encoding"], record["problem"]) == ("utf-8", None)


def test_columns_are_found_by_their_header_wherever_they_are(read):
    rows, _ = read(b"title, number ,x,playlist\nHello,5,,p\n", playlist_column="playlist", song_column="number")
    assert rows == [(2, "p", "5", None)]


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("cp949", "cp949"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
    ],
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_encoding_is_found_from_the_bytes_and_the_delimiter_from_the_header(read, encoding, name, delimiter):
    lines = ["Category,master_number", "가나다 모음,1", *["똠방각하,2"] * 1_000]
    content = "\r\n".join(lines).replace(",", delimiter).encode(encoding)
    rows, record = read(content)
    assert rows == [(2, "가나다 모음", "1", None)] + [(3 + i, "똠방각하", "2", None) for i in range(1_000)]
    assert (record["encoding"], record["delimiter"]) == (
        name,
        {",": "comma", ";": "semicolon", "\t": "tab"}[delimiter],
    )


def test_euc_kr_is_cp949(read):
    assert read((HEADER + "발라드 모음,1\n").encode("euc-kr"))[0] == [(2, "발라드 모음", "1", None)]


def test_big_endian_utf_16_with_a_mark(read):
    rows, record = read("\ufeffCategory,master_number\n노래,1\n".encode("utf-16-be"))
    assert (rows, record["encoding"]) == ([(2, "노래", "1", None)], "utf-16")


def test_other_delimiters_in_the_fields_do_not_mislead(read):
    rows, record = read(b"Category;tags,more,and,more,words;master_number\na;b,c;1\n")
    assert (rows, record["delimiter"]) == ([(2, "a", "1", None)], "semicolon")


def test_the_delimiter_can_be_given(read):
    rows, record = read(b"Category;x,master_number\na;b,1\n", delimiter="semicolon", song_column="x,master_number,y,x")
    assert record["problem"] == "the file cannot be read: its header has no column " + (
        "'x' or 'master_number' or 'y' or 'x': it is 'Category, x,master_number'"
    )
    assert rows[0][2] == "Category;x,master_number"


def test_the_encoding_is_found_where_it_begins_late(read):
    text = HEADER + f"{'a' * 200},1\n" * 10_000 + "노래,2\n"  # beyond the first megabytes
    rows, record = read(text.encode("cp949"))
    assert record["encoding"] == "cp949"
    assert rows[-1] == (10_002, "노래", "2", None)
    assert len(rows) == 10_001


def test_the_encoding_can_be_given(read):
    content = (HEADER + "ノート,1\n").encode("shift-jis")
    assert read(content, encoding="shift-jis")[0] == [(2, "ノート", "1", None)]
    assert read(content)[0] != [(2, "ノート", "1", None)]


def test_one_line_of_other_bytes_costs_that_line_only(read):
    rows, record = read((HEADER + "노래,1\n").encode() + b"\xbf\xfe,2\n" + "노래,3\n".encode())
    assert record["encoding"] == "utf-8"
    assert [row[2] for row in rows] == ["1", "\\xbf\\xfe,2", "3"]
    assert rows[1] == (3, None, "\\xbf\\xfe,2", "bytes that are not of the file's encoding")


def test_zero_bytes_cost_their_line_only(read):
    rows, record = read((HEADER + "노래,1\na\0,2\n\0\0\0\n노래,3\n").encode())
    assert record["encoding"] == "utf-8"
    assert rows == [
        (2, "노래", "1", None),
        (3, None, "a\\x00,2", "a zero byte"),
        (4, None, "\\x00\\x00\\x00", "a zero byte"),
        (5, "노래", "3", None),
    ]


@pytest.mark.parametrize("start", ["x", '"x', '"x",'])
def test_a_line_without_end_is_one_row_with_its_start(read, start):
    long = start + "y" * 3_000_000
    rows, _ = read((HEADER + f"a,1\n{long}\nb,2\n").encode())
    assert rows == [
        (2, "a", "1", None),
        (3, None, long[:1_000], "a line of 262,144 characters or more"),
        (4, "b", "2", None),
    ]


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
    assert record["first_problem"] == "line 3: 1 fields where the header has 2"


@pytest.mark.parametrize(
    ("header", "song"),
    [
        ("category,MASTER_NUMBER", "1"),
        ('" Category ","master_ number"', "1"),
        ("\ufeffCategory,master_number", "1"),
        ("플레이리스트,노래 번호", "1"),
        (unicodedata.normalize("NFD", "플레이리스트,노래번호"), "1"),
        ("Category,노래번호,master_number", "2"),
        ("Category,master_number,노래번호", "1"),
        ("Category,master_number,", "1"),
        ("Category,master_number,title,title", "1"),
    ],
)
def test_columns_are_found_by_any_accepted_header_the_first_named_first(read, header, song):
    columns = {"playlist_column": "Category, 플레이리스트", "song_column": "master_number, 노래번호"}
    line = ",".join(["a", "1", "2", "3"][: header.count(",") + 1])
    assert read(f"{header}\n{line}\n".encode(), **columns)[0] == [(2, "a", song, None)]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"\n\n", "it is empty"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "it contains zero bytes"),
        (b"\xff\xfeC\0a\0t\0", "no column 'Category': it is 'Cat'"),
        (b"\0" * 100_000, "it contains zero bytes"),
        (b"a" * 3_000_000, "no column"),
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
    assert (record["rows"], record["left_for_next_run"]) == (1, False)


def test_strict_stops_at_a_file_that_cannot_be_read_but_not_at_a_line(read, tmp_path):
    assert len(read((HEADER + "only\na,1\n").encode(), strict=True)[0]) == 2
    with pytest.raises(DataError, match=r"b c\.csv: the file cannot be read: it is empty.* Mend or move it"):
        read(b"", name="b c.csv", strict=True)
    assert not list((tmp_path / "raw").glob("b c*"))


def zipped(*members: tuple[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content)
    return buffer.getvalue()


@pytest.mark.parametrize("name", ["a.csv.gz", "a.csv"])
def test_gzip_is_known_from_the_bytes(read, name):
    rows, record = read(gzip.compress((HEADER + "노래,1\n").encode("cp949")), name)
    assert rows == [(2, "노래", "1", None)]
    assert (record["file"], record["encoding"], record["problem"]) == (name, "cp949", None)


def test_the_csvs_of_a_zip_follow_each_other_and_so_do_their_lines(read):
    content = zipped(
        ("b.CSV", (HEADER + "노래,1\n\n").encode("cp949")),
        ("folder/a.tsv", b'master_number\tCategory\n2\ta\n\n3\t"b\nc"'),
        ("__MACOSX/._b.csv", b"\0\5\x16\7"),
        ("read me.md", b"not a CSV"),
        ("c.txt", (HEADER + "c,4").encode()),
    )
    rows, record = read(content, "모음.zip")
    assert rows == [(2, "노래", "1", None), (5, "a", "2", None), (7, "b\nc", "3", None), (10, "c", "4", None)]
    assert (record["encoding"], record["delimiter"]) == ("cp949, utf-8", "comma, tab")
    assert record["parts"] == ["b.CSV", "folder/a.tsv", "c.txt"]


def locked() -> bytes:
    content = bytearray(zipped(("a.csv", HEADER.encode())))
    content[content.index(b"PK\1\2") + 8] |= 1  # the flag that says so
    return bytes(content)


ROWS = (HEADER + "a,1\n" * 60_000).encode()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (gzip.compress(ROWS)[:-100], "Compressed file ended"),
        (gzip.compress(ROWS)[:-8] + b"12345678", "CRC check failed"),
        (b"\x1f\x8bno gzip at all", "Unknown compression method"),
        (zipped(("a.csv", ROWS))[:-100], "not a zip file"),
        (zipped(("a.csv", ROWS)).replace(b"a.csv", b"b.csv", 1), "differ"),
        (zipped(("a.csv", ROWS), ("b.csv", b"")), "it is empty"),
        (zipped(("xl/workbook.xml", b"<xml>")), "no .csv, .tsv or .txt in it"),
        (zipped(), "no .csv, .tsv or .txt in it"),
        (locked(), "'a.csv' in it is locked with a password"),
    ],
)
def test_a_broken_gzip_or_zip_is_left_out_whole_with_the_reason(read, content, reason):
    rows, record = read(content, "a.zip")
    assert [row[3] for row in rows] == [record["problem"]]
    assert reason in record["problem"]
    assert not record["left_for_next_run"]


def test_a_file_still_being_written_is_left_for_the_next_run(tmp_path):
    path, stop = tmp_path / "a.csv", Event()
    path.write_bytes(ROWS)

    def write():
        with path.open("ab", buffering=0) as file:
            while not stop.is_set():
                file.write(b"b,2\n")

    writer = Thread(target=write)
    writer.start()
    try:
        record = collect(path, tmp_path / "raw", CollectSettings(strict=True))
    finally:
        stop.set()
        writer.join()
    assert record["left_for_next_run"]
    assert "is left for the next run: it is still being written" in record["problem"]
    table = pq.read_table(tmp_path / "raw" / record["name"])
    assert [row[3] for row in rows_of(table)] == [record["problem"]]

    record = collect(path, tmp_path / "raw", CollectSettings())
    assert (record["left_for_next_run"], record["problem"], record["problems"]) == (False, None, 0)
    assert record["rows"] == path.read_bytes().count(b"\n") - 1


def test_repeated_files_are_kept_or_left_out(tmp_path):
    for name, content in {"a.csv": "a,1\n", "b.csv": "b,1\n", "c.csv": "a,1\n", "d.csv": "a,1\n"}.items():
        (tmp_path / name).write_text(HEADER + content)

    def problems(same_file):
        here = CollectSettings(folder=str(tmp_path), same_file=same_file, strict=True)
        return [collect(path, tmp_path / "raw", here)["problem"] for path in find_csvs(here)]

    assert problems("keep") == [None] * 4
    repeat = "the file is left out: its bytes are those of a.csv (collect.same_file = skip)"
    assert problems("skip") == [None, None, repeat, repeat]


def test_memory_does_not_grow_with_the_file(tmp_path):
    peaks = []
    for copies in (50, 150):
        path = tmp_path / f"{copies}.csv.gz"
        with gzip.open(path, "wb", compresslevel=1) as file:
            file.write(HEADER.encode())
            for _ in range(copies):
                file.write((f'"a","1","{"x" * 10_000}"\n' * 100).encode())  # ragged: the whole line is kept
        tracemalloc.start()
        record = collect(path, tmp_path / "raw", CollectSettings())
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert record["problems"] == 100 * copies
    assert peaks[1] < 1.2 * peaks[0]


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


def test_the_pattern_finds_what_can_be_read_whatever_the_capitals(tmp_path):
    names = ["A.CSV", "b.csv.gz", "c d.tsv", "e.tsv.gz", "노래 모음.zip"]
    for name in [*names, ".hidden.csv", "._a.csv", "a.csv.part", "a.xlsx", "notes.txt"]:
        (tmp_path / name).touch()
    assert [path.name for path in find_csvs(CollectSettings(folder=str(tmp_path)))] == names


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_both_ways_to_write_korean_are_one_name(tmp_path, form):
    path = tmp_path / unicodedata.normalize(form, "노래 모음.csv")
    path.write_text(HEADER + "a,1\n")
    settings = CollectSettings(folder=str(tmp_path), pattern="노래*.csv")
    assert [path] == find_csvs(settings) == find_csvs(settings.model_copy(update={"pattern": "노래*.CSV"}))
    record = collect(path, tmp_path / "raw", settings)
    (tmp_path / "노래 모음.csv").write_text(HEADER + "a,1\n")
    assert record["file"] == "노래 모음.csv"
    assert record["name"] == collect(tmp_path / "노래 모음.csv", tmp_path / "raw", settings)["name"]


def test_no_files_are_fine_but_no_folder_is_not(tmp_path):
    assert find_csvs(CollectSettings(folder=str(tmp_path))) == []
    with pytest.raises(SettingsError, match=r"collect.folder: there is no folder .*gone"):
        find_csvs(CollectSettings(folder=str(tmp_path / "gone")))


@pytest.mark.parametrize("pattern", ["", "*.csv,", "/*.csv"])
def test_a_pattern_that_is_none_is_refused(tmp_path, pattern):
    with pytest.raises(SettingsError, match=r"collect.pattern = .* expected a pattern such as \*.csv"):
        find_csvs(CollectSettings(folder=str(tmp_path), pattern=pattern))


def test_columns_without_a_name_are_refused():
    with pytest.raises(SettingsError, match="name at least one header"):
        load_settings({"collect.song_column": " , "})


def test_two_files_of_one_name_are_refused(tmp_path):
    for folder in "ab":
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.csv").touch()
    with pytest.raises(SettingsError, match="the same name"):
        find_csvs(CollectSettings(folder=str(tmp_path), pattern="**/*.csv"))
    for form in ("NFC", "NFD"):
        (tmp_path / unicodedata.normalize(form, "노래.tsv")).touch()
    with pytest.raises(SettingsError, match="the same name"):
        find_csvs(CollectSettings(folder=str(tmp_path), pattern="*.tsv"))


@pytest.mark.parametrize("count", [0, 1, 64, 65, 1_000])
def test_groups_hold_every_path_in_order(tmp_path, count):
    paths = [tmp_path / f"{i}.csv" for i in range(count)]
    parts = groups(paths)
    assert [path for group in parts for path in group] == [str(path) for path in paths]
    assert len(parts) == min(count, 64)
    assert max(map(len, parts), default=0) - min(map(len, parts), default=0) <= 1


anything = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)
FIELD = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


@anything
@given(
    st.lists(st.tuples(FIELD, FIELD.filter(str.strip)), max_size=20),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp949", "euc-kr"]),
    st.sampled_from([("comma", ","), ("semicolon", ";"), ("tab", "\t")]),
    st.sampled_from([bytes, gzip.compress]),
)
def test_what_a_csv_writer_wrote_is_read_back(read, pairs, encoding, delimiter, pack):
    name, character = delimiter
    text = io.StringIO()
    csv.writer(text, delimiter=character).writerows([("Category", "master_number"), *pairs])
    kept = text.getvalue().encode(encoding, "replace")
    rows, record = read(pack(kept), encoding=encoding)
    expected = [tuple(field.encode(encoding, "replace").decode(encoding) for field in pair) for pair in pairs]
    assert [(category, song) for _, category, song, _ in rows] == expected
    assert (record["delimiter"], record["problems"]) == (name, 0)


@anything
@given(
    st.lists(st.lists(st.sampled_from([b"a", b"1", b",", b" ", b"\0", b"\xbf", b"\xec\x95\x84", b"\xff\xfe"]))),
    st.sampled_from([b"\n", b"\r\n", b"\r"]),
)
def test_every_line_is_a_row_or_a_problem(read, lines, end):
    lines = [b"".join(pieces) for pieces in lines]
    rows, record = read(end.join([HEADER.strip().encode(), *lines]))
    numbers = [number for number, line in enumerate(lines, start=2) if line.strip()]
    assert [row[0] for row in rows] == numbers
    assert record["problem"] is None


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
    assert record["problem"] is None or [row[3] for row in rows] == [record["problem"]]


PACKED = [gzip.compress(HEADER.encode() + b"a,1\n"), zipped(("a.csv", HEADER.encode() + b"a,1\n"), ("b.csv", b"x"))]


@anything
@given(st.sampled_from(PACKED), st.data())
def test_whatever_becomes_of_a_gzip_or_zip_it_is_read_or_left_out(read, content, data):
    changed = bytearray(content)
    for _ in range(data.draw(st.integers(1, 3))):
        changed[data.draw(st.integers(4, len(content) - 1))] = data.draw(st.integers(0, 255))
    rows, record = read(bytes(changed))
    assert record["problem"] is None or [row[3] for row in rows] == [record["problem"]]


HEADERS = [
    HEADER,
    HEADER.replace("\n", "\r\n"),
    HEADER.replace("\n", "\r"),
    "\n\n" + HEADER,
    '"Category",master_number\n',
]
LINES = [
    "a,1\n",
    "b,2\n",
    "a,1\r\n",
    "a,1\r",
    "노래,3\n",
    "\ufeffa,1\n",
    "\n",
    " \n",
    ",\n",
    "a\n",
    "1,2,3\n",
    "NULL,NaN\n",
]


@anything
@given(st.sampled_from(HEADERS), st.lists(st.sampled_from([*LINES, '"a",1\n', '"', "a\0,1\n", "a;1\tb", " a , 1 "])))
@example(HEADER, ["\ufeffa,1\n", "b,2\n"])
@example(HEADER.replace("\n", "\r"), ["a,1\n", "b,2\n"])
def test_the_fast_way_reads_what_the_careful_way_reads(read, header, pieces):
    text = header + "".join(pieces)
    assert read(text.encode())[0] == read(text.encode("utf-16"))[0]  # UTF-16 is read record by record


@pytest.mark.parametrize("odd", ['"q\nr",1\n', '"q,1\n', "\n", "a\n", "\ufeffa,1\n"])
def test_the_fast_way_loses_nothing_between_its_blocks(read, odd):
    pieces = [f"{i},{'x' * 40_000}\n" for i in range(600)]
    for place in (300, 419, 500):  # in the first block, about its end, and in a later one
        text = HEADER + "".join([*pieces[:place], odd, *pieces[place:]])
        assert read(text.encode())[0] == read(text.encode("utf-16"))[0]
