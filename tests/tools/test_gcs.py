"""The embedded storage server starts, keeps what it was given, and never outlives who started it."""

import os
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from song2vec_client.gcs.bucket import Bucket
from tools.gcs import GcsServer, GcsServerError, find_binary


@pytest.fixture
def at(monkeypatch):
    """Point Cloud Storage clients at a server."""
    return lambda server: monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.url)


def test_what_is_in_a_folder_is_there_the_next_time_and_so_are_generations(tmp_path, at):
    with GcsServer(tmp_path / "gcs") as server:
        at(server)
        server.create_bucket("models")
        generation = Bucket.open("gs://models").replace("a.json", b"first", 0)

    with GcsServer(tmp_path / "gcs") as server:
        at(server)
        server.create_bucket("models")  # again: no complaint
        bucket = Bucket.open("gs://models")
        assert bucket.read("a.json") == (b"first", generation)
        assert bucket.replace("a.json", b"second", generation) != generation


def test_it_listens_on_this_machine_only():
    with GcsServer() as server:
        tables = [Path(f"/proc/{server.pid}/net/{name}").read_text() for name in ("tcp", "tcp6")]
    rows = [line.split() for table in tables for line in table.splitlines()[1:]]
    listening = [row[1] for row in rows if row[3] == "0A" and row[1].endswith(f":{server.port:04X}")]

    assert listening == [f"0100007F:{server.port:04X}"]


def test_a_taken_port_is_said_so():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(GcsServerError, match=rf"127\.0\.0\.1:{port}.*choose another port"):
            GcsServer(port=port).start()


def test_a_file_in_place_of_the_folder_is_said_so(tmp_path):
    (tmp_path / "file").write_text("not a folder")

    with pytest.raises(GcsServerError, match=r"file.*name a folder"):
        GcsServer(tmp_path / "file").start()


def test_stopping_ends_the_process_and_twice_is_once():
    server = GcsServer().start()
    pid = server.pid
    server.stop()
    server.stop()

    assert not Path(f"/proc/{pid}").exists()


def test_the_server_ends_when_its_parent_is_killed():
    code = "import tools.gcs as g, signal; print(g.GcsServer().start().pid, flush=True); signal.pause()"
    parent = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": "include"}
    )
    with parent:
        child = int(parent.stdout.readline())
        watch = os.pidfd_open(child)
        parent.send_signal(signal.SIGKILL)
        parent.wait()

    try:
        ended, _, _ = select.select([watch], [], [], 10)
        if not ended:  # a test that fails leaves no process behind either
            signal.pidfd_send_signal(watch, signal.SIGKILL)
    finally:
        os.close(watch)
    assert ended, f"process {child} runs on without its parent"


def test_the_binary_is_one_that_runs():
    assert os.access(find_binary(), os.X_OK)
