"""Every command is documented, and every command, option and setting that a document names exists."""

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from song2vec.cli.main import PANELS, app
from song2vec.settings import sections

PAGES = [Path("README.md"), *sorted(Path("docs").glob("*.md")), Path("include/song2vec_client/README.md")]
CODE = [*sorted(Path("dags").glob("*.py")), *sorted(Path("include").rglob("*.py"))]
COMMANDS = [command.name for commands in PANELS.values() for command in commands]
GROUP: Any = typer.main.get_command(app)
SETTINGS = {f"{section}.{name}" for section, model in sections().items() for name in model.model_fields}


def lines(page: Path) -> list[str]:
    """The lines of the page's shell blocks, those that go on put together."""
    blocks = re.findall(r"```(?:sh|bash)\n(.*?)```", page.read_text(encoding="utf-8"), re.S)
    return [line.strip() for block in blocks for line in block.replace("\\\n", " ").splitlines()]


CALLS = [line for page in PAGES for line in lines(page) if line.startswith("song2vec ")]


@pytest.mark.parametrize("line", CALLS)
def test_a_call_in_a_shell_block_is_one_that_the_command_line_takes(line, monkeypatch):
    monkeypatch.setenv("SONG2VEC_STORE", "gs://as-the/readme-sets-it")
    name, *arguments = shlex.split(line, comments=True)[1:]

    context = GROUP.make_context("song2vec", [name])
    GROUP.commands[name].make_context(name, arguments, parent=context)


@pytest.mark.parametrize("page", [*PAGES, *CODE], ids=str)
def test_the_commands_and_options_that_a_sentence_names_exist(page):
    for name, rest in re.findall(r"`song2vec ([a-z][a-z-]*)([^`\n]*)`", page.read_text(encoding="utf-8")):
        assert name in COMMANDS, f"{page} names song2vec {name}"
        options = {option for parameter in GROUP.commands[name].params for option in parameter.opts} | {"--help"}
        assert set(re.findall(r"--[a-z-]+", rest)) <= options, f"{page} names song2vec {name}{rest}"


@pytest.mark.parametrize("page", [*PAGES, *CODE], ids=str)
def test_the_settings_that_a_sentence_names_exist(page):
    text = page.read_text(encoding="utf-8")
    names = re.findall(rf"(?:[`'\"]|--set )((?:{'|'.join(sections())})\.(?!(?:py|json|npz)\b)[a-z_]+)(?=[`'\"=])", text)
    variables = re.findall(r"SONG2VEC_([A-Z_]+__[A-Z_]+)", text)

    assert {*names, *(name.lower().replace("__", ".") for name in variables)} <= SETTINGS


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_named_in_a_document_that_a_person_wrote(command):
    written = [page for page in PAGES if page.name != "cli.md"]
    assert any(re.search(rf"song2vec {command}\b", page.read_text(encoding="utf-8")) for page in written), (
        f"song2vec {command} is in no page: say in docs/operating.md what it is for"
    )


def test_the_reference_is_that_of_the_commands(tmp_path):
    page = tmp_path / "cli.md"
    title = "The command line\n\nMade from the commands by `make docs`; do not edit."
    make = ["typer", "song2vec.cli.main", "utils", "docs", "--name", "song2vec", "--title", title]
    subprocess.run([sys.executable, "-m", *make, "--output", page], check=True, env={"PYTHONPATH": "include"})

    assert page.read_text(encoding="utf-8") == Path("docs/cli.md").read_text(encoding="utf-8"), "run `make docs`"


def test_every_file_that_the_walks_name_exists():
    text = Path("docs/architecture.md").read_text(encoding="utf-8")
    folders = [Path(), Path("include"), Path("include/song2vec"), Path("include/song2vec_ui")]
    named = re.findall(r"`([a-z0-9_]+(?:/[a-z0-9_]+)*(?:\.py|\.c|/))`", text)
    beside = {path.name for folder in folders for path in folder.glob("*/*.py")}
    assert len(named) > 40
    for name in named:
        there = any((folder / name).exists() for folder in folders) or name in beside
        assert there, f"docs/architecture.md names {name}, which is not there"
