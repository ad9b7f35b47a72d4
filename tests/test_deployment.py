"""The files people deploy with agree with each other."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

import song2vec_client

COMPOSE = Path("docker-compose.yaml").read_text(encoding="utf-8")
ENVIRONMENT = Path(".env.example").read_text(encoding="utf-8")
DOCKERFILE = Path("Dockerfile").read_text(encoding="utf-8")
SERVICES = yaml.safe_load(COMPOSE)["services"]
PROJECT = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))
OF_AIRFLOW = ["api-server", "scheduler", "dag-processor", "triggerer"]


def requirements(lines: Iterable[str]) -> dict[str, Requirement]:
    """By their names, without comments."""
    every = [Requirement(text) for line in lines if (text := line.partition("#")[0].strip())]
    return {one.name.lower().replace("_", "-"): one for one in every}


def lines_of(name: str) -> list[str]:
    return Path(name).read_text(encoding="utf-8").splitlines()


DEPLOYED = [*PROJECT["project"]["dependencies"], *PROJECT["project"]["optional-dependencies"]["airflow"]]
DEVELOPMENT = PROJECT["dependency-groups"]["dev"]


def test_the_compose_file_is_valid():
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", "docker-compose.yaml"],
        check=False,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_variable_of_the_compose_file_is_in_the_example_and_the_other_way_round():
    unset = [name for name, value in SERVICES["scheduler"]["environment"].items() if value is None]
    used = {*re.findall(r"(?<!\$)\$\{(\w+)", COMPOSE), *unset}
    explained = set(re.findall(r"^#?([A-Z][A-Z0-9_]+)=", ENVIRONMENT, re.M))

    assert unset
    assert used - explained == set()
    assert explained - used == {"COMPOSE_PROFILES"}  # read by Docker Compose itself


def test_every_variable_of_the_example_has_a_comment_above_its_group():
    group: list[str] = []
    for line in [*ENVIRONMENT.splitlines(), "# ---"]:
        if line.startswith("# ---"):
            assert not any("=" in one for one in group) or any(one.startswith("# ") for one in group), group
            group = []
        else:
            group.append(line)


def test_secrets_have_no_value_in_any_file():
    secrets = re.findall(r"^(\w*(?:PASSWORD|SECRET|FERNET)\w*)=(.*)$", ENVIRONMENT, re.M)

    assert len(secrets) == 6
    assert [value for _, value in secrets if value] == []
    for name, _ in secrets:
        assert f"${{{name}:?" in COMPOSE, f"{name} must be required, without a default"


def test_ports_are_open_to_this_machine_only():
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]

    assert len(ports) == 3
    assert all(port.startswith("127.0.0.1:") for port in ports)


@pytest.mark.parametrize("name", [*OF_AIRFLOW, "postgres", "mariadb", "storage"])
def test_every_lasting_service_has_a_health_check_and_restarts(name):
    assert SERVICES[name]["healthcheck"]["test"]
    assert SERVICES[name]["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", OF_AIRFLOW)
def test_airflow_starts_when_its_database_is_ready(name):
    assert SERVICES[name]["depends_on"] == {"init": {"condition": "service_completed_successfully"}}
    assert SERVICES["init"]["depends_on"]["postgres"] == {"condition": "service_healthy"}


def test_requirements_are_pinned_and_name_no_place():
    pinned = requirements(lines_of("requirements.txt"))

    for name, asked in requirements([*DEPLOYED, *DEVELOPMENT]).items():
        if name == "song2vec-client":  # ours, installed from this repository
            assert name not in pinned
            continue
        assert name in pinned, f"{name} is not in requirements.txt: make lock"
        [pin] = pinned[name].specifier
        assert asked.specifier.contains(pin.version), f"{name}: requirements.txt does not fit: make lock"
    for name, one in pinned.items():
        assert re.fullmatch(r"==[\w.!+]+", str(one.specifier)), f"{name} is not pinned"
    text = Path("requirements.txt").read_text(encoding="utf-8")
    assert not re.search(r"://|^-|\s/|@ ", text, re.M)


def test_every_requirement_says_what_for():
    for line in lines_of("requirements.in"):
        assert not line or line.startswith("#") or re.search(r"# \w.+", line), line


def test_the_requirements_with_a_reason_are_those_of_the_project():
    explained = requirements(lines_of("requirements.in"))

    assert list(PROJECT["project"]["optional-dependencies"]) == ["airflow"]
    assert list(PROJECT["dependency-groups"]) == ["dev"]
    assert set(explained) == set(requirements([*DEPLOYED, *DEVELOPMENT]))
    assert all(not one.specifier for one in explained.values()), "bounds stand in pyproject.toml"


def test_no_requirement_is_asked_for_twice():
    assert len(requirements([*DEPLOYED, *DEVELOPMENT])) == len([*DEPLOYED, *DEVELOPMENT])


def test_the_pipeline_asks_for_the_client_beside_it():
    assert requirements(DEPLOYED)["song2vec-client"].specifier.contains(song2vec_client.__version__)


def test_the_image_has_the_pinned_airflow_and_no_development_tools():
    version = re.search(r"^ARG AIRFLOW_VERSION=(\S+)$", DOCKERFILE, re.M)
    program = re.search(r'python -c "(.+?)"', DOCKERFILE, re.S)

    assert version
    assert str(requirements(lines_of("requirements.txt"))["apache-airflow"].specifier) == f"=={version[1]}"
    assert program
    done = subprocess.run(
        [sys.executable, "-c", program[1].replace("\\\n", "").replace("/song2vec/", "")],
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.splitlines() == DEPLOYED
    assert "gensim" in requirements(DEPLOYED)
    assert "pytest" in requirements(DEVELOPMENT)


def test_the_image_has_all_that_it_copies_and_nothing_for_trying_out():
    kept = {line.removeprefix("!") for line in lines_of(".dockerignore") if line.startswith("!")}
    copied = {
        name
        for line in re.findall(r"^COPY (?!.*--from)(.+) \S+$", DOCKERFILE, re.M)
        for name in line.split()
        if not name.startswith("--")
    }

    assert copied == kept
    assert all(Path(name).exists() for name in kept)
    assert "tools" not in kept


def test_sample_data_is_for_trying_out_and_is_there_before_airflow():
    trying_out = {name for name, service in SERVICES.items() if service.get("profiles") == ["local"]}

    assert trying_out == {"sample", "mariadb", "storage"}
    assert "./tools:/opt/sample/tools:ro" in SERVICES["sample"]["volumes"]
    assert SERVICES["init"]["depends_on"]["sample"] == {
        "condition": "service_completed_successfully",
        "required": False,
    }


def test_the_image_does_not_run_as_root():
    assert re.findall(r"^USER (\S+)$", DOCKERFILE, re.M)[-1] == "airflow"
