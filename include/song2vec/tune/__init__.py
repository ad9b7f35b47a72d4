"""Which settings of the training suit the user's own playlists: looked for, confirmed, proposed, and never applied.

- `tuning`: the whole of it: parts, search, confirmation, what is written
- `space`: which settings are tuned, and how far: the one table to change
- `parts`: playlists to train on, to choose with, and to confirm with
- `measured`: one training, and how well its model continues playlists
- `search`: trial after trial, until the minutes are over
- `study`: the trials in a file, which a killed process leaves whole and the next one goes on with
- `proposal`: the settings as a file that a person accepts
- `page`: what came of it, for people
- `picture`: the same, drawn
"""

from song2vec.tune.page import tuning_page
from song2vec.tune.tuning import tune

__all__ = ["tune", "tuning_page"]
