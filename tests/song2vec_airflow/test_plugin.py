"""The model pages inside Airflow: its plugin manager, its log-in, its connections, on a real API server."""

import json
import subprocess
import sys

import httpx
import pytest
from tests.rig.airflow import api_server
from tests.song2vec_ui import seed

from song2vec_client.gcs.bucket import Bucket

PASSWORDS = {"admin": "a-password-for-tests", "viewer": "another-password"}


@pytest.fixture(scope="module")
def airflow(tmp_path_factory, gcs):
    """An Airflow API server that knows the plugin and no connection; gives its address."""
    home = tmp_path_factory.mktemp("airflow")
    (home / "simple_auth_manager_passwords.json.generated").write_text(json.dumps(PASSWORDS))
    with api_server(
        home,
        AIRFLOW__CORE__DAGS_FOLDER=str(home / "dags"),
        AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS="admin:admin,viewer:viewer",
        SONG2VEC_CACHE=str(home / "cache"),
    ) as address:
        yield address


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
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    ).stdout.split()

    assert "song2vec_plugin" in found
    assert not [
        name for name in found if name.startswith(("fastapi", "song2vec_ui", "song2vec_client", "numpy", "jinja2"))
    ]
