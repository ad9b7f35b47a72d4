"""Sample data: karaoke playlists with a real structure, and the faults that collected data has.

Songs belong to a genre, an era and a singer, and their popularity has a long tail. A playlist belongs
to a person with a favourite genre, era and a few singers, who now and then sings a neighbouring era,
a second genre or a hit that everybody sings. So songs that are sung together are alike, and a model
that learns it beats recommending popular songs.

======================= =====================================================================
``playlists.db``        SQLite, in place of MariaDB: ``playlist_songs(playlist_id, position, song)``
``csv/*.csv``           playlists as people collect them: three encodings, extra columns, `?`, repeats
``songs.csv``           what each song number is; for people, the pipeline never reads it
======================= =====================================================================
"""

import csv
import io
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from song2vec.plumbing.files import whole_file

GENRES = ("발라드", "트로트", "댄스", "힙합", "록", "팝", "OST", "동요")
ERAS = (1980, 1990, 2000, 2010, 2020)
GENRE_SHARES = (0.32, 0.22, 0.15, 0.10, 0.08, 0.06, 0.04, 0.03)
ERA_SHARES = (0.05, 0.12, 0.20, 0.35, 0.28)
SINGERS_A_CELL = 5  # a cell is one genre in one era
SONGS_A_SINGER = 10
FAMOUS = 53651  # a song of the largest genre and era: the one that the documentation asks for

Rows = list[tuple[str, str]]  # (Category, master_number), as written into a CSV


@dataclass(frozen=True)
class Song:
    """One song of the catalogue."""

    number: int
    title: str
    singer: str
    genre: str
    era: int
    weight: float  # how often it is sung, relative to the others


def generate(folder: Path, seed: int = 1, playlists: int = 3000) -> None:
    """Make the sample data in `folder`; the same seed gives the same data.

    Existing sample files are replaced; other files in ``csv/`` stay. The database is written last, so
    that where it exists, all of it exists.

    Args:
        folder: where ``playlists.db``, ``songs.csv`` and ``csv/`` go.
        seed: of the random numbers.
        playlists: how many playlists there are in the database and the CSV files together.
    """
    rng = np.random.default_rng(seed)
    songs = catalogue(rng)
    sung = [playlist(rng, songs) for _ in range(playlists)]
    stored, collected = sung[: playlists * 7 // 10], sung[playlists * 7 // 10 :]
    _write_songs(folder / "songs.csv", songs)
    for name, content in _csv_files(rng, collected):
        with whole_file(folder / "csv" / name) as path:
            path.write_bytes(content)
    _write_database(folder / "playlists.db", rng, stored)


def catalogue(rng: np.random.Generator) -> list[Song]:
    """2,000 songs, cell by cell (genre, era), each with a number of its own and a long-tailed weight."""
    count = len(GENRES) * len(ERAS) * SINGERS_A_CELL * SONGS_A_SINGER
    numbers = rng.choice(np.setdiff1d(np.arange(10_000, 100_000), FAMOUS), size=count, replace=False).tolist()
    numbers[int(_cell(0, 3)[0])] = FAMOUS
    weights = rng.lognormal(sigma=0.5, size=count).tolist()
    singers = [_name(rng, 3) for _ in range(count // SONGS_A_SINGER)]
    songs = []
    for row, (number, weight) in enumerate(zip(numbers, weights, strict=True)):
        singer = row // SONGS_A_SINGER
        genre, era = divmod(singer // SINGERS_A_CELL, len(ERAS))
        songs.append(Song(number, _name(rng, 4), singers[singer], GENRES[genre], ERAS[era], weight))
    return songs


def playlist(rng: np.random.Generator, songs: Sequence[Song]) -> list[int]:
    """One person's playlist: numbers of a few singers' songs, mostly of one genre and era, in the order sung."""
    genre, era = int(rng.choice(len(GENRES), p=GENRE_SHARES)), int(rng.choice(len(ERAS), p=ERA_SHARES))
    near_era = int(np.clip(era + rng.choice((-1, 1)), 0, len(ERAS) - 1))
    home = _cell(genre, era)
    singers = rng.choice(SINGERS_A_CELL, size=2, replace=False)
    favourites = np.concatenate([home[s * SONGS_A_SINGER : (s + 1) * SONGS_A_SINGER] for s in singers])
    pools = (
        home,
        _cell(genre, near_era),
        _cell(int(rng.integers(len(GENRES))), era),
        np.arange(len(songs)),
    )
    shares = (0.58, 0.22, 0.10, 0.06, 0.04)
    length = int(rng.integers(1, 4) if rng.random() < 0.03 else np.clip(rng.lognormal(mean=3.1, sigma=0.65), 1, 150))
    sizes = rng.multinomial(length, shares)
    drawn = [rng.choice(favourites, size=sizes[0])]  # who loves a singer also sings what few others know
    drawn += [_draw(rng, songs, pool, size) for pool, size in zip(pools, sizes[1:], strict=True)]
    order = rng.permutation(np.concatenate(drawn))
    return [songs[row].number for row in dict.fromkeys(order.tolist())]


def _draw(rng: np.random.Generator, songs: Sequence[Song], pool: np.ndarray, size: int) -> np.ndarray:
    weights = np.array([songs[row].weight for row in pool])
    return rng.choice(pool, size=size, p=weights / weights.sum())


def _cell(genre: int, era: int) -> np.ndarray:
    """Rows of the songs of one genre and era, singer by singer."""
    size = SINGERS_A_CELL * SONGS_A_SINGER
    first = (genre * len(ERAS) + era) * size
    return np.arange(first, first + size)


def _name(rng: np.random.Generator, syllables: int) -> str:
    """A made-up name."""
    return "".join(rng.choice(list("가나다라마바사아자하고노도로모보소오조호기니디리미비시이지히"), size=syllables))


def _write_songs(path: Path, songs: Sequence[Song]) -> None:
    rows = [(song.number, song.title, song.singer, song.genre, song.era) for song in songs]
    with whole_file(path) as temporary:
        temporary.write_text(_csv_text(("number", "title", "singer", "genre", "era"), rows), encoding="utf-8")


def _write_database(path: Path, rng: np.random.Generator, playlists: Sequence[Sequence[int]]) -> None:
    """One row a song, playlist ids from 1; here and there a song that was not known."""
    rows = [
        (number, position, "?" if unknown else str(song))
        for number, songs in enumerate(playlists, start=1)
        for position, (song, unknown) in enumerate(zip(songs, rng.random(len(songs)) < 0.002, strict=True), start=1)
    ]
    with whole_file(path) as temporary, closing(sqlite3.connect(temporary)) as connection, connection:
        connection.execute(
            "CREATE TABLE playlist_songs (playlist_id INTEGER NOT NULL, position INTEGER NOT NULL, song TEXT,"
            " PRIMARY KEY (playlist_id, position))"
        )
        connection.executemany("INSERT INTO playlist_songs VALUES (?, ?, ?)", rows)


def _csv_files(rng: np.random.Generator, playlists: Sequence[Sequence[int]]) -> Iterator[tuple[str, bytes]]:
    """Name and content of each collected file: every one has another of the habits that collectors have."""
    first, second, third, fourth = (list(playlists[part::4]) for part in range(4))

    rows = _collect(rng, [(f"user-{1000 + i}", songs) for i, songs in enumerate(first)])
    yield "collected-2026-01.csv", _csv_text(("Category", "master_number"), rows).encode("utf-8")

    # Numbers as Categories: the first is also the id of a playlist in the database, and is another one.
    rows = _collect(rng, [(str(i), songs) for i, songs in enumerate(second, start=17)])
    dated = [(category, f"2026-02-{1 + i % 28:02}", song) for i, (category, song) in enumerate(rows)]
    yield "collected 2026-02.csv", _csv_text(("Category", "collected_at", "master_number"), dated).encode("utf-8-sig")

    rows = _collect(rng, [(f"노래방 {GENRES[i % len(GENRES)]} {i}", songs) for i, songs in enumerate(third)])
    yield "노래방_애창곡.csv", _csv_text(("Category", "master_number"), rows).encode("cp949")

    # A spreadsheet made decimal numbers of the songs.
    rows = _collect(rng, [(f"모음 {i}", songs) for i, songs in enumerate(fourth)])
    decimal = [(category, f"{song}.0" if song.isdecimal() else song) for category, song in rows]
    yield "엑셀에서 저장.csv", _csv_text(("Category", "master_number"), decimal).encode("utf-8")


def _collect(rng: np.random.Generator, playlists: Sequence[tuple[str, Sequence[int]]]) -> Rows:
    """The rows of a CSV, with songs that were not known, blanks, and lines that were collected twice."""
    rows: Rows = []
    for category, songs in playlists:
        for song, chance in zip(songs, rng.random(len(songs)), strict=True):
            row = (category, "?" if chance < 0.02 else "" if chance < 0.025 else str(song))
            rows += [row, row] if chance > 0.99 else [row]
    return rows


def _csv_text(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue()
