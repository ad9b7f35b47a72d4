"""Stage `extract`: playlists out of a database, as they are."""

from song2vec.extract.engine import open_engine
from song2vec.extract.extracting import extract

__all__ = ["extract", "open_engine"]
