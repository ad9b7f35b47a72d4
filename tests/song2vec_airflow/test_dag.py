"""What every DAG here must have; each failure names the DAG and what to do."""

import inspect
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk.exceptions import ParamValidationError

from song2vec.settings import sections
from song2vec.stages import ORDER
from song2vec_airflow.params import SHOWN
from song2vec_airflow.policy import PERMANENT

DAGS = sorted(Path("dags").glob("*.py"))
HEAVY = {"gensim", "duckdb", "pandas", "optuna", "pyarrow", "scipy", "numpy", "google.cloud", "fastapi", "typer"}


@pytest.fixture(scope="module")
def dags():
    """Every DAG of the folder, as the DAG processor sees it."""
    bag = DagBag("dags")
    assert not bag.import_errors
    return bag.dags


@pytest.mark.parametrize("path", DAGS, ids=lambda path: path.stem)
def test_parsing_a_dag_file_imports_nothing_heavy(path):
    code = f"""
import sys
from airflow.sdk import DAG, BaseHook, CronTriggerTimetable, ExceptionRetryPolicy, Param, TriggerRule, dag, task
before = set(sys.modules)
import {path.stem}
print(*sorted(set(sys.modules) - before), sep="\\n")
"""
    found = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": "dags:include", "PATH": "", "AIRFLOW_HOME": "/nonexistent"},
    ).stdout.split()

    assert path.stem in found
    heavy = {name for name in found if name in HEAVY}
    assert not heavy, f"{path} imports {heavy} when it is parsed: import them inside the tasks that need them"


def test_every_dag_is_documented_owned_tagged_and_runs_one_at_a_time(dags):
    for name, dag in dags.items():
        assert dag.doc_md, f"{name} needs doc_md: what it does and what to do when it looks wrong"
        assert dag.tags, f"{name} needs tags"
        assert dag.owner == "song2vec", f"{name} needs an owner"
        assert not dag.catchup, f"{name} must not catch up by itself"
        assert dag.max_active_runs == 1, f"{name} must run once at a time"


def test_every_task_is_documented_and_bounded_in_time_and_tries(dags):
    for name, dag in dags.items():
        for task in dag.tasks:
            where = f"{name}.{task.task_id}"
            assert task.doc_md, f"{where} needs a docstring: it is the task's page in the UI"
            assert task.execution_timeout, f"{where} needs an execution_timeout"
            assert task.retries > 0, f"{where} must retry what may pass"
            assert task.retry_exponential_backoff, f"{where} must wait longer after each try"
            assert PERMANENT in task.retry_policy.rules, f"{where} must not retry what cannot pass"


def test_a_channel_is_moved_by_hand_only_and_never_without_a_reason(dags):
    dag = dags["song2vec_promote"]

    assert dag.schedule is None
    assert not dag.is_paused_upon_creation
    with pytest.raises(ParamValidationError, match="action"):
        dag.params.validate()
    dag.params["action"] = "rollback"
    with pytest.raises(ParamValidationError, match="reason"):
        dag.params.validate()
    for reason in ("", " ", "   ", "x"):
        with pytest.raises(ParamValidationError):
            dag.params["reason"] = reason
    dag.params["reason"] = "too many ballads"
    assert dag.params.validate()["reason"] == "too many ballads"


def test_the_retraining_has_the_stages_of_the_design_and_runs_at_four_in_seoul(dags):
    dag = dags["song2vec_retrain"]

    assert {task.task_id for task in dag.tasks} == {*ORDER, "find_csvs", "approve"}
    assert dag.get_task("collect").is_mapped
    assert (dag.timetable.expression, dag.timetable.timezone) == ("0 4 * * *", "Asia/Seoul")
    assert dag.get_task("train").execution_timeout >= timedelta(hours=1)
    assert dag.get_task("promote").upstream_task_ids == {"approve"}
    assert dag.get_task("approve").upstream_task_ids == {"verify"}
    # A person's *Reject* skips what follows `approve` directly; the report must be written all the same.
    assert dag.get_task("approve").downstream_task_ids == {"promote"}


def test_tuning_begins_with_the_playlists_of_today_and_when_a_person_says_so(dags, monkeypatch):
    dag = dags["song2vec_tune"]

    assert {task.task_id for task in dag.tasks} == {"extract", "find_csvs", "collect", "prepare", "tune"}
    assert dag.get_task("tune").upstream_task_ids == {"prepare"}
    assert dag.schedule is None
    limit = sections()["tune"].model_json_schema()["properties"]["minutes"]["maximum"]
    assert dag.get_task("tune").execution_timeout >= 2 * timedelta(minutes=limit)

    monkeypatch.setenv("SONG2VEC_TUNE__WEEKLY", "true")
    assert DagBag("dags/song2vec_tune.py").dags["song2vec_tune"].timetable.expression == "0 6 * * 0"


def test_the_form_of_tuning_begins_with_the_minutes_and_has_what_it_reads(dags):
    names = [name for name in dags["song2vec_tune"].params if name != SHOWN]

    assert names[0] == "tune.minutes"
    assert {name.partition(".")[0] for name in names} == {
        "tune", "extract", "collect", "prepare", "holdout", "train", "evaluate",
    }  # fmt: skip


def test_a_stage_begins_when_all_stages_before_it_have_ended(dags):
    dag = dags["song2vec_retrain"]
    side_by_side = {"extract", "collect"}  # the two sources wait for nothing

    for stage, before in zip(ORDER[1:], ORDER, strict=False):
        earlier = {task.task_id for task in dag.get_task(stage).get_flat_relatives(upstream=True)}
        assert before in earlier or {stage, before} == side_by_side, f"{stage} does not wait for {before}"
        assert not earlier & set(ORDER[ORDER.index(stage) :]), f"{stage} waits for a stage that comes after it"


def test_each_task_is_one_call_of_the_stage_of_its_name(dags):
    for task in [*dags["song2vec_retrain"].tasks, *dags["song2vec_tune"].tasks]:
        if task.task_id != "approve":  # Airflow's own operator
            source = inspect.getsource(getattr(task, "python_callable", None) or task.op_kwargs_input)
            assert source.count("stages.") == 1, f"{task.task_id} must call one stage"
            assert f"stages.{task.task_id}(current_run()" in source, f"{task.task_id} must call the stage of its name"
