"""Airflow on http://127.0.0.1:8080, as people use it: scheduler, DAG processor, triggerer, API server and pages."""

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import ProxyHandler, Request, build_opener

from tools.airflow_home import USER, LocalError, command, lasting_home, make_database, secrets_of, tail
from tools.console import say
from tools.places import DAG, STORE, Places, environment
from tools.processes import Ended, is_free
from tools.stack import alone, make_sample, storage

# Airflow 3.3 would serve logs on 0.0.0.0 and knows no setting for it; the API server reads the files themselves.
SERVICES = {
    "api-server": ("api-server",),
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "dag-processor": ("dag-processor",),
    "triggerer": ("triggerer", "--skip-serve-logs"),
}
START_SECONDS = 240.0

_open = build_opener(ProxyHandler({})).open  # never through a proxy: it is this machine


def up(places: Places, port: int) -> int:
    """Serve Airflow until somebody ends it.

    Raises:
        LocalError: what is wrong, and what to do.
    """
    url = f"http://127.0.0.1:{port}"
    try:
        with ExitStack() as stack:
            lock = stack.enter_context(alone(places, "up"))
            if not is_free(port):
                raise LocalError(f"port {port} of 127.0.0.1 is taken by another program: try `make up PORT={port + 1}`")
            make_sample(places)
            storage_url = stack.enter_context(storage(places))
            home = lasting_home(places)
            env = {**environment(places, home, storage_url), **serving(home, url)}
            make_database(places, home, env)
            lock.tell(url=url, storage=storage_url)
            say("Airflow: starting (half a minute)")
            services = start(env, places.root, home)
            password = secrets_of(home)["password"]
            _wait(services, home, url, password)
            say(_welcome(url, password, storage_url, home))
            _watch(services, home)
    except Ended:
        say("\nEnding every process of it …")
    return 0


def serving(home: Path, url: str) -> dict[str, str]:
    """What Airflow's services need besides the environment of a single run."""
    keys = secrets_of(home)
    return {
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": url.rpartition(":")[2],
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API__SECRET_KEY": keys["session"],
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API_AUTH__JWT_SECRET": keys["jwt"],
        "AIRFLOW__CORE__FERNET_KEY": keys["fernet"],
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
        # A task that Ctrl-C cut off is found after a minute the next time, and tried again; not after five.
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "60",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "10",
    }


def start(env: Mapping[str, str], root: Path, home: Path) -> dict[str, subprocess.Popen[bytes]]:
    """Start Airflow's services, each with a log of its own."""
    services = {}
    for name, arguments in SERVICES.items():
        with _log(home, name).open("wb") as log:
            services[name] = subprocess.Popen(
                command(*arguments), cwd=root, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
    return services


def _wait(services: Mapping[str, subprocess.Popen[bytes]], home: Path, url: str, password: str) -> None:
    """Until Airflow is healthy and knows the DAG."""
    deadline = time.monotonic() + START_SECONDS
    while not (_healthy(url) and _knows_the_dag(url, password)):
        _check(services, home)
        if time.monotonic() > deadline:
            raise LocalError(f"Airflow did not become ready in {START_SECONDS:.0f} s: see the logs in {home}")
        time.sleep(0.5)


def _watch(services: Mapping[str, subprocess.Popen[bytes]], home: Path) -> None:
    while True:
        _check(services, home)
        time.sleep(0.5)


def _check(services: Mapping[str, subprocess.Popen[bytes]], home: Path) -> None:
    for name, process in services.items():
        if (code := process.poll()) is not None:
            log = _log(home, name)
            raise LocalError(f"Airflow's {name} ended with code {code}. Its last lines ({log}):\n{tail(log)}")


def _healthy(url: str) -> bool:
    health = _get(f"{url}/api/v2/monitor/health")
    return bool(health) and all(health[part]["status"] == "healthy" for part in ("scheduler", "dag_processor"))


def _knows_the_dag(url: str, password: str) -> bool:
    token = _get(f"{url}/auth/token", {"username": USER, "password": password}).get("access_token", "")
    if _get(f"{url}/api/v2/dags/{DAG}", token=token):
        return True
    errors = _get(f"{url}/api/v2/importErrors", token=token).get("import_errors", [])
    if errors:
        raise LocalError(f"{errors[0]['filename']} cannot be read by Airflow:\n{errors[0]['stack_trace']}")
    return False


def _get(url: str, body: Mapping[str, str] | None = None, token: str = "") -> dict[str, Any]:
    """What the API answers; nothing while it does not, or does not know."""
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    data = None if body is None else json.dumps(body).encode()
    try:
        with _open(Request(url, data, headers), timeout=10) as answer:  # noqa: S310 (a http:// address of ours)
            found: dict[str, Any] = json.load(answer)
            return found
    except (URLError, OSError, ValueError):
        return {}


def _welcome(url: str, password: str, storage_url: str, home: Path) -> str:
    tools = Path(sys.executable).parent
    return f"""
Airflow is ready:  {url}
         log-in:  {USER}
       password:  {password}

The DAG {DAG} is unpaused, and makes its first run by itself; for more, open {url}/dags/{DAG} and press Trigger.
For the commands song2vec, airflow and python -m song2vec_client in another shell:

  export STORAGE_EMULATOR_HOST={storage_url} SONG2VEC_STORE={STORE} AIRFLOW_HOME={home} PATH={tools}:$PATH

Logs of Airflow's services: {home}/*.log
Ctrl-C ends everything."""


def _log(home: Path, name: str) -> Path:
    return home / f"{name}.log"
