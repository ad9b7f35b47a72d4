"""The two wheels as they are installed, each built once, and a Python of an environment with nothing else in it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def uv() -> str:
    """The tool that builds and installs: of this environment, or of this machine."""
    path = shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    assert path, "uv is not installed: it is in requirements.txt"
    return path


@pytest.fixture(scope="session")
def client_wheel(uv: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of song2vec-client."""
    folder = tmp_path_factory.mktemp("client")
    shutil.copytree("include/song2vec_client", folder / "sources", ignore=NOT_SOURCES)
    return _build(uv, folder)


@pytest.fixture(scope="session")
def pipeline_wheel(uv: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of song2vec, built out of everything that lies in the repository's root and might slip in."""
    folder = tmp_path_factory.mktemp("pipeline")
    (folder / "sources").mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(name, folder / "sources")
    for name in ("include", "dags", "plugins", "tools", "tests", "benchmarks"):
        shutil.copytree(name, folder / "sources" / name, ignore=NOT_SOURCES)
    return _build(uv, folder)


@pytest.fixture(scope="session")
def clean_python(uv: str, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes an environment with some wheels and what they need, and gives its Python."""

    def make(*arguments: Path | str) -> Path:
        folder = tmp_path_factory.mktemp("clean") / "venv"
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder], check=True)
        python = folder / "bin" / "python"
        subprocess.run([uv, "pip", "install", "--quiet", "--python", python, *arguments], check=True)
        return python

    return make


NOT_SOURCES = shutil.ignore_patterns("__pycache__", "*.egg-info", "*.so")


def _build(uv: str, folder: Path) -> Path:
    """Build from a copy, for a build leaves files beside its sources."""
    subprocess.run([uv, "build", "--quiet", "--wheel", folder / "sources", "--out-dir", folder], check=True)
    [wheel] = folder.glob("*.whl")
    return wheel
