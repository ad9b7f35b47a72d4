"""Stage `prepare`: raw rows become playlists; what is left out goes to quarantine with its reason.

- `preparing`: the stage: raw rows are read twice, counted, then sorted
- `judge`: the rules on single rows, a column at a time
- `census`: which playlists there are, how long they are, and what the rules leave out
- `sorting`: songs row by row become songs playlist by playlist, on disk
- `fingerprint`: a digest of the prepared playlists
- `holdout`: which playlists are never trained on, and which half of each is hidden
- `quarantine`: what was left out, for people to see
"""

from song2vec.prepare.holdout import halve
from song2vec.prepare.preparing import prepare
from song2vec.prepare.quarantine import read_quarantine

__all__ = ["halve", "prepare", "read_quarantine"]
