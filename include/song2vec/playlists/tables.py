"""The Parquet tables between stages, each with its written schema.

========== ============================================================================================
raw        rows as the source gave them, typed but not judged, in the source's order
playlists  one row a playlist; ``songs`` in playlist order
quarantine one row for everything that was left out, with the reason
held out   playlists that are never trained on; ``hidden`` is what a model must guess from ``shown``
songs      the model's vocabulary; row ``i`` of the vectors belongs to row ``i`` here, most frequent first
========== ============================================================================================
"""

import pyarrow as pa

_SONGS = pa.list_(pa.int64())

# A playlist's id or a song that is a plain whole number ("53651") is kept as a number, anything else ("?", "007",
# "12345.0") as text: at most one of each pair is set, and the source's text is known from either. Numbers are what
# makes 10 million rows a matter of seconds.
RAW = pa.schema(
    [
        ("source", pa.dictionary(pa.int32(), pa.string())),  # "mariadb" or "csv"
        ("file", pa.dictionary(pa.int32(), pa.string())),  # the CSV's name, or the table's
        ("line", pa.int64()),  # line in the CSV (the header is 1), or number of the row as read
        ("category_number", pa.int64()),
        ("category", pa.string()),  # the playlist's id as the source gave it
        ("song_number", pa.int64()),
        ("song", pa.string()),  # the song as the source gave it, or the raw text of a row that could not be read
        ("problem", pa.string()),  # null, or why the row could not be read
    ]
)

PLAYLISTS = pa.schema([("source", pa.string()), ("category", pa.string()), ("songs", _SONGS)])

QUARANTINE = pa.schema(
    [
        ("source", pa.string()),
        ("file", pa.string()),
        ("line", pa.int64()),
        ("category", pa.string()),
        ("value", pa.string()),  # the raw text that was left out
        ("reason", pa.string()),  # the name of the rule, as in the funnel
        ("problem", pa.string()),  # of an unreadable row: why it could not be read; else null
    ]
)

HELDOUT = pa.schema([("source", pa.string()), ("category", pa.string()), ("shown", _SONGS), ("hidden", _SONGS)])

SONGS = pa.schema([("row", pa.int64()), ("song", pa.int64()), ("count", pa.int64())])
