"""What a task body needs: the run that it belongs to, and a way to end as skipped."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import structlog
from airflow.sdk import get_current_context
from airflow.sdk.exceptions import AirflowSkipException

from song2vec.settings import load_settings
from song2vec_airflow.params import overrides

if TYPE_CHECKING:
    from song2vec.stages import Result, Run

log = structlog.get_logger(__name__)


def current_run() -> "Run":
    """The run of the task that calls this: its settings are the worker's, with what was asked for on top.

    Raises:
        SettingsError: a param is out of bounds.
    """
    from song2vec.stages import Run
    from song2vec.workspace import open_run_folder
    from song2vec_airflow.connections import Connections

    context = get_current_context()
    dag_run = context["dag_run"]
    workspace = os.environ.get("SONG2VEC_WORKSPACE", ".data/workspace")
    return Run(
        settings=load_settings(overrides(context["params"], dag_run.conf)),
        files=open_run_folder(workspace, dag_run.dag_id, dag_run.run_id),
        deployment=Connections(),
        name=f"{dag_run.dag_id}/{dag_run.run_id}",
        who=triggered_by(dag_run),
    )


def triggered_by(dag_run: Any) -> str:
    """The user who triggered a run, or what did: ``airflow (scheduled)``."""
    return dag_run.triggering_user_name or f"airflow ({dag_run.run_type.value})"


def label(paths: Sequence[str]) -> None:
    """Name the copy of a mapped task by the files that it reads."""
    context: Any = get_current_context()
    context["label"] = ", ".join(Path(path).name for path in paths)


def or_skip(result: "Result") -> "Result":
    """The result of a stage; where the stage did nothing, the task that calls this ends as skipped."""
    if why := result.get("skipped"):
        skip(why)
    return result


def skip(why: str) -> NoReturn:
    """End the task as skipped. Its log says why: Airflow itself says it in lines that are folded away."""
    log.warning(why)
    raise AirflowSkipException(why)
