"""The README's commands exist, and its claims about files are true."""

import re
import subprocess
from pathlib import Path

README = Path("README.md").read_text(encoding="utf-8")
CONTRIBUTING = Path("CONTRIBUTING.md").read_text(encoding="utf-8")
COMMANDS = [
    line.strip() for block in re.findall(r"```(?:sh|bash)\n(.*?)```", README, re.S) for line in block.splitlines()
]


def test_every_make_target_that_readme_and_contributing_name_exists():
    named = {word for line in [*COMMANDS, CONTRIBUTING] for word in re.findall(r"\bmake ([a-z][a-z-]*)", line)}
    targets = set(re.findall(r"^([a-z][a-z-]*):", Path("Makefile").read_text(), re.M))

    assert {"run", "test", "up"} <= named
    assert named <= targets


def test_every_module_that_contributing_names_exists():
    named = re.findall(r"`([\w/]+\.(?:py|toml|in))`", CONTRIBUTING)
    homes = [Path(), Path("include"), Path("include/song2vec"), Path("include/song2vec_ui")]

    assert len(named) > 10
    assert [name for name in named if not any((home / name).exists() for home in homes)] == []


def test_every_file_that_the_documents_link_to_exists():
    for page in [*Path().glob("*.md"), *Path("docs").glob("*.md")]:
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page} links to {link}, which is not there"


def test_no_file_names_a_package_index_or_a_machine():
    files = subprocess.run(["git", "ls-files", "-z"], capture_output=True, text=True, check=True).stdout.split("\0")
    hosts = ["pypi" + ".org", "pythonhosted" + ".org", "deb.debian" + ".org", "registry.npmjs" + ".org"]
    for name in filter(None, files):
        text = Path(name).read_bytes().decode("utf-8", "ignore")
        for host in hosts:
            assert host not in text, f"{name} names {host}"
