"""What a task body needs of its run: the settings, the files, who started it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import structlog
from airflow.sdk import get_current_context
from airflow.sdk.exceptions import AirflowSkipException

from song2vec.settings import Settings, load_settings
from song2vec.workspace import RunFolder, open_run_folder
from song2vec_airflow.params import overrides

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Run:
    """The run that the current task belongs to.

    Attributes:
        settings: the worker's, with what was asked for when the run was triggered on top.
        form: what else the form asks for.
        files: where the run keeps its files.
        name: tells it from all other runs.
        who: the user who triggered it, or what did: ``airflow (scheduled)``.
    """

    settings: Settings
    form: Mapping[str, Any]
    files: RunFolder
    name: str
    who: str


def current_run() -> Run:
    """Read the run of the task that calls this.

    Raises:
        SettingsError: a param is out of bounds.
    """
    context = get_current_context()
    dag_run = context["dag_run"]
    params = dict(context["params"])
    workspace = os.environ.get("SONG2VEC_WORKSPACE", ".data/workspace")
    return Run(
        settings=load_settings(overrides(params, dag_run.conf)),
        form={name: value for name, value in params.items() if "." not in name},
        files=open_run_folder(workspace, dag_run.dag_id, dag_run.run_id),
        name=f"{dag_run.dag_id}/{dag_run.run_id}",
        who=dag_run.triggering_user_name or f"airflow ({dag_run.run_type.value})",
    )


def skip(why: str) -> NoReturn:
    """End the task as skipped. Its log says why: Airflow itself says it in lines that are folded away."""
    log.warning(why)
    raise AirflowSkipException(why)
