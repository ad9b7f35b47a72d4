"""The model pages inside Airflow: its plugin manager, its log-in, its connections, on a real API server."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from tests.song2vec_ui import seed

from song2vec_client.bucket import Bucket

REPOSITORY = Path(__file__).parents[2]
PASSWORDS = {"admin": "a-password-for-tests", "viewer": "another-password"}
SERVER = """
import os, socket, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()  # ends with the tests
from airflow.utils.db import initdb
initdb()
import uvicorn
from airflow.api_fastapi.main import app
uvicorn.Server(uvicorn.Config(app, log_config=None)).run(sockets=[socket.socket(fileno=int(sys.argv[1]))])
"""


@pytest.fixture(scope="module")
def airflow(tmp_path_factory, gcs):
    """An Airflow API server that knows the plugin and no connection; gives its address."""
    home = tmp_path_factory.mktemp("airflow")
    (home / "simple_auth_manager_passwords.json.generated").write_text(json.dumps(PASSWORDS))
    listener = socket.create_server(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    environment = os.environ | {
        "PYTHONPATH": str(REPOSITORY / "include"),
        "AIRFLOW_HOME": str(home),
        "AIRFLOW_API_APPS": "core",
        "AIRFLOW__API__BASE_URL": address,
        "AIRFLOW__API_AUTH__JWT_SECRET": "a-secret-for-tests-" * 4,
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(REPOSITORY / "plugins"),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin,viewer:viewer",
        "SONG2VEC_CACHE": str(home / "cache"),
    }
    with (home / "log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-c", SERVER, str(listener.fileno())],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env=environment,
            cwd=home,
            pass_fds=[listener.fileno()],
        )
    listener.close()  # the server has its own copy: requests wait until it is ready, and fail if it ends
    yield address
    server.stdin.close()
    server.wait()


@pytest.fixture
def browser(airflow):
    """A client that may log in."""
    with httpx.Client(base_url=airflow, timeout=120) as client:
        yield client


def log_in(browser, user):
    answer = browser.post("/auth/token", json={"username": user, "password": PASSWORDS[user]})
    browser.headers["Authorization"] = f"Bearer {answer.raise_for_status().json()['access_token']}"


@pytest.mark.parametrize(
    "address", ["", "models", "models/20260101T000000Z-00000000", "static/style.css", "dags/song2vec_retrain"]
)
def test_nobody_sees_a_page_without_logging_in(browser, address):
    anonymous = browser.get(f"/song2vec/{address}")
    forged = browser.get(f"/song2vec/{address}", headers={"Authorization": "Bearer x.y.z"})

    assert anonymous.status_code == 401
    assert "Please log in" in anonymous.text
    assert forged.status_code in (401, 403)


@pytest.mark.parametrize("address", ["docs", "redoc", "openapi.json"])
def test_there_is_no_public_description_of_the_pages(browser, address):
    assert browser.get(f"/song2vec/{address}").status_code == 404


def test_a_viewer_sees_the_store_of_the_connection(browser, store):
    version = seed.publish(Bucket.open(store))
    seed.promote(Bucket.open(store), 1, version)

    log_in(browser, "viewer")
    before = browser.get("/song2vec/models")
    log_in(browser, "admin")
    made = {"connection_id": "song2vec_models", "conn_type": "generic", "extra": json.dumps({"store": store})}
    browser.post("/api/v2/connections", json=made).raise_for_status()
    log_in(browser, "viewer")
    after = browser.get("/song2vec/models")
    asked = browser.get(f"/song2vec/models/{version}?song=50001")

    assert before.status_code == 502
    assert "the Airflow connection song2vec_models does not exist" in before.text
    assert after.status_code == 200
    assert f'href="/song2vec/models/{version}"' in after.text
    assert f'href="/song2vec/models/{version}?song=50002#similar"' in asked.text


def test_the_pages_are_in_the_navigation_and_on_the_dag(browser):
    log_in(browser, "viewer")

    on_dag = browser.get("/song2vec/dags/song2vec_retrain")
    elsewhere = browser.get("/song2vec/dags/another")
    log_in(browser, "admin")
    (plugin,) = [one for one in browser.get("/api/v2/plugins").json()["plugins"] if one["name"] == "song2vec"]

    assert {view["destination"]: view["href"] for view in plugin["external_views"]} == {
        "nav": "song2vec/models",
        "dag": "song2vec/dags/{DAG_ID}",
    }
    assert (on_dag.status_code, on_dag.headers["location"]) == (307, "/song2vec/models")
    assert elsewhere.status_code == 404
    assert "trains no song model" in elsewhere.text
    assert browser.get(f"/{plugin['external_views'][0]['icon']}").headers["content-type"] == "image/svg+xml"


def test_loading_the_plugin_imports_nothing_heavy():
    code = """
import sys
from airflow.plugins_manager import AirflowPlugin
before = set(sys.modules)
import song2vec_plugin
print(*sorted(set(sys.modules) - before))
"""
    environment = {"PYTHONPATH": "plugins:include", "PATH": "", "AIRFLOW_HOME": "/nonexistent"}
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment, cwd=REPOSITORY
    ).stdout.split()

    assert "song2vec_plugin" in found
    assert not [
        name for name in found if name.startswith(("fastapi", "song2vec_ui", "song2vec_client", "numpy", "jinja2"))
    ]
