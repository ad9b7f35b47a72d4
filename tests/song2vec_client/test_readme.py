"""The client's README: its examples run."""

import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import numpy as np
import pytest
from tests.rig.models import facts, write_model

from song2vec.channels import promote
from song2vec.publish import publish, published_files
from song2vec_client.__main__ import main

README = Path("include/song2vec_client/README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", README, re.S)
SONGS = np.array([53651, 105, 9021, 77, 42, 7])


@pytest.fixture
def version(bucket, tmp_path, monkeypatch):
    """A model of the songs that the README asks about, live; its version."""
    monkeypatch.setenv("SONG2VEC_CACHE", str(tmp_path / "cache"))
    published = publish(bucket, published_files(write_model(tmp_path / "model", songs=SONGS)), facts()).version
    promote(bucket, "production", published, who="test", why="first")
    return published


@pytest.fixture
def service(version, store, gcs, tmp_path):
    """The address of the example service, which runs."""
    (tmp_path / "service.py").write_text(next(example for example in EXAMPLES if "FastAPI(" in example))
    command = [sys.executable, "-m", "uvicorn", "service:app", "--port", "0", "--app-dir", str(tmp_path)]
    environment = os.environ | {"PYTHONPATH": "include", "MODELS": store, "STORAGE_EMULATOR_HOST": gcs}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        said = ""
        while not (found := re.search(r"running on (http://\S+)", said)):
            line = process.stderr.readline()
            assert line, f"the service ended: {said}"
            said += line
        yield found[1]
        process.terminate()


def test_the_first_example_runs(version, store):
    names = {}
    exec(EXAMPLES[0].replace("gs://bucket/models", store), names)

    assert names["model"].version == version
    assert names["songs"].tolist() == [42, 7]


def test_the_example_of_a_version_runs(version, store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    example = next(example for example in EXAMPLES if ".version(" in example)
    names = {}
    exec(example.replace("gs://bucket/models", store), names)

    assert names["version"].name == names["model"].version == version
    assert (tmp_path / "song2vec.bin").read_bytes() == b"stands for song2vec.bin"
    assert (names["folder"] / "vectors.npy").exists()


def test_the_example_service_answers_and_tells_its_health(version, service):
    answer = httpx.get(f"{service}/similar/53651?k=2").json()
    assert (answer["version"], answer["songs"]) == (version, [105, 9021])
    assert answer["scores"] == sorted(answer["scores"], reverse=True)
    assert httpx.get(f"{service}/similar/999").status_code == 404

    health = httpx.get(f"{service}/health")
    assert health.status_code == 200
    assert (health.json()["version"], health.json()["error"]) == (version, None)
    assert health.json()["age"] >= 0


def test_the_commands_run(version, store, capsys):
    calls = [line.split("#")[0].split()[3:] for line in README.splitlines() if line.startswith("python -m")]

    assert [call[0] for call in calls] == ["pull", "similar", "info"]
    for call in calls:
        words = [store if word.startswith("gs://") else version if word.startswith("2026") else word for word in call]
        assert main(words) == 0
        assert version in capsys.readouterr().out
