"""`run` and `up` for real, in a clone of their own with a DAG of two lines."""

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener
from uuid import uuid4

import psutil
import pytest
from tests.rig.processes import marked, marking

from tools.run import with_titles

DAG = """
from airflow.sdk import dag, task

@dag(schedule=None)
def song2vec_retrain():
    @task
    def train():
        raise ValueError("no playlists are left")
    train()

song2vec_retrain()
"""


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    root = tmp_path_factory.mktemp("a clone")  # with a space, as people have
    (root / "include").symlink_to(Path("include").resolve())
    (root / "plugins").mkdir()
    (root / "dags").mkdir()
    (root / "dags" / "retrain.py").write_text(DAG)
    return root


@pytest.fixture
def up(clone):
    """`up` when it has said that it is ready: the process, the mark, the port, what it said."""
    mark, port = uuid4().hex, free_port()
    child = subprocess.Popen(
        command(clone, "up", "--port", str(port)), env=marking(mark), stdout=subprocess.PIPE, text=True
    )
    said = ""
    for line in child.stdout:
        said += line
        if "Ctrl-C" in line:
            break
    yield child, mark, port, said
    for process in marked(mark):
        process.kill()
    child.communicate()


def command(clone: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "tools", "--root", str(clone), *arguments]


def call(clone: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(clone, *arguments), check=False, env=marking("-"), capture_output=True, text=True)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def ask(url: str, body: dict[str, str] | None = None, token: str = "") -> dict:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    with build_opener(ProxyHandler({})).open(Request(url, data, headers), timeout=30) as answer:
        return json.load(answer)


def test_a_failed_run_says_which_task_and_why_and_where_the_log_is(clone):
    done = call(clone, "run")

    log = clone / ".airflow" / "run" / "run.log"
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"The run failed in train:\n  train: ValueError: no playlists are left\nThe whole log: {log}" in done.stdout
    assert "no playlists are left" in log.read_text()
    assert done.stderr == ""


def test_up_serves_this_machine_only_and_ctrl_c_ends_every_process(clone, up):
    child, mark, port, said = up
    assert child.poll() is None, said
    url = f"http://127.0.0.1:{port}"
    password = said.partition("password:")[2].split()[0]

    with pytest.raises(HTTPError, match="401") as refused:
        ask(f"{url}/api/v2/dags/song2vec_retrain")
    refused.value.close()
    token = ask(f"{url}/auth/token", {"username": "admin", "password": password})["access_token"]
    assert ask(f"{url}/api/v2/dags/song2vec_retrain", token=token)["is_paused"] is False

    running = marked(mark)
    listening = {connection.laddr.ip for process in running for connection in connections(process)}
    assert len(running) > 5
    assert listening == {"127.0.0.1"}

    again = call(clone, "run")
    assert again.returncode == 1
    assert f"`make up` (process {child.pid}) is at work in this folder at {url}" in again.stdout

    child.send_signal(signal.SIGINT)

    assert child.wait(60) == 0
    assert marked(mark) == []


def test_up_says_when_its_port_is_taken(clone):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        done = call(clone, "up", "--port", str(port))

    assert done.returncode == 1
    assert f"port {port} of 127.0.0.1 is taken by another program: try `make up PORT={port + 1}`" in done.stdout


def test_exec_runs_a_command_with_the_models_served(clone):
    show = "import os; print(os.environ['STORAGE_EMULATOR_HOST'], os.environ['SONG2VEC_WORKSPACE'])"

    done = call(clone, "exec", "python", "-c", show)

    address, _, workspace = done.stdout.strip().partition(" ")
    assert address.startswith("http://127.0.0.1:"), done.stdout + done.stderr
    assert workspace == str(clone / ".data" / "workspace")
    assert call(clone, "exec", "python", "-c", "raise SystemExit(3)").returncode == 3
    assert call(clone, "exec", "no-such-command").returncode == 1


def test_the_summary_says_what_the_songs_are():
    summary = "Rows 7\n\nSongs most similar to 53651:\n12  0.9\n13  0.8\n"

    named = with_titles(summary, {"53651": "A", "12": "B"})

    assert named == "Rows 7\n\nSongs most similar to 53651:  A\n12  0.9  B\n13  0.8\n"


def connections(process: psutil.Process) -> list:
    return [one for one in process.net_connections() if one.status == psutil.CONN_LISTEN]
