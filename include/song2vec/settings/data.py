"""The settings from the database and the files to data that a model may be trained on."""

from functools import partial
from typing import Literal

from pydantic import field_validator

from song2vec.settings.section import Section, Share, setting


class ExtractSettings(Section):
    """Playlists from the database."""

    table: str = setting("playlist_songs", "Table that holds one row a song of a playlist.")
    playlist_column: str = setting("playlist_id", "Column with the playlist's id.")
    position_column: str = setting(
        "position", "Column that orders the songs of a playlist.", empty="in the order the table gives them"
    )
    song_column: str = setting("song", "Column with the song's number.")
    query: str = setting(
        "",
        "A query of your own that yields playlist id, position, song (or playlist id, song) in the order they should "
        "be read; replaces the table.",
        empty="the table is read",
    )
    fetch_rows: int = setting(
        50_000,
        "Rows held in memory at a time while streaming.",
        unit="rows",
        affects_model=False,
        ge=1_000,
        le=1_000_000,
    )
    timeout: int = setting(
        60, "Longest wait for the database to answer.", unit="seconds", affects_model=False, ge=1, le=3600
    )


class CollectSettings(Section):
    """Playlists from collected CSV files."""

    folder: str = setting("data/csv", "Folder with the collected CSV files.", affects_model=False)
    pattern: str = setting(
        "*.csv, *.csv.gz, *.tsv, *.tsv.gz, *.zip",
        "Which files of the folder to read, as globs with commas between; capitals do not matter, hidden files are "
        "left alone.",
    )
    playlist_column: str = setting(
        "Category",
        "Header of the column with the playlist's id; several accepted headers with commas between: the first that a "
        "file has. Capitals and blanks do not matter.",
    )
    song_column: str = setting("master_number", "Header of the column with the song's number; as above.")
    encoding: str = setting(
        "auto",
        "Encoding of the files; `auto` finds it from the bytes (UTF-8, UTF-16, cp949, which holds euc-kr).",
    )
    delimiter: Literal["auto", "comma", "semicolon", "tab"] = setting(
        "auto", "What stands between two fields; `auto` finds it from the header."
    )
    same_file: Literal["keep", "skip"] = setting(
        "keep",
        "A file with the bytes of another one, earlier by name: `keep` reads both, as the original did, `skip` leaves "
        "the later one out.",
    )
    strict: bool = setting(False, "Stop at a file that cannot be read, rather than leave it out.", affects_model=False)

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, name: str) -> str:
        try:
            if name != "auto":
                "".encode(name)
        except LookupError:
            raise ValueError("there is no such encoding: use auto, utf-8, cp949, utf-16, …") from None
        return name

    @field_validator("playlist_column", "song_column")
    @classmethod
    def _some_header(cls, names: str) -> str:
        if not names.replace(",", "").strip():
            raise ValueError("name at least one header")
        return names


class PrepareSettings(Section):
    """From raw rows to playlists."""

    unknown_song: str = setting("?", "What a collector writes where it did not know the song's number.")
    min_songs: int = setting(4, "Shortest playlist that is kept.", unit="songs", ge=1, le=10_000)
    memory: str = setting(
        "2GB",
        "Memory for sorting and grouping, 200MB or more; what does not fit goes to disk.",
        affects_model=False,
        form=False,
        pattern=r"^[1-9][0-9]*(MB|GB)$",
    )
    threads: int = setting(
        0,
        "Threads for sorting and grouping.",
        unit="threads",
        zero="as many as there are cores",
        affects_model=False,
        form=False,
        ge=0,
        le=256,
    )


class HoldoutSettings(Section):
    """Which playlists are never trained on, to measure the model with."""

    share: Share = setting(0.1, "Share of the playlists that is held out.")
    max_playlists: int = setting(1_000, "Most playlists held out.", unit="playlists", ge=1, le=1_000_000)
    seed: int = setting(1, "Seed of the choice of playlists and of the hidden half.", ge=0, le=2**31 - 1)


_limit = partial(setting, affects_model=False)  # what it lets through stays as it is


class CheckDataSettings(Section):
    """What prepared data must be like before a model is trained on it."""

    min_playlists: int = _limit(10, "Fewest playlists.", unit="playlists", ge=1, le=10**9)
    min_songs: int = _limit(10, "Fewest distinct songs.", unit="songs", ge=1, le=10**9)
    min_usable_share: Share = _limit(0.3, "Lowest share of the raw rows that ends in a playlist.")
    max_quarantined_share: Share = _limit(
        0.5, "Largest share of the raw rows that any one rule of the funnel may leave out."
    )
    max_drop: float = _limit(
        2.0,
        "How many times fewer playlists, or rows in them, there may be than in the version that is live.",
        unit="times",
        ge=1,
        le=1_000_000,
    )
    max_jump: float = _limit(10.0, "How many times more there may be.", unit="times", ge=1, le=1_000_000)
    override: str = _limit(
        "",
        "Why data that these rules refuse is to be used all the same; for one run. The reason is recorded with the "
        "version.",
        empty="the rules decide",
        max_length=500,
    )
