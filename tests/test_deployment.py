"""The files people deploy with agree with each other."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

COMPOSE = Path("docker-compose.yaml").read_text(encoding="utf-8")
ENVIRONMENT = Path(".env.example").read_text(encoding="utf-8")
DOCKERFILE = Path("Dockerfile").read_text(encoding="utf-8")
SERVICES = yaml.safe_load(COMPOSE)["services"]
OF_AIRFLOW = ["api-server", "scheduler", "dag-processor", "triggerer"]


def requirements(name: str) -> dict[str, Requirement]:
    lines = [line.split("#")[0].strip() for line in Path(name).read_text(encoding="utf-8").splitlines()]
    found = [Requirement(line) for line in lines if line]
    return {one.name.lower().replace("_", "-"): one for one in found}


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
    pinned = requirements("requirements.txt")

    for name, wanted in requirements("requirements.in").items():
        assert name in pinned, f"{name} is not in requirements.txt: make lock"
        [pin] = pinned[name].specifier
        assert wanted.specifier.contains(pin.version), f"{name}: requirements.txt does not fit: make lock"
    for name, pin in pinned.items():
        assert re.fullmatch(r"==[\w.!+]+", str(pin.specifier)), f"{name} is not pinned"
    text = Path("requirements.txt").read_text(encoding="utf-8")
    assert not re.search(r"://|^-|\s/|@ ", text, re.M)


def test_every_requirement_says_what_for():
    for line in Path("requirements.in").read_text(encoding="utf-8").splitlines():
        assert not line or line.startswith("#") or re.search(r"# \w.+", line), line


def test_the_image_has_the_pinned_airflow_and_no_development_tools():
    version = re.search(r"^ARG AIRFLOW_VERSION=(\S+)$", DOCKERFILE, re.M)
    marker = re.search(r"sed '/(.+)/,\$d'", DOCKERFILE)
    wanted = Path("requirements.in").read_text(encoding="utf-8")

    assert version
    assert str(requirements("requirements.txt")["apache-airflow"].specifier) == f"=={version[1]}"
    assert marker
    runtime, development = re.split(marker[1], wanted, flags=re.M)
    assert "gensim" in runtime
    assert "pytest" in development


def test_the_image_does_not_run_as_root():
    assert re.findall(r"^USER (\S+)$", DOCKERFILE, re.M)[-1] == "airflow"
