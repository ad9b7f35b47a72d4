"""Stage `prepare`: raw rows become playlists; what is left out goes to quarantine with its reason."""

from song2vec.prepare.preparing import prepare
from song2vec.prepare.quarantine import quarantine_table, read_quarantine

__all__ = ["prepare", "quarantine_table", "read_quarantine"]
