"""Look for settings of the training that suit the playlists better, and propose them."""

from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import CronTriggerTimetable, dag, task

from song2vec import stages
from song2vec.settings import load_settings
from song2vec_airflow.params import trigger_form
from song2vec_airflow.playlist_tasks import prepared_playlists
from song2vec_airflow.policy import DEFAULT_ARGS
from song2vec_airflow.run import current_run

DOC = """
### What it does
Trains again and again on today's playlists, each time with other settings, for `tune.minutes`, and measures each model
on playlists that it was not trained on. What ranks best is trained once more beside today's settings, and measured on
playlists that chose nothing. Where the gain is more than chance, the settings are *proposed*: the log of `tune` shows
them, and `proposed.toml` in the run's folder is a settings file. Nothing reads it until a person accepts it, and no
model is published. The playlists that are held out for `evaluate` take no part.

Press *Trigger* to tune once. `tune.weekly` in the deployment's settings does it every Sunday.

### When something looks wrong
- **A red task that did not retry**: its log says what was found, what was expected and what to do, under *Task failed
  with exception*. Too few playlists is the usual one.
- **An orange task, *up for retry***: a source did not answer, or the worker was told to stop. Nothing to do: it tries
  again, and the trials so far count.
- **Nothing is proposed**: today's settings are as good as what was found, as far as these playlists can tell.
"""


@task(execution_timeout=timedelta(hours=24))
def tune() -> dict[str, Any]:
    """Look for better settings, confirm them on playlists that chose nothing, and propose them; none is applied."""
    return stages.tune(current_run())


@dag(
    doc_md=DOC,
    description="Better settings of the training, looked for, confirmed and proposed",
    schedule=CronTriggerTimetable("0 6 * * 0", timezone="Asia/Seoul") if load_settings().tune.weekly else None,
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,  # it runs when a person triggers it, or the settings of the deployment say so
    tags=["song2vec", "training"],
    params=trigger_form("tune", "extract", "collect", "prepare", "holdout", "train", "evaluate"),
    default_args=DEFAULT_ARGS,
)
def song2vec_tune() -> None:
    """Playlists to proposed settings."""
    prepared_playlists() >> tune()


song2vec_tune()
