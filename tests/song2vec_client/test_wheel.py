"""The client as services install it: from its own wheel, in an environment with nothing else in it."""

import json
import os
import subprocess
import zipfile
from pathlib import Path

import pytest
from tests.rig.models import publish_model

from song2vec.channels import promote

SOURCES = Path("include/song2vec_client")
USE = """
import importlib.metadata, json, sys
import song2vec_client
from song2vec_client import ModelStore
early = sorted({"numpy", "google.cloud.storage", "requests"} & set(sys.modules))
with ModelStore(sys.argv[1], cache=sys.argv[2]).watch("production") as watch:
    model = watch.model
    changed = watch.refresh()
print(json.dumps({
    "home": song2vec_client.__file__,
    "early": early,
    "version": model.version,
    "similar": model.similar("500", 2)[0].tolist(),
    "continued": model.continue_playlists([[500, 3], [999]], 1)[0].tolist(),
    "changed": changed,
    "needs": sorted(need for need in importlib.metadata.requires("song2vec-client") if "extra" not in need),
}))
"""


@pytest.fixture(scope="module")
def python(clean_python, client_wheel):
    """The Python of a new environment with the wheel and what it needs."""
    return clean_python(client_wheel)


def test_the_wheel_holds_the_package_and_that_it_is_typed(client_wheel):
    names = zipfile.ZipFile(client_wheel).namelist()
    held = {name.removeprefix("song2vec_client/") for name in names if name.startswith("song2vec_client/")}

    assert held == {path.relative_to(SOURCES).as_posix() for path in SOURCES.rglob("*.py")} | {"py.typed"}


def test_the_wheel_works_in_a_clean_environment(python, bucket, store, gcs, tmp_path):
    version = publish_model(bucket, tmp_path / "model").version
    promote(bucket, "production", version, who="test", why="first")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [python, "-c", USE, store, tmp_path / "cache"],
        cwd=tmp_path,
        env=environment | {"STORAGE_EMULATOR_HOST": gcs},
        stdout=subprocess.PIPE,
        check=True,
    )
    said = json.loads(done.stdout)

    assert Path(said.pop("home")).is_relative_to(python.parent.parent)
    assert said.pop("needs") == ["google-cloud-storage>=3.1", "numpy>=1.24"]
    assert said == {"early": [], "version": version, "similar": [3, 42], "continued": [[42], [-1]], "changed": False}
