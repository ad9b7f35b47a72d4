"""Nothing that a guarded command started is left, however the command ends."""

import signal
import socket
import subprocess
import sys
from uuid import uuid4

import psutil
import pytest
from tests.rig.processes import marked, marking

from tools.processes import is_free

# A service that ignores SIGTERM in a session of its own, and an orphan of a parent that is gone.
FAMILY = """
import os, subprocess, sys, time
from tools.processes import guarded
STUBBORN = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
ORPHAN = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', sys.argv[1]], start_new_session=True)"

def work():
    for command in ([sys.executable, "-c", STUBBORN], [sys.executable, "-c", ORPHAN, STUBBORN]):
        subprocess.Popen(command, start_new_session=True)
    if "leave" in sys.argv:
        return 7
    time.sleep(600)
    return 0

sys.exit(guarded(work, with_parent="with-parent" in sys.argv, grace=0.2))
"""


def start(*arguments: str, program: str = FAMILY) -> tuple[subprocess.Popen[str], str]:
    mark = uuid4().hex
    child = subprocess.Popen(
        [sys.executable, "-c", program, *arguments], env=marking(mark), stdout=subprocess.PIPE, text=True
    )
    return child, mark


@pytest.fixture
def family():
    """A guarded command with a stubborn service and an orphan, all of them running."""
    child, mark = start()
    assert [child.stdout.readline() for _ in range(2)] == ["up\n", "up\n"]
    yield child, mark
    for process in marked(mark):
        process.kill()
    child.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_every_process(family, number):
    child, mark = family
    running = marked(mark)
    assert len(running) == 4

    child.send_signal(number)

    assert child.wait(30) == 128 + number
    assert marked(mark) == []


@pytest.mark.parametrize("inner", [False, True], ids=["front", "inside"])
def test_a_kill_ends_every_process(family, inner):
    child, mark = family
    running = marked(mark)
    front = psutil.Process(child.pid)

    (front.children()[0] if inner else front).kill()
    child.communicate(timeout=30)

    _, left = psutil.wait_procs(running, timeout=30)
    assert left == []
    assert marked(mark) == []


def test_the_exit_code_is_that_of_the_work_and_its_processes_are_ended():
    child, mark = start("leave")

    child.communicate(timeout=30)

    assert child.returncode == 7
    assert marked(mark) == []


def test_a_command_ends_with_its_parent_when_asked_to():
    launcher = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1], 'with-parent'])"
    child, mark = start(FAMILY, program=launcher)
    assert [child.stdout.readline() for _ in range(2)] == ["up\n", "up\n"]
    running = marked(mark)

    child.kill()

    _, left = psutil.wait_procs(running, timeout=30)
    child.communicate()
    assert left == []


def test_an_exception_in_the_work_is_shown_and_fails():
    program = "import sys; from tools.processes import guarded; sys.exit(guarded(lambda: 1 // 0))"

    done = subprocess.run(
        [sys.executable, "-c", program], check=False, env=marking("-"), capture_output=True, text=True
    )

    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr


def test_a_port_is_free_until_somebody_listens_on_it():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not is_free(port)
    assert is_free(port)
