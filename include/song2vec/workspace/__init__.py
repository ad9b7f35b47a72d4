"""Where the files of a run live: a local folder, or a bucket when tasks run on many machines.

- `run_folder`: the files of one run: stages read and write local paths
- `backup`: a second place for the files of a checkpoint
- `runs`: the runs of ``song2vec run``: a new one, or the newest, to go on with
"""

from song2vec.workspace.backup import Backup, NoBackup
from song2vec.workspace.run_folder import RunFolder, open_run_folder
from song2vec.workspace.runs import end_run, new_run, unfinished_run

__all__ = ["Backup", "NoBackup", "RunFolder", "end_run", "new_run", "open_run_folder", "unfinished_run"]
