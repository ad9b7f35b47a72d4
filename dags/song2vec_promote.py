"""Move a channel by hand: promote, roll back, pin and unpin, for people without a shell."""

from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import dag, task

from song2vec_airflow.move_form import move_channel_as_the_form_says, move_form
from song2vec_airflow.policy import DEFAULT_ARGS

DOC = """
### What it does
Moves a channel of the model store, such as `production`, when a person says so. Press *Trigger*, choose what to do and
say why. The page *Models* lists the versions, and the history with every move: who, when, why.

| to | choose | version |
| --- | --- | --- |
| undo a bad model | *Roll back* | empty: the version before; or one that was live |
| undo it, and keep the daily run from replacing it | *Pin* | the version to go back to |
| keep what is live, whatever the daily run trains | *Pin* | empty |
| let the daily run move the channel again | *Unpin* | empty |
| use a version | *Promote* | that version |

A version that the gate rejected, or a channel that somebody pinned, moves with *Force* only; a pin ends with that.
Before a channel moves, every file of the version is checked and the model is loaded as a service loads it.

### When something looks wrong
- **A red task that did not retry**: what was asked for is not possible; its log says why and what to do, under *Task
  failed with exception*. Nothing was moved. Trigger the DAG once more.
- **An orange task, *up for retry***: the bucket did not answer. Nothing to do: it tries again.

Clearing a run is safe: what it did already it does not do again, also when the channel has moved on since.
"""


@task(execution_timeout=timedelta(hours=1))
def move_channel() -> dict[str, Any]:
    """Promote, roll back, pin or unpin, as the form says, after the version was checked and loaded."""
    return move_channel_as_the_form_says()


@dag(
    doc_md=DOC,
    description="Promote, roll back, pin or unpin a version, by hand and with a reason",
    schedule=None,
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,  # it does nothing until a person triggers it, and then should do it
    tags=["song2vec", "operations"],
    params=move_form(),
    default_args=DEFAULT_ARGS,
)
def song2vec_promote() -> None:
    """Move a channel by hand."""
    move_channel()


song2vec_promote()
