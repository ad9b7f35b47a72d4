"""Retrain the song embedding every day and hand the model to the services, if it passes the gate."""

from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import CronTriggerTimetable, TriggerRule, dag, task

from song2vec import stages
from song2vec_airflow.approval import TASK_ID, Approval, answer
from song2vec_airflow.params import trigger_form
from song2vec_airflow.playlist_tasks import prepared_playlists
from song2vec_airflow.policy import DEFAULT_ARGS
from song2vec_airflow.run import current_run, or_skip

DOC = """
### What it does
Combines playlists from MariaDB and from collected CSV files, trains a model on them (skip-gram, or CBOW), measures it
on playlists it has never seen, and publishes it to the model store, whatever the gate says of it.
If the gate accepts it, and the published version answers as the trained model does, the channel `production` moves to
it and services pull it.

### When something looks wrong
- **A red task that did not retry**: trying again cannot help, it is a setting, a password or the data. Its log says
  what was found, what was expected and what to do, under *Task failed with exception*; mend that, then *Clear* the
  task, or trigger another run if the form had the wrong value.
- **An orange task, *up for retry***: the database or the bucket did not answer, or the worker was told to stop. Nothing
  to do: it tries again, and a training goes on where it was.
- **`promote` is pink (*skipped*)**: nothing broke, and `production` stays as it was. Its log says which it is:
  - *the gate refused the model*: the log of `gate` says rule by rule what was asked, what was measured and by how
    much it was missed; so does the summary in the log of `report`. The version is published as *rejected*: look at it
    under *Models*. If it should go live all the same, trigger another run with the reason in `gate.force`;
  - *a person refused it* when asked;
  - *a person pinned `production`*: the log says who, when and why; the DAG `song2vec_promote` unpins it;
  - *somebody moved `production` meanwhile*, and beside what is live now the model does not pass the gate;
  - *a later run was faster*.
- **`approve` is pink**: nobody was asked, as `gate.approval` is off or the gate refused the model. **It is waiting**:
  answer it under *Required Actions*; without an answer the default counts after `gate.approval_hours`.
- **`verify` is red**: what was published does not answer as what was trained, and was not promoted. Its log shows a
  question and both answers.
- **`check_data` is red**: the data was refused, and its log names the rule, the figure and the limit. The log of
  `prepare` shows the funnel; `song2vec quarantine` shows the rows that were left out. If the data is right, trigger
  another run with the reason in `check_data.override`: it trains all the same, and the version records why.

Clearing a task, or the whole run, is always safe: an old run never puts its model over that of a later one.
"""

APPROVE = "Ask a person whether the channel may move, if `gate.approval` is on; otherwise this task is skipped."


@task(execution_timeout=timedelta(hours=1))
def check_data() -> dict[str, Any]:
    """Decide whether the data may be trained on, beside that of the live version; say what changed since then."""
    return stages.check_data(current_run())


@task(execution_timeout=timedelta(hours=12))
def train() -> dict[str, Any]:
    """Train on all playlists but the held-out ones, from where a stopped try was, and align to the live version."""
    return stages.train(current_run())


@task(execution_timeout=timedelta(hours=1))
def evaluate() -> dict[str, Any]:
    """Measure the model on the held-out playlists, beside popularity, item-kNN and the live version."""
    return stages.evaluate(current_run())


@task(execution_timeout=timedelta(minutes=10))
def gate() -> dict[str, Any]:
    """Decide whether the model may go live, and say why in one sentence."""
    return stages.gate(current_run())


@task(execution_timeout=timedelta(hours=2))
def publish() -> dict[str, Any]:
    """Write the version to the model store: immutable, checked after upload, visible only when whole."""
    return stages.publish(current_run())


@task(execution_timeout=timedelta(hours=1))
def verify() -> dict[str, Any]:
    """Pull the version from the store as a service would, check every file, and ask it what the trained model knows."""
    return stages.verify(current_run())


@task(execution_timeout=timedelta(hours=1), trigger_rule=TriggerRule.NONE_FAILED)
def promote() -> dict[str, Any]:
    """Move the channel to the version, unless gate, a person or a later run says otherwise: then this is skipped."""
    return or_skip(stages.promote(current_run(), answer()))


@task(execution_timeout=timedelta(minutes=10), trigger_rule=TriggerRule.NONE_FAILED)
def report() -> dict[str, Any]:
    """Ask the new version for similar songs, and sum the run up on one page."""
    return stages.report(current_run(), answer())


@task(execution_timeout=timedelta(hours=1))
def prune() -> dict[str, Any]:
    """Show, or delete, the versions that need not stay, as `retention.after_run` says; skipped where it is off."""
    return or_skip(stages.prune(current_run()))


@dag(
    doc_md=DOC,
    description="Playlists to a published, checked song-embedding model",
    schedule=CronTriggerTimetable("0 4 * * *", timezone="Asia/Seoul"),
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    tags=["song2vec", "training"],
    params=trigger_form(),
    default_args=DEFAULT_ARGS,
)
def song2vec_retrain() -> None:
    """Playlists to a published, checked model."""
    decided = prepared_playlists() >> check_data() >> train() >> evaluate() >> gate()
    approved = Approval(task_id=TASK_ID, doc_md=APPROVE, execution_timeout=timedelta(minutes=10))
    decided >> publish() >> verify() >> approved >> promote() >> report() >> prune()


song2vec_retrain()
