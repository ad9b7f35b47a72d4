"""Airflow's API server, for real, on a port of its own."""

import os
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

_SERVER = """
import os, socket, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()  # ends with the tests
from airflow.utils.db import initdb
initdb()
import uvicorn
from airflow.api_fastapi.main import app
uvicorn.Server(uvicorn.Config(app, log_config=None)).run(sockets=[socket.socket(fileno=int(sys.argv[1]))])
"""


@contextmanager
def api_server(home: Path, **environment: str):
    """Serve the Airflow at `home` for the length of the block; gives the address. Its log is ``home/log``."""
    listener = socket.create_server(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with (home / "log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-c", _SERVER, str(listener.fileno())],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env=os.environ
            | {
                "PYTHONPATH": str(Path("include").resolve()),
                "AIRFLOW_HOME": str(home),
                "AIRFLOW_API_APPS": "core",
                "AIRFLOW__API__BASE_URL": address,
                "AIRFLOW__API_AUTH__JWT_SECRET": "a-secret-for-tests-" * 4,
                "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
                "AIRFLOW__CORE__PLUGINS_FOLDER": str(Path("plugins").resolve()),
                **environment,
            },
            cwd=home,
            pass_fds=[listener.fileno()],
        )
    listener.close()  # the server has its own copy: requests wait until it is ready, and fail if it ends
    try:
        yield address
    finally:
        server.stdin.close()
        server.wait()
