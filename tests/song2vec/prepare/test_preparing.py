import json
import random
import sqlite3
import struct
from collections import Counter
from contextlib import closing
from hashlib import sha256
from itertools import groupby, pairwise
from operator import itemgetter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from song2vec.collect import collect, find_csvs
from song2vec.errors import DataError, SettingsError
from song2vec.extract import extract, open_engine
from song2vec.playlists.rules import RULES
from song2vec.playlists.songs import BLANKS, read_song
from song2vec.playlists.tables import HELDOUT, PLAYLISTS, QUARANTINE
from song2vec.prepare import prepare
from song2vec.prepare.fingerprint import Fingerprint
from song2vec.raw import raw_file
from song2vec.settings import load_settings


def write_raw(path: Path, rows, source: str = "csv", file: str = "a.csv") -> Path:
    """A raw file of rows (category, song) or (category, song, problem); lines are counted from 2."""
    columns = list(zip(*[(*row, None)[:3] for row in rows], strict=True)) or [(), (), ()]
    with raw_file(path, source, file) as writer:
        writer.write(range(2, 2 + len(rows)), *(pa.array(column, pa.string()) for column in columns))
    return path


def playlists(folder: Path) -> dict[tuple[str, str], list[int]]:
    table = pq.read_table(folder / "playlists.parquet")
    assert table.schema.equals(PLAYLISTS)
    rows = table.to_pylist()
    identities = [(row["source"], row["category"]) for row in rows]
    assert identities == sorted(set(identities))
    return dict(zip(identities, (row["songs"] for row in rows), strict=True))


def quarantine(folder: Path) -> list[dict]:
    table = pq.read_table(folder / "quarantine.parquet")
    assert table.schema.equals(QUARANTINE)
    return table.to_pylist()


def check_sums(folder: Path, raw_rows: int) -> None:
    funnel = json.loads((folder / "funnel.json").read_text())
    rules = funnel["rules"]
    assert [rule["rule"] for rule in rules] == list(RULES)
    for rule in rules:
        for what in ("rows", "playlists"):
            assert rule[f"{what}_in"] == rule[f"{what}_out"] + rule[f"{what}_left_out"]
            assert rule[f"{what}_left_out"] >= 0
    for before, after in pairwise(rules):
        assert (before["rows_out"], before["playlists_out"]) == (after["rows_in"], after["playlists_in"])
    reasons = Counter(row["reason"] for row in quarantine(folder))
    assert reasons == {rule["rule"]: rule["rows_left_out"] for rule in rules if rule["rows_left_out"]}
    kept = playlists(folder)
    assert funnel["raw_rows"] == rules[0]["rows_in"] == raw_rows
    assert funnel["rows"] == rules[-1]["rows_out"] == sum(map(len, kept.values()))
    assert funnel["playlists"] == rules[-1]["playlists_out"] == len(kept)
    assert funnel["songs"] == len(set().union(*kept.values()))


# Beside the original


@pytest.fixture(scope="module")
def sources(tmp_path_factory) -> Path:
    """A database and CSVs with all that was seen in the wild; nothing that the original recipe died of."""
    folder = tmp_path_factory.mktemp("sources")
    rng = random.Random(7)
    songs = [str(rng.randrange(1, 90_000)) for _ in range(300)]
    with closing(sqlite3.connect(folder / "p.db")) as database, database:
        database.execute("CREATE TABLE playlist_songs (playlist_id INTEGER, position INTEGER, song TEXT)")
        rows = [(i, j, rng.choice(songs)) for i in range(60) for j in range(rng.randrange(1, 12))]
        rng.shuffle(rows)
        database.executemany("INSERT INTO playlist_songs VALUES (?, ?, ?)", rows)
    for name, encoding in [("b.csv", "utf-8"), ("a.csv", "cp949"), ("노래.csv", "utf-8-sig")]:
        lines = ["Category,title,master_number"]
        for _ in range(400):
            category = rng.choice([str(rng.randrange(70)), f"노래방 {rng.randrange(40)}"])  # some are database ids too
            song = rng.choice([*songs[:200], *songs[:20], "?", "12345.0", " 777 ", "00123"])
            lines.append(f"{category},제목,{song}")
            if rng.random() < 0.05:
                lines.append("")
        (folder / name).write_text("\r\n".join(lines), encoding=encoding, newline="")
    return folder


def original(folder: Path) -> dict[tuple[str, str], list[int]]:
    """The recipe this pipeline replaces, in pandas, with the source beside the Category."""
    import pandas as pd

    with closing(sqlite3.connect(folder / "p.db")) as database:
        query = (
            "SELECT playlist_id AS Category, song AS master_number FROM playlist_songs ORDER BY playlist_id, position"
        )
        rows = [pd.read_sql(query, database).assign(source="mariadb")]
    for name, encoding in [("a.csv", "cp949"), ("b.csv", "utf-8"), ("노래.csv", "utf-8-sig")]:
        rows.append(pd.read_csv(folder / name, encoding=encoding, dtype=str).assign(source="csv"))
    data = pd.concat(rows)
    data = data[data["master_number"] != "?"]
    data["song"] = data["master_number"].map(lambda x: str(int(float(x))))
    data["Category"] = data["Category"].astype(str)
    lists = data.groupby(["source", "Category"], sort=False)["song"].agg(list)
    lists = lists[lists.map(len) > 3]
    return {key: [int(song) for song in songs] for key, songs in lists.items()}  # type: ignore[misc]  # key: Hashable


def test_the_playlists_are_those_of_the_original_recipe(sources, tmp_path):
    settings = load_settings({"collect.folder": str(sources)})
    extract(open_engine(f"sqlite:///{sources / 'p.db'}", settings.extract), tmp_path / "raw/mariadb", settings.extract)
    for path in find_csvs(settings.collect):
        collect(path, tmp_path / "raw/csv", settings.collect)
    funnel = prepare([tmp_path / "raw"], tmp_path / "out", settings)
    expected = original(sources)
    assert playlists(tmp_path / "out") == expected
    assert len({category for source, category in expected if source == "mariadb" and ("csv", category) in expected}) > 5
    assert any(len(set(songs)) < len(songs) for songs in expected.values()), "repeats were meant to be among them"
    check_sums(tmp_path / "out", funnel.raw_rows)


# Laws, on arbitrary rows

TEXTS = st.none() | st.text("?1２0.-e ", max_size=4) | st.text(max_size=4) | st.sampled_from(["7", "8", "9.0", "?"])
CATEGORIES = st.none() | st.sampled_from(["a", "b", "A", "a ", "", " ", "노래", "1\0"]) | st.text(max_size=2)
ROWS = st.lists(st.tuples(CATEGORIES, TEXTS, st.none() | st.none() | st.just("ragged")), max_size=60)


def slow_and_obvious(files: dict[str, list], min_songs: int) -> tuple[dict, Counter]:
    kept: dict[tuple[str, str], list[int | None]] = {}
    reasons: Counter = Counter()
    for _, rows in sorted(files.items()):
        for category, raw, problem in rows:
            song, rule = read_song(raw)
            if problem is not None:
                reasons["unreadable"] += 1
            elif category is None or not category.strip(BLANKS):
                reasons["no_playlist"] += 1
            elif rule is not None:
                reasons[rule] += 1
            else:
                kept.setdefault(("csv", category), []).append(song)
    reasons["short_playlist"] = sum(len(songs) for songs in kept.values() if len(songs) < min_songs)
    return {key: songs for key, songs in kept.items() if len(songs) >= min_songs}, +reasons


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(["a.csv", "b.csv", "B.csv", "나.csv"]), ROWS), st.integers(1, 4))
def test_every_row_is_in_a_playlist_or_in_quarantine(tmp_path, files, min_songs):
    files = {**files, "z.csv": [("sure", str(song), None) for song in range(1, 5)]}
    raw = [write_raw(tmp_path / f"{i}.parquet", rows, file=name) for i, (name, rows) in enumerate(files.items())]
    prepare(raw, tmp_path / "out", load_settings({"prepare.min_songs": min_songs}))
    expected, reasons = slow_and_obvious(files, min_songs)
    assert playlists(tmp_path / "out") == expected
    assert Counter(row["reason"] for row in quarantine(tmp_path / "out")) == reasons
    check_sums(tmp_path / "out", sum(map(len, files.values())))


# Order, and size


@pytest.fixture(scope="module")
def large(tmp_path_factory) -> list[tuple[str, str, str]]:
    """600,000 rows (file, category, song) in three files, each playlist spread over all of them."""
    rng = random.Random(3)
    files = ["a.csv"] * 150_000 + ["b.csv"] * 375_000 + ["c.csv"] * 75_000
    return [(file, str(rng.randrange(30_000)), str(place)) for place, file in enumerate(files, start=1)]


def write_in_pieces(folder: Path, rows: list[tuple[str, str, str]], piece_rows: int = 25_000) -> list[Path]:
    """One raw file a CSV, of several row groups: pieces for several threads."""
    paths = []
    for name, group in groupby(rows, key=itemgetter(0)):
        _, categories, songs = zip(*group, strict=True)
        paths.append(folder / f"{name}.parquet")
        with raw_file(paths[-1], "csv", name) as writer:
            for first in range(0, len(songs), piece_rows):
                texts = (pa.array(column[first : first + piece_rows]) for column in (categories, songs))
                writer.write(range(first + 2, first + 2 + len(songs[first : first + piece_rows])), *texts)
    return paths


@pytest.mark.parametrize(
    ("threads", "memory", "backwards"), [(1, "2GB", False), (1, "200MB", True), (3, "200MB", True)]
)
def test_row_order_is_kept_whatever_the_threads_and_the_order_of_files(large, tmp_path, threads, memory, backwards):
    raw = write_in_pieces(tmp_path / "raw", large)
    overrides = {"prepare.threads": threads, "prepare.memory": memory}
    with capture_logs() as logs:
        funnel = prepare(raw[::-1] if backwards else raw, tmp_path / "out", load_settings(overrides))
    (parts,) = [line["sorted_in_parts"] for line in logs if "sorted_in_parts" in line]
    assert parts == 1 if memory == "2GB" else parts > 5, "the sort was meant to go to disk in parts"
    expected: dict[tuple[str, str], list[int]] = {}
    for _, category, song in large:
        expected.setdefault(("csv", category), []).append(int(song))
    assert playlists(tmp_path / "out") == {key: songs for key, songs in expected.items() if len(songs) > 3}
    check_sums(tmp_path / "out", funnel.raw_rows)


def test_all_files_are_the_same_bytes_whatever_the_order_of_the_raw_files_and_the_threads(tmp_path):
    rows = [(str(i % 30), "?" if i % 7 == 0 else str(i)) for i in range(1, 500)]
    raw = [write_raw(tmp_path / f"{i}.parquet", rows[i::3], file=f"{i}.csv") for i in range(3)]
    for out, order, threads in [("one", raw, 1), ("two", raw[::-1], 3)]:
        prepare(order, tmp_path / out, load_settings({"holdout.share": 0.3, "prepare.threads": threads}))
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert names == ["funnel.json", "heldout.parquet", "playlists.parquet", "quarantine.parquet"]
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


FOUR = [("a", "1"), ("a", "2"), ("a", "3"), ("a", "4")]


def test_files_and_folders_are_read_once_each(tmp_path):
    path = write_raw(tmp_path / "raw/deep/a.parquet", FOUR)
    prepare([path, tmp_path / "raw", tmp_path / "raw/deep"], tmp_path / "out", load_settings())
    assert playlists(tmp_path / "out") == {("csv", "a"): [1, 2, 3, 4]}


def test_paths_mean_nothing_but_themselves(tmp_path):
    """Not a glob, and not the columns of a partitioned table."""
    folder = tmp_path / "song=7/it's [1]*"
    for name in ("[ab].parquet", "a.parquet"):
        write_raw(folder / name, FOUR, file=name)
    prepare([folder / "[ab].parquet"], tmp_path / "out", load_settings())
    assert playlists(tmp_path / "out") == {("csv", "a"): [1, 2, 3, 4]}


def test_the_funnel_counts_a_playlist_out_where_it_loses_its_last_row(tmp_path):
    rows = [*FOUR, ("a", "?"), ("b", "?"), ("b", ""), ("c", "x"), ("d", "1"), ("", "1"), (None, "a,b,c", "3 fields")]
    write_raw(tmp_path / "raw/a.parquet", rows)
    funnel = prepare([tmp_path / "raw"], tmp_path / "out", load_settings())
    keys = ("rows_in", "rows_left_out", "playlists_in", "playlists_left_out")
    assert {rule.rule: tuple(getattr(rule, key) for key in keys) for rule in funnel.rules} == {
        "unreadable": (11, 1, 4, 0),
        "no_playlist": (10, 1, 4, 0),
        "unknown_song": (9, 2, 4, 0),
        "no_song": (7, 1, 4, 1),
        "bad_song": (6, 1, 3, 1),
        "short_playlist": (5, 1, 2, 1),
    }


def test_a_left_out_row_says_where_it_is_and_why(tmp_path):
    rows = [*FOUR, ("a", "x1"), (None, "a,1,2", "3 fields"), ("b", " 5 ")]
    write_raw(tmp_path / "raw/a.parquet", rows, file="노래.csv")
    prepare([tmp_path / "raw"], tmp_path / "out", load_settings())
    where = {"source": "csv", "file": "노래.csv"}
    assert quarantine(tmp_path / "out") == [
        {**where, "line": 6, "category": "a", "value": "x1", "reason": "bad_song", "problem": None},
        {**where, "line": 7, "category": None, "value": "a,1,2", "reason": "unreadable", "problem": "3 fields"},
        {**where, "line": 8, "category": "b", "value": " 5 ", "reason": "short_playlist", "problem": None},
    ]


def test_holds_out_playlists_and_leaves_them_among_the_playlists(tmp_path):
    write_raw(tmp_path / "raw/a.parquet", [(category, song) for category in "abcdefghij" for _, song in FOUR])
    funnel = prepare([tmp_path / "raw"], tmp_path / "out", load_settings({"holdout.share": 0.3}))
    held_out = pq.read_table(tmp_path / "out/heldout.parquet")
    assert held_out.schema.equals(HELDOUT)
    assert funnel.heldout == len(held_out) == 3
    all_playlists = playlists(tmp_path / "out")
    for row in held_out.to_pylist():
        assert sorted(row["shown"] + row["hidden"]) == all_playlists[row["source"], row["category"]]


def test_preparing_again_replaces_what_was_there(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/old.txt").touch()
    write_raw(tmp_path / "raw/a.parquet", FOUR)
    funnel = prepare([tmp_path / "raw"], tmp_path / "out", load_settings())
    assert not (tmp_path / "out/old.txt").exists()
    assert funnel.to_json() == json.loads((tmp_path / "out/funnel.json").read_text())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "raw"]


# Refusals


def test_nothing_left_shows_the_funnel_and_writes_nothing(tmp_path):
    write_raw(tmp_path / "raw/a.parquet", [("a", "?"), ("a", "x")])
    with pytest.raises(DataError, match=r"no playlist is left(?s:.*)unknown_song +2 +1(?s:.*)bad_song +1 +1"):
        prepare([tmp_path / "raw"], tmp_path / "out", load_settings())
    assert [path.name for path in tmp_path.iterdir()] == ["raw"]


def test_no_rows_at_all(tmp_path):
    write_raw(tmp_path / "raw/a.parquet", [])
    with pytest.raises(DataError, match="no playlist is left"):
        prepare([tmp_path / "raw"], tmp_path / "out", load_settings())


@pytest.mark.parametrize("raw", [[], ["missing"], ["empty"], ["other.parquet"], ["text.parquet"], ["two.parquet"]])
def test_what_is_no_raw_data_is_refused(tmp_path, raw):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.parquet").write_text("no Parquet")
    pq.write_table(pa.table({"a": [1]}), tmp_path / "other.parquet")
    one, other = (pq.read_table(write_raw(tmp_path / file, FOUR, file=file)) for file in ("a.csv", "b.csv"))
    pq.write_table(pa.concat_tables([one, other]), tmp_path / "two.parquet")
    with pytest.raises(DataError, match=r"extract and collect|cannot be read as Parquet"):
        prepare([tmp_path / name for name in raw], tmp_path / "out", load_settings())


def test_too_little_memory_is_a_matter_of_settings(large, tmp_path):
    write_in_pieces(tmp_path / "raw", large[:1_000])
    with pytest.raises(SettingsError, match=r"prepare.memory = 1MB is too little"):
        prepare([tmp_path / "raw"], tmp_path / "out", load_settings({"prepare.memory": "1MB"}))
    assert [path.name for path in tmp_path.iterdir()] == ["raw"]


# The fingerprint


def fingerprint(rows: list[tuple[str, str, list[int]]], batch_rows: int = 100) -> str:
    digest = Fingerprint()
    records = [{"source": source, "category": category, "songs": songs} for source, category, songs in rows]
    for batch in pa.Table.from_pylist(records, PLAYLISTS).to_batches(batch_rows):
        digest.update(batch)
    return digest.hexdigest()


SOME = [("csv", "a", [1, 2]), ("csv", "노래", [3]), ("mariadb", "a", [1, 2])]


def test_the_fingerprint_is_the_same_in_any_batches_and_on_any_machine():
    """Written down byte by byte: it is compared with those of versions that were published long ago."""
    streams = [
        struct.pack("<3q", 3, 3, 7),
        b"csvcsvmariadb",
        struct.pack("<3q", 1, 6, 1),
        "a노래a".encode(),
        struct.pack("<3q", 2, 1, 2),
        struct.pack("<5q", 1, 2, 3, 1, 2),
    ]
    expected = sha256(b"".join(sha256(stream).digest() for stream in streams)).hexdigest()
    assert fingerprint(SOME) == fingerprint(SOME, batch_rows=1) == expected


@pytest.mark.parametrize(
    "other",
    [
        [("csv", "a", [2, 1]), *SOME[1:]],
        [("csv", "a", [1]), ("csv", "노래", [2, 3]), SOME[2]],
        [("csva", "", [1, 2]), *SOME[1:]],
        [("csv", "b", [1, 2]), *SOME[1:]],
        SOME[:2],
        [*SOME, ("mariadb", "b", [])],
    ],
)
def test_the_fingerprint_tells_any_difference(other):
    assert fingerprint(other) != fingerprint(SOME)
