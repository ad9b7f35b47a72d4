"""The sample data is the same every time, has the faults it should have, and a structure worth learning."""

import csv
import re
import sqlite3
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from tests.rig.genres import write_playlists

from song2vec.evaluate import ask_golden_songs, read_golden_file
from song2vec.gates import judge_golden_songs
from song2vec.settings import load_settings
from song2vec.train import train
from song2vec_client import SongModel
from tools.places import SAMPLE_SETTINGS
from tools.sample import ERAS, FAMOUS, GENRES, catalogue, generate, playlist

GOLDEN = Path("docs/golden_songs.toml")

ENCODINGS = {
    "collected-2026-01.csv": "utf-8",
    "collected 2026-02.csv": "utf-8-sig",
    "노래방_애창곡.csv": "cp949",
    "엑셀에서 저장.csv": "utf-8",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("sample")
    generate(made, playlists=400)
    return made


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def stored(folder: Path) -> dict[int, list[str]]:
    playlists: dict[int, list[str]] = {}
    with closing(sqlite3.connect(folder / "playlists.db")) as connection:
        for number, song in connection.execute("SELECT playlist_id, song FROM playlist_songs ORDER BY 1, position"):
            playlists.setdefault(number, []).append(song)
    return playlists


def collected(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / "csv" / name).open(encoding=ENCODINGS[name], newline="") as file:
        return list(csv.DictReader(file))


def songs(folder: Path) -> dict[str, tuple[str, int]]:
    with (folder / "songs.csv").open(encoding="utf-8", newline="") as file:
        return {row["number"]: (row["genre"], int(row["era"])) for row in csv.DictReader(file)}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(folder, tmp_path):
    generate(tmp_path / "again", playlists=400)
    generate(tmp_path / "other", playlists=400, seed=2)

    assert files(tmp_path / "again") == files(folder)
    assert files(tmp_path / "other").keys() == files(folder).keys()
    assert files(tmp_path / "other") != files(folder)


def test_generating_again_keeps_what_people_put_beside_it(tmp_path):
    (tmp_path / "csv").mkdir()
    (tmp_path / "csv" / "mine.csv").write_text("Category,master_number\nme,1\n")

    generate(tmp_path, playlists=50)

    assert (tmp_path / "csv" / "mine.csv").read_text() == "Category,master_number\nme,1\n"


def test_playlists_are_in_the_database_and_in_the_files_and_some_share_a_name(folder):
    in_files = {row["Category"] for name in ENCODINGS for row in collected(folder, name)}

    assert set(stored(folder)) == set(range(1, 281))
    assert len(in_files) == 120
    assert {"17", "18"} <= in_files
    assert 17 in stored(folder)


def test_the_files_have_the_faults_that_collected_files_have(folder):
    rows = {name: collected(folder, name) for name in ENCODINGS}
    numbers = [row["master_number"] for name in ENCODINGS for row in rows[name]]

    assert "?" in numbers
    assert "" in numbers
    assert sum(number.endswith(".0") for number in numbers) > 100
    assert any(earlier == later for name in ENCODINGS for earlier, later in pairwise(rows[name]))
    assert "collected_at" in rows["collected 2026-02.csv"][0]
    assert any("발라드" in row["Category"] for row in rows["노래방_애창곡.csv"])


def test_lengths_are_those_of_people_and_some_playlists_are_too_short(folder):
    lengths = [len(playlist) for playlist in stored(folder).values()]

    assert 15 < sum(lengths) / len(lengths) < 25
    assert any(length < 4 for length in lengths)
    assert max(lengths) > 40


def test_songs_of_a_playlist_are_alike(folder):
    catalogue = songs(folder)
    known = [[catalogue[song] for song in playlist if song != "?"] for playlist in stored(folder).values()]
    pairs = [pair for playlist in known for pair in pairwise(playlist)]
    across = [(one[0], other[0]) for one, other in pairwise(known) if one and other]

    def share_alike(both):
        return sum(a == b for a, b in both) / len(both)

    assert len(catalogue) == 2000
    assert set(catalogue.values()) == {(genre, era) for genre in GENRES for era in ERAS}
    assert share_alike(pairs) > 0.5
    assert share_alike(across) < 0.25
    assert str(FAMOUS) in catalogue


def test_the_golden_songs_of_the_documentation_are_what_their_reasons_say():
    songs = {song.number: song for song in catalogue(np.random.default_rng(1))}
    wishes = read_golden_file(GOLDEN).wishes
    singers = {songs[number].singer for wish in wishes["must"] for number in named(wish)}
    (never,) = wishes["never"]

    assert singers == {songs[FAMOUS].singer}
    assert {songs[number].genre for number in never.songs} == {"발라드"}
    assert {songs[number].genre for number in never.bring} == {"동요"}


def test_a_model_of_the_sample_meets_the_golden_songs_of_the_documentation_which_are_those_of_the_page(tmp_path):
    rng = np.random.default_rng(1)
    songs = catalogue(rng)
    playlists = write_playlists(tmp_path / "playlists.parquet", [playlist(rng, songs) for _ in range(3000)])
    given = {name.removeprefix("SONG2VEC_").replace("__", ".").lower(): v for name, v in SAMPLE_SETTINGS.items()}
    train(playlists, tmp_path / "model", load_settings(given | {"train.workers": 1}))

    decision = judge_golden_songs(ask_golden_songs(GOLDEN, SongModel.open(tmp_path / "model"), None))

    assert decision.sentence == "Accepted: 3 rules on golden songs met."
    (shown,) = re.findall(r"```toml\n(.*?)```", Path("docs/gate.md").read_text(encoding="utf-8"), re.S)
    assert shown in GOLDEN.read_text(encoding="utf-8")


def named(wish):
    return {*wish.songs, *wish.playlist, *wish.bring, *wish.bring_one_of}
