"""Published versions as the pipeline reads them: the live one, all of them, and what differs between two.

- `live`: the live version of a run: resolved once, kept as ``live.json``
- `live_model`: its model, to compare with and to align to
- `live_data`: what it was trained on, to compare the next run's data with
- `listing`: versions and moves as rows of a table
- `diff`: what differs between two versions
- `records`: the records of a version, verified
"""

from song2vec.versions.diff import Diff, diff, diff_page
from song2vec.versions.listing import move_rows, read_history, version_table
from song2vec.versions.live import LIVE_FILE, LiveVersion, live_version, time_of_run
from song2vec.versions.live_data import LiveData, live_data
from song2vec.versions.live_model import LiveModel, live_model, model_in, pull_live

__all__ = [
    "LIVE_FILE",
    "Diff",
    "LiveData",
    "LiveModel",
    "LiveVersion",
    "diff",
    "diff_page",
    "live_data",
    "live_model",
    "live_version",
    "model_in",
    "move_rows",
    "pull_live",
    "read_history",
    "time_of_run",
    "version_table",
]
