"""Stage `prepare`: raw rows become playlists; what is left out goes to quarantine with its reason."""

from song2vec.prepare.preparing import prepare
from song2vec.prepare.quarantine import read_quarantine

__all__ = ["prepare", "read_quarantine"]
