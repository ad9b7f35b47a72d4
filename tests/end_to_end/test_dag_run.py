"""The DAG, run by Airflow itself, from a real MariaDB to a real storage server."""

import json
import os
import subprocess
import sys
import unicodedata
from collections import Counter
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import httpx
import pyarrow.parquet as pq
import pymysql
import pytest
from sqlalchemy import make_url
from tests.rig.airflow import api_server
from tests.rig.genres import genre_playlists
from tests.rig.models import FINISHED, publish_model
from tests.rig.odd_files import odd_files

from song2vec.channels import history, pin, promote
from song2vec_airflow.params import trigger_form
from song2vec_client import ModelStore
from song2vec_client.gcs.bucket import Bucket

SETTINGS = {
    "SONG2VEC_TRAIN__EPOCHS": "40",
    "SONG2VEC_TRAIN__VECTOR_SIZE": "16",
    "SONG2VEC_TRAIN__MIN_COUNT": "1",
    "SONG2VEC_GATE__MIN_PLAYLISTS": "2",
}

RUNS = "/api/v2/dags/song2vec_retrain/dagRuns"
# What the scheduler does all the time, until it has found something to do; `dags test` has none.
SWEEP = """
from airflow.jobs.job import Job
from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
from airflow.models.taskinstance import TaskInstance
from airflow.utils.session import create_session

def waiting():
    with create_session() as session:
        return session.query(TaskInstance).filter(TaskInstance.state == "awaiting_input").count()

scheduler = SchedulerJobRunner(Job())
while waiting():
    scheduler.check_awaiting_input_timeouts()
"""


@pytest.fixture(scope="module")
def airflow_home(tmp_path_factory):
    """An Airflow with an empty database."""
    home = tmp_path_factory.mktemp("airflow")
    done = _airflow(home, "db", "migrate")
    assert done.returncode == 0, done.stderr
    return home


@pytest.fixture
def environment(mariadb, store, gcs, tmp_path):
    """Playlists of two genres in MariaDB, one in a CSV file, and the two connections."""
    url = make_url(mariadb)
    connection = pymysql.connect(
        host=url.host,
        port=url.port or 3306,
        user=url.username,
        password=url.password or "",
        database=url.database,
        autocommit=True,
    )
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE playlist_songs (playlist_id INT, position INT, song INT, PRIMARY KEY (playlist_id, position))"
        )
        rows = [
            (playlist, position, song)
            for playlist, songs in enumerate(genre_playlists(200))
            for position, song in enumerate(songs)
        ]
        cursor.executemany("INSERT INTO playlist_songs VALUES (%s, %s, %s)", rows)
    csvs = tmp_path / "csv"
    csvs.mkdir()
    lines = ["Category,master_number", *[f"회식,{song}.0" for song in genre_playlists(1)[0]], "회식,?"]
    (csvs / "노래방.csv").write_text("\n".join(lines), encoding="cp949")
    return SETTINGS | {
        "AIRFLOW_CONN_MARIADB_DEFAULT": json.dumps(
            {
                "conn_type": "mysql",
                "host": url.host,
                "port": url.port,
                "login": url.username,
                "password": url.password,
                "schema": url.database,
            }
        ),
        "AIRFLOW_CONN_SONG2VEC_MODELS": json.dumps({"conn_type": "google_cloud_platform", "extra": {"store": store}}),
        "STORAGE_EMULATOR_HOST": gcs,
        "SONG2VEC_COLLECT__FOLDER": str(csvs),
        "SONG2VEC_WORKSPACE": str(tmp_path / "workspace"),
        "SONG2VEC_CACHE": str(tmp_path / "cache"),
    }


def test_a_run_makes_a_model_live_and_its_log_holds_no_secret(airflow_home, environment, store, mariadb, tmp_path):
    done = _airflow(airflow_home, "dags", "test", "song2vec_retrain", **environment)

    assert done.returncode == 0, done.stdout + done.stderr
    live = ModelStore(store, cache=tmp_path / "pulled")
    songs, _ = live.load("production").similar(1003, 5)
    assert {song // 1000 for song in songs.tolist()} == {1}
    version = live.version("production")
    manifest, funnel = version.manifest, json.loads(version.read("funnel.json"))
    assert (funnel["raw_rows"], funnel["rows"], funnel["playlists"]) == (1609, 1608, 201)
    assert manifest.settings["train"]["epochs"] == 40
    assert make_url(mariadb).password not in done.stdout + done.stderr
    summary = next((tmp_path / "workspace").glob("*/*/report/summary.txt")).read_text(encoding="utf-8")
    assert manifest.version in summary


def test_a_run_from_a_bucket_workspace_reads_what_other_workers_wrote(
    airflow_home, environment, store, bucket, tmp_path
):
    before = publish_model(bucket, tmp_path / "before").version
    promote(bucket, "production", before, who="somebody", why="the first")
    workspace = environment["SONG2VEC_WORKSPACE"] = store.replace("/models", "/workspace")
    environment["SONG2VEC_TRAIN__CHECKPOINT_SECONDS"] = "1"

    done = _airflow(airflow_home, "dags", "test", "song2vec_retrain", **environment)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "checkpoint saved" in done.stdout + done.stderr
    assert not [name for name in Bucket.open(workspace).names() if "checkpoint" in name]  # it goes with the training
    models = ModelStore(store, cache=tmp_path / "pulled")
    assert 1003 in models.load("production")
    assert models.version("production").manifest.parent == before
    aligned = json.loads(models.version("production").read("training.json"))["alignment"]["sentence"]
    assert aligned == f"Not aligned: {before} has 2 dimensions, this model 16."
    assert not (tmp_path / "workspace").exists()


def test_tuning_leaves_a_study_and_what_it_says_and_publishes_nothing(airflow_home, environment, bucket, tmp_path):
    lines = [f"{number},{song}" for number, songs in enumerate(genre_playlists(400, seed=2)) for song in songs]
    (tmp_path / "csv/more.csv").write_text("\n".join(["Category,master_number", *lines]))
    conf = json.dumps({"tune.trials": 2, "train.epochs": 5, "train.window": 7})

    done = _airflow(airflow_home, "dags", "test", "song2vec_tune", "--conf", conf, **environment)

    assert done.returncode == 0, done.stdout + done.stderr
    study = json.loads(next((tmp_path / "workspace").glob("song2vec_tune/*/tune/study.json")).read_bytes())
    assert study["trials"][0]["settings"]["window"] == study["today"]["window"] == 7
    assert len(study["trials"]) == 2
    assert study["sentence"] in done.stdout + done.stderr
    assert not list(bucket.names())


def test_the_oddest_files_are_read_or_left_out_with_a_reason_and_stop_nothing(
    airflow_home, environment, store, tmp_path
):
    files = odd_files()
    folder = tmp_path / "csv"
    for file in files:
        (folder / file.name).write_bytes(file.content)
    (folder / "a folder.csv").mkdir()
    (folder / ".hidden.csv").write_text("not looked at")

    done = _airflow(airflow_home, "dags", "test", "song2vec_retrain", **environment)

    assert done.returncode == 0, done.stdout + done.stderr
    (run,) = (tmp_path / "workspace").glob("*/*")

    rows = pq.read_table(run / "prepare/playlists.parquet").to_pylist()
    playlists = {row["category"]: row["songs"] for row in rows if row["source"] == "csv"}
    expected = {category: list(songs) for file in files for category, songs in file.playlists.items()}
    assert playlists == expected | {"회식": genre_playlists(1)[0]}

    records = [json.loads(path.read_text(encoding="utf-8")) for path in (run / "collect").glob("*.json")]
    assert len(records) == len(files) + 1
    whole = {record["file"]: record["problem"] for record in records if record["problem"]}
    assert whole.keys() == {file.name for file in files if file.problem}
    assert [file.name for file in files if not whole.get(file.name, "").startswith(file.problem)] == []
    assert [why for why in whole.values() if why not in done.stdout + done.stderr] == []

    left_out = pq.read_table(run / "prepare/quarantine.parquet").to_pylist()
    by_file = {unicodedata.normalize("NFC", file.name): file.left_out for file in files if file.left_out}
    assert Counter(row["file"] for row in left_out) == by_file | {"노래방.csv": 1}
    assert set(whole.values()) <= {row["problem"] for row in left_out}
    funnel = json.loads((run / "prepare/funnel.json").read_text(encoding="utf-8"))
    kept = 1600 + sum(map(len, playlists.values()))
    assert (funnel["raw_rows"], funnel["rows"]) == (kept + len(left_out), kept)
    assert funnel["playlists"] == 200 + len(playlists)
    assert {rule["rule"]: rule["rows_left_out"] for rule in funnel["rules"] if rule["rows_left_out"]} == Counter(
        row["reason"] for row in left_out
    )
    for rule, following in pairwise(funnel["rules"]):
        assert rule["rows_out"] == rule["rows_in"] - rule["rows_left_out"] == following["rows_in"]
    assert ModelStore(store, cache=tmp_path / "pulled").version("production").manifest.status == "accepted"


def test_a_wrong_password_fails_at_once_says_so_and_is_not_repeated(airflow_home, environment):
    connection = json.loads(environment["AIRFLOW_CONN_MARIADB_DEFAULT"]) | {"password": "wr0ng-secret"}
    environment["AIRFLOW_CONN_MARIADB_DEFAULT"] = json.dumps(connection)

    done = _airflow(airflow_home, "dags", "test", "song2vec_retrain", **environment)

    log = done.stdout + done.stderr
    assert done.returncode == 1
    assert "the user or the password is wrong: correct the connection" in log
    assert "trying again cannot help" in log
    assert log.count("[DAG TEST] starting task_id=extract") == 1
    assert "wr0ng-secret" not in log


def test_a_refused_model_is_published_and_production_stays(airflow_home, environment, store, tmp_path):
    environment["SONG2VEC_GATE__MIN_NDCG"] = "1"

    done = _airflow(airflow_home, "dags", "test", "song2vec_retrain", **environment)

    assert done.returncode == 0, done.stdout + done.stderr
    models = ModelStore(store, cache=tmp_path / "pulled")
    assert [version.manifest.status for version in models.versions()] == ["rejected"]
    assert models.channels() == {}
    assert "instead of at least 1" in done.stdout + done.stderr


def test_a_pinned_channel_stays_and_the_log_says_who_pinned_it_and_why(
    airflow_home, environment, store, bucket, tmp_path
):
    kept = publish_model(bucket, tmp_path / "kept").version
    pin(bucket, "production", to=kept, who="minji", why="nothing new on Christmas")

    done = _airflow(airflow_home, "dags", "test", "song2vec_retrain", **environment)

    log = done.stdout + done.stderr
    assert done.returncode == 0, log
    assert f"production is pinned to {kept} by minji since" in log
    assert "because: nothing new on Christmas" in log
    models = ModelStore(store, cache=tmp_path / "pulled")
    assert (len(models.versions()), models.resolve("production").version) == (2, kept)
    summary = next((tmp_path / "workspace").glob("*/*/report/summary.txt")).read_text(encoding="utf-8")
    assert f"live: production is pinned to {kept} by minji since" in summary


def test_a_forced_model_goes_live_and_every_record_says_why(airflow_home, environment, store, bucket, tmp_path):
    environment["SONG2VEC_GATE__MIN_NDCG"] = "1"
    form = {name: param.resolve() for name, param in trigger_form().items()}  # of a machine with other settings
    conf = json.dumps(form | {"gate.force": "설날: old songs only"})

    done = _airflow(airflow_home, "dags", "test", "song2vec_retrain", "--conf", conf, **environment)

    assert done.returncode == 0, done.stdout + done.stderr
    models = ModelStore(store, cache=tmp_path / "pulled")
    assert models.version("production").manifest.status == "rejected"
    assert models.version("production").manifest.settings["train"]["epochs"] == 40
    decision = json.loads(models.version("production").read("decision.json"))
    assert (decision["accepted"], decision["forced"], decision["force"]) == (False, True, "설날: old songs only")
    said = "Refused, but forced (설날: old songs only): nDCG@100"
    assert said in models.version("production").read("MODEL_CARD.md").decode()
    (move,) = history(bucket)
    assert move.forced
    assert move.why.startswith(said)


@pytest.mark.parametrize("answers", [True, False])
def test_a_channel_waits_for_approval(airflow_home, environment, store, tmp_path, *, answers):
    """Somebody approves by the REST API, as the UI does; or nobody answers, and the default counts."""
    conf = json.dumps({"gate.approval": True, "gate.approval_hours": 1 if answers else 0.0003})
    run = ("dags", "test", "song2vec_retrain", "--conf", conf)
    (airflow_home / "simple_auth_manager_passwords.json.generated").write_text(json.dumps({"minsu": "a-password"}))
    with (
        api_server(airflow_home, AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS="minsu:admin") as address,
        httpx.Client(base_url=address, timeout=120) as browser,
        subprocess.Popen(
            **_process(airflow_home, *run, **environment), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as child,
    ):
        token = browser.post("/auth/token", json={"username": "minsu", "password": "a-password"}).json()["access_token"]
        browser.headers["Authorization"] = f"Bearer {token}"
        try:
            log = _until(child, "Waiting for Human-in-the-loop input")
            (asked,) = browser.get(f"{RUNS}/~/hitlDetails?response_received=false").json()["hitl_details"]
            assert ModelStore(store).channels() == {}
            if answers:
                task = f"{RUNS}/{asked['task_instance']['dag_run_id']}/taskInstances/approve/-1"
                browser.patch(f"{task}/hitlDetails", json={"chosen_options": ["Approve"]}).raise_for_status()
            else:
                subprocess.run(**_process(airflow_home, "-c", SWEEP, **environment), check=True)
            log += child.communicate()[0]
        finally:
            child.kill()

    (version,) = [version.name for version in ModelStore(store).versions()]
    assert asked["subject"] == f"May production move to {version}?"
    assert "Accepted: 20 held-out playlists" in asked["body"]
    assert "| this model " in asked["body"]
    assert child.returncode == 0, log
    summary = next((tmp_path / "workspace").glob("*/*/report/summary.txt")).read_text(encoding="utf-8")
    if answers:
        (move,) = history(Bucket.open(store))
        assert move.version == version
        assert move.why.startswith("Approved by minsu. Accepted: ")
        assert "live: production\n" in summary
    else:
        assert history(Bucket.open(store)) == []
        why = "Rejected by default: nobody answered within 0.0003 hours."
        assert f"live: production names no version: {why}" in summary


def test_refused_data_is_not_trained_on_and_the_log_says_why_once(airflow_home, environment, store, tmp_path):
    environment["SONG2VEC_CHECK_DATA__MIN_SONGS"] = "1000"

    done = _airflow(airflow_home, "dags", "test", "song2vec_retrain", **environment)

    log = done.stdout + done.stderr
    assert done.returncode == 1
    assert "30 songs instead of at least 1,000" in log
    assert "trying again cannot help" in log
    assert log.count("[DAG TEST] starting task_id=check_data") == 1
    assert "[DAG TEST] starting task_id=train" not in log
    assert len(list((tmp_path / "workspace").glob("*/*/check_data/check_data.json"))) == 1
    assert ModelStore(store, cache=tmp_path / "pulled").versions() == []


def test_a_person_rolls_back_by_the_form_and_what_is_not_possible_fails_at_once(
    airflow_home, store, bucket, gcs, tmp_path
):
    first, second = (
        publish_model(bucket, tmp_path / name, finished=FINISHED + timedelta(days=day)).version
        for day, name in enumerate(("first", "second"))
    )
    for version in (first, second):
        promote(bucket, "production", version, who="somebody", why="daily")
    connection = {"conn_type": "google_cloud_platform", "extra": {"store": store}}
    environment = {
        "AIRFLOW_CONN_SONG2VEC_MODELS": json.dumps(connection),
        "STORAGE_EMULATOR_HOST": gcs,
        "SONG2VEC_CACHE": str(tmp_path / "cache"),
    }
    form = json.dumps({"action": "rollback", "reason": "발라드가 너무 많다"})
    command = ["dags", "test", "song2vec_promote", "--conf", form]

    done = _airflow(airflow_home, *command, **environment)
    again = _airflow(airflow_home, *command, **environment)

    assert done.returncode == 0, done.stdout + done.stderr
    last = history(bucket)[-1]
    assert (last.kind, last.version, last.why, last.previous) == ("rollback", first, "발라드가 너무 많다", second)
    assert last.who
    assert last.run.startswith("song2vec_promote/manual__")
    log = again.stdout + again.stderr
    assert again.returncode == 1
    assert "channel production has no version before the live one: name the version to go back to" in log
    assert "trying again cannot help" in log
    assert log.count("[DAG TEST] starting task_id=move_channel") == 1
    assert len(history(bucket)) == 3


def _until(child, line):
    """What a process says up to and with `line`."""
    said = ""
    for text in child.stdout:
        said += text
        if line in text:
            return said
    raise AssertionError(f"it ended before it said {line!r}:\n{said}")


def _airflow(home, *arguments, **environment):
    """Run an Airflow command to its end."""
    return subprocess.run(**_process(home, *arguments, **environment), check=False, capture_output=True)


def _process(home, *arguments, **environment):
    """An Airflow command, or Python with ``-c``, as a process with nothing of the developer's environment."""
    program = [sys.executable] if arguments[0] == "-c" else [sys.executable, "-m", "airflow"]
    return {
        "args": [*program, *arguments],
        "text": True,
        "env": {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "PYTHONPATH": str(Path("include").resolve()),
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(Path("dags").resolve()),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(Path("plugins").resolve()),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__LOGGING__COLORED_CONSOLE_LOG": "False",
            **environment,
        },
    }
