"""What a person sees of long work, on a terminal and in a log."""

import os
import pty
import re
import subprocess
import sys

import pytest
from tests.rig.terminal import read_all

from song2vec.plumbing.progress import _short

WORK = """
import threading
import structlog
from song2vec.plumbing.logs import log_to_stderr
from song2vec.plumbing.progress import track

log_to_stderr()
with track("collect [노래]", "rows", 4_000_000) as advance:
    threads = [threading.Thread(target=lambda: [advance(1_000) for _ in range(1_000)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    structlog.get_logger().info("in the middle")
print("the answer")
"""


def run(code=WORK, **streams):
    environment = {"PYTHONPATH": "include", "PATH": os.environ["PATH"], "TERM": "xterm", "COLUMNS": "100"}
    return subprocess.run([sys.executable, "-c", code], check=True, env=environment, **streams)


def test_a_terminal_has_a_bar_with_all_that_the_threads_did_and_log_lines_above_it():
    terminal, stderr = pty.openpty()
    stdout = run(stdout=subprocess.PIPE, stderr=stderr).stdout.decode()
    os.close(stderr)
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", read_all(terminal))

    assert stdout == "the answer\n"
    assert "collect [노래]" in shown
    assert "4.0M of 4.0M rows" in shown
    assert [line for line in shown.splitlines() if line.endswith("in the middle")]  # not run into by the bar


def test_a_log_has_no_bar():
    done = run(capture_output=True)

    assert done.stdout.decode() == "the answer\n"
    assert [line.split("] ")[1] for line in done.stderr.decode().splitlines()] == ["in the middle"]


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0"), (999, "999"), (1_000, "1.0k"), (1_234_567, "1.2M"), (5e12, "5000.0G")]
)
def test_a_number_in_few_letters(count, text):
    assert _short(count) == text


GAUGE = """
from song2vec.plumbing.progress import gauge

with gauge("tune") as tell:
    tell("trial 7, [노래] best 0.2011", 0.5)
print("the answer")
"""


def test_a_terminal_shows_in_its_own_words_how_far_work_is_and_a_log_has_nothing_of_it():
    terminal, stderr = pty.openpty()
    run(GAUGE, stdout=subprocess.DEVNULL, stderr=stderr)
    os.close(stderr)
    in_a_log = run(GAUGE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE).stderr

    assert re.search(r"tune .*trial 7, \[노래\] best 0.2011", re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", read_all(terminal)))
    assert in_a_log == b""
