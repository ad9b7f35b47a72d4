"""Where everything lies in a store, and which names are allowed there."""

import re
from datetime import datetime
from pathlib import PurePosixPath

from song2vec_client.format.fields import UTC, parse_time

VECTORS = "vectors.npy"  # float32 (songs, dimensions), C order: input vectors; row i belongs to row i of SONGS
CONTEXT = "context.npy"  # float32, same shape: output vectors
SONGS = "songs.npy"  # int64 (songs,): the song of each row, most frequent first
COUNTS = "counts.npy"  # int64 (songs,): how often each was seen in training
NEIGHBOURS = "neighbours.npy"  # int32 (songs, neighbours), C order: rows of each song's strongest neighbours
NEIGHBOUR_WEIGHTS = "neighbour_weights.npy"  # float16, same shape: what a song adds to the score of that neighbour
MANIFEST = "manifest.json"

ONE_WAY, TWO_WAY = SCORINGS = ("one-way", "two-way")  # how a model is scored: song2vec_client.vote
MODEL_FILES = {  # by scoring, all that a client needs to answer questions
    ONE_WAY: (VECTORS, CONTEXT, SONGS, COUNTS),
    TWO_WAY: (VECTORS, CONTEXT, SONGS, COUNTS, NEIGHBOURS, NEIGHBOUR_WEIGHTS),
}

MAX_RECORD_BYTES = 16 * 2**20

_VERSION = re.compile(r"([0-9]{8}T[0-9]{6}Z)-[0-9a-f]{8}", re.ASCII)
_CHANNEL = re.compile(r"[a-z][a-z0-9-]{0,62}", re.ASCII)
_MOVE = re.compile(r"promotions/([0-9]{8})\.json", re.ASCII)
_VERSION_TIME = "%Y%m%dT%H%M%SZ"


def version_id(time: datetime, content_sha256: str) -> str:
    """``<UTC time>-<8 hex of the content's digest>``."""
    return f"{time.astimezone(UTC).strftime(_VERSION_TIME)}-{content_sha256[:8]}"


def is_version(name: str) -> bool:
    """Whether `name` has the form of a version; channels never do."""
    match = _VERSION.fullmatch(name)
    return match is not None and parse_time(match[1], _VERSION_TIME) is not None


def is_channel(name: str) -> bool:
    """Whether `name` may name a channel."""
    return _CHANNEL.fullmatch(name) is not None


def file_name(version: str, path: str) -> str:
    """Where the file `path` of `version` lies, relative to the store."""
    return f"versions/{version}/{path}"


def channel_name(channel: str) -> str:
    """Where the pointer of `channel` lies."""
    return f"channels/{channel}.json"


def move_name(sequence: int) -> str:
    """Where the move with this number lies; names sort as numbers do."""
    return f"promotions/{sequence:08d}.json"


def move_number(name: str) -> int | None:
    """The number of the move that lies at `name`; None where no move lies."""
    match = _MOVE.fullmatch(name)
    return int(match[1]) if match else None


def is_safe_path(path: str) -> bool:
    """Whether `path` is a plain relative POSIX path, which stays inside the folder it is joined to."""
    plain = path.isprintable() and "\\" not in path and ":" not in path
    return (
        plain
        and 0 < len(path) <= 512
        and not path.startswith("/")
        and PurePosixPath(path).as_posix() == path
        and (not {".", ".."} & set(path.split("/")))
    )
