"""Stage `extract`: playlists out of a database, as they are.

- `extracting`: the stage: one snapshot becomes ``playlists.parquet``
- `engine`: the connection: timeouts, the snapshot, the database's errors in our words
- `playlist_table`: the settings' table, and the order of its rows
- `by_playlist`: the fast way, on MariaDB: one row a playlist
- `by_row`: the way that every database allows: row by row
"""

from song2vec.extract.engine import open_engine
from song2vec.extract.extracting import extract

__all__ = ["extract", "open_engine"]
