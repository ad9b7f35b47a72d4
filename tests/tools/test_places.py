"""The local stack's environment is its own, and what a person set stays."""

import json
from pathlib import Path

import pytest

from tools.lock import TakenError, only_one
from tools.places import Places, environment

PLACES = Places(Path("/a clone"))


def made(**base: str) -> dict[str, str]:
    return environment(PLACES, PLACES.airflow / "run", "http://127.0.0.1:4443", base)


def test_another_airflow_and_another_storage_server_do_not_leak_in():
    env = made(AIRFLOW_HOME="/other", AIRFLOW__CORE__EXECUTOR="CeleryExecutor", STORAGE_EMULATOR_HOST="http://other")

    assert "AIRFLOW__CORE__EXECUTOR" not in env
    assert env["AIRFLOW_HOME"] == "/a clone/.airflow/run"
    assert env["STORAGE_EMULATOR_HOST"] == "http://127.0.0.1:4443"


def test_settings_that_a_person_set_win_over_those_for_the_sample():
    assert made()["SONG2VEC_TRAIN__EPOCHS"] == "25"
    assert made(SONG2VEC_TRAIN__EPOCHS="3")["SONG2VEC_TRAIN__EPOCHS"] == "3"


def test_connections_are_in_the_form_that_airflow_reads():
    env = made()

    assert json.loads(env["AIRFLOW_CONN_MARIADB_DEFAULT"]) == {
        "conn_type": "sqlite",
        "host": "/a clone/.data/playlists.db",
    }
    assert json.loads(env["AIRFLOW_CONN_SONG2VEC_MODELS"])["extra"] == {"store": "gs://song2vec/karaoke"}


@pytest.mark.parametrize("name", ["no_proxy", "NO_PROXY"])
def test_a_proxy_does_not_stand_between_the_processes_of_the_machine(name):
    env = made(**{name: "intranet", "https_proxy": "http://proxy"})

    assert env["no_proxy"] == env["NO_PROXY"] == "intranet,127.0.0.1,localhost"
    assert env["https_proxy"] == "http://proxy"


def test_the_lock_is_held_once_and_says_by_whom_and_is_free_again(tmp_path):
    path = tmp_path / "lock"
    with only_one(path) as lock:
        lock.tell(what="make up", front=1)
        lock.tell(url="http://127.0.0.1:8080")
        with pytest.raises(TakenError) as taken, only_one(path):
            pass
    assert taken.value.holder == {"what": "make up", "front": 1, "url": "http://127.0.0.1:8080"}
    with only_one(path):
        pass
