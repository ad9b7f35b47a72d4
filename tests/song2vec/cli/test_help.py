"""The help, completion, and what wrong usage is told."""

import json
import os
import re
import subprocess
import sys

import pytest
import typer

from song2vec.cli.command import Command
from song2vec.cli.main import PANELS, app, main
from song2vec.settings import run_sections, sections

COMMANDS = {command.name: command for commands in PANELS.values() for command in commands}
HEAVY = {
    "pandas",
    "pyarrow",
    "numpy",
    "gensim",
    "duckdb",
    "scipy",
    "sqlalchemy",
    "xlsxwriter",
    "optuna",
    "google.cloud",
    "airflow",
}


def help_of(name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("COLUMNS", "200")
    assert main([name, "--help"]) == 0
    return capsys.readouterr().out


def test_help_imports_nothing_heavy():
    code = f"""
import sys
from song2vec.cli.main import main
for arguments in {[["--help"], *([name, "--help"] for name in COMMANDS)]}:
    assert main(arguments) == 0
print(*sorted({HEAVY} & set(sys.modules)), file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, env={"PYTHONPATH": "include"}
    )

    assert done.stderr.split() == [], "import it where the command does its work"


def test_the_help_names_every_command_in_the_order_of_the_stages(capsys):
    assert main(["--help"]) == 0
    text = capsys.readouterr().out

    places = [text.index(f"│ {name} ") for name in COMMANDS]
    assert places == sorted(places)
    assert [text.index(f"─ {title} ─") for title in PANELS] == sorted(text.index(f"─ {title} ─") for title in PANELS)


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_the_help_of_a_command_lists_the_settings_of_its_sections_and_no_others(
    command: Command, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    text = help_of(command.name, capsys, monkeypatch)

    listed = set(re.findall(r"• ([a-z_]+\.[a-z_]+) = ", text))
    named = run_sections() if command.sections == ("*",) else command.sections
    assert listed == {f"{section}.{setting}" for section in named for setting in sections()[section].model_fields}


def test_no_secret_is_shown_as_a_default(capsys, monkeypatch):
    monkeypatch.setenv("SONG2VEC_DATABASE_URL", "mariadb+pymysql://root:swordfish@localhost/karaoke")
    monkeypatch.setenv("SONG2VEC_STORE", "gs://bucket/prefix")
    monkeypatch.setenv("SONG2VEC_SIGNING_KEY", "/root/secret.pem")

    text = "".join(help_of(name, capsys, monkeypatch) for name in ("extract", "run", "publish"))

    assert "SONG2VEC_DATABASE_URL" in text
    assert not re.search("swordfish|gs://bucket|secret.pem", text)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_there_for_the_shell(shell):
    environment = {"PYTHONPATH": "include", "PATH": os.environ["PATH"]}
    command = [sys.executable, "-m", "song2vec"]
    script = subprocess.run(
        [*command, "--show-completion", shell], check=False, capture_output=True, text=True, env=environment
    ).stdout
    assert "_SONG2VEC_COMPLETE" in script

    words = {"COMP_WORDS": "song2vec pr", "COMP_CWORD": "1", "_TYPER_COMPLETE_ARGS": "song2vec pr"}
    fish = {"_TYPER_COMPLETE_FISH_ACTION": "get-args"} if shell == "fish" else {}
    completed = subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        env=environment | words | fish | {"_SONG2VEC_COMPLETE": f"complete_{shell}"},
    ).stdout
    offered = {name for name in COMMANDS if re.search(rf"(?<![ \w]){name}(?![ \w])", completed)}  # not in a sentence
    assert offered == {"prepare", "prune", "promote"}


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], "song2vec: Missing command. See song2vec --help."),
        (["promot"], "song2vec: No such command 'promot'. Did you mean 'promote'? See song2vec --help."),
        (["gate", "m.json"], "song2vec gate: Missing option '--out'. See song2vec gate --help."),
        (["versions", "--from", "gs://b/p", "--json", "--csv"], "--json and --csv both print on stdout: choose one."),
        (["gate", "m.json", "--out", "d", "--csv"], "No such option: --csv"),
        (["versions", "--from", "gs://b/p", "--set", "train"], "--set train: expected section.name=value"),
        (["versions", "--from", "gs://b/p", "--config", "no.toml"], "the settings file no.toml does not exist"),
    ],
)
def test_wrong_usage_is_told_in_a_line_and_exits_2(arguments, line, capsys):
    assert main(arguments) == 2

    streams = capsys.readouterr()
    assert streams.out == ""
    assert line in streams.err.splitlines()[-1]


def test_a_settings_file_is_handed_on_and_no_environment_is_changed(tmp_path, capsys, monkeypatch):
    (tmp_path / "mine.toml").write_text("[train]\nepochs = 7\nnegative = 9\n")
    monkeypatch.setenv("SONG2VEC_TRAIN__NEGATIVE", "11")
    before = dict(os.environ)

    assert main(["settings", "--json", "--config", str(tmp_path / "mine.toml"), "--set", "train.window=8"]) == 0

    values = {row["setting"]: row["value"] for row in json.loads(capsys.readouterr().out)["settings"]}
    assert [values[f"train.{name}"] for name in ("epochs", "negative", "window")] == [7, 11, 8]
    assert dict(os.environ) == before


def test_every_option_is_explained():
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        for parameter in command.params:
            assert parameter.help, f"{name} {parameter.opts} has no help"
