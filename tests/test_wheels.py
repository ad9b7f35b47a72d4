"""The pipeline and the client as distributions: each file belongs to one of them, and what is deployed works."""

import os
import subprocess
import zipfile
from pathlib import Path

import pytest

from song2vec import __version__

IMPORT_ALL = """
import importlib, pkgutil, song2vec
for module in pkgutil.walk_packages(song2vec.__path__, "song2vec."):
    if not module.name.endswith(("__main__", "._compiled")):  # runs the command line; loaded by ctypes
        importlib.import_module(module.name)
        print(module.name)
"""


def files(wheel: Path) -> set[str]:
    return {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}


def test_no_file_is_in_both_wheels(pipeline_wheel, client_wheel):
    pipeline, client = files(pipeline_wheel), files(client_wheel)

    assert pipeline & client == set()
    assert {name.partition("/")[0] for name in client} == {"song2vec_client"}


def test_the_pipeline_is_all_there_and_nothing_that_production_never_imports(pipeline_wheel):
    held = files(pipeline_wheel)
    packages = ["song2vec", "song2vec_airflow", "song2vec_ui"]
    sources = {
        path.relative_to("include").as_posix()
        for package in packages
        for path in Path("include", package).rglob("*")
        if path.suffix in {".py", ".html", ".css", ".svg", ".typed"}
    }

    assert sources - held == set()
    [compiled] = held - sources  # so neither tools nor tests
    assert compiled.startswith("song2vec/train/_compiled.")


@pytest.fixture(scope="module")
def call(clean_python, pipeline_wheel, client_wheel, tmp_path_factory):
    """Runs a command where both wheels are installed, with what they need in the versions of requirements.txt."""
    folder = clean_python(client_wheel, pipeline_wheel, "--constraint", "requirements.txt").parent
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    elsewhere = tmp_path_factory.mktemp("elsewhere")

    def run(name: str, *arguments: str) -> str:
        command = [folder / name, *arguments]
        return subprocess.run(
            command, cwd=elsewhere, env=environment, stdout=subprocess.PIPE, text=True, check=True
        ).stdout

    return run


def test_the_command_works_in_a_clean_environment(call):
    assert __version__ in call("python", "-m", "song2vec", "--version")
    assert call("song2vec", "--version") == call("python", "-m", "song2vec", "--version")


def test_every_module_of_the_pipeline_is_imported_without_airflow_and_its_trainer_is_compiled(call):
    names = call("python", "-c", IMPORT_ALL).split()

    assert "song2vec.train.compiled" in names
    assert "song2vec.cli.main" in names
