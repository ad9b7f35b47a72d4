"""No process outlives the command that started it: Ctrl-C, SIGTERM, a closed terminal, even ``kill -9``.

Airflow's services start workers, and workers start tasks; some put themselves into sessions of their
own, so ending a process group misses them. Instead::

    front        gets the signals, passes the end on, and sweeps up whatever is left
    └── inside   a session of its own; does the work; learns from the kernel when `front` is gone
        ├── services, their workers, their tasks
        └── (orphans come here, or to `front`: both are "child subreapers", Linux' word for it)

A process is a descendant for as long as it lives, so walking down from either finds all of them.
Elsewhere than on Linux there are no subreapers: there, an orphan of a service that crashed is missed.
"""

import ctypes
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from types import FrameType

import psutil

ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
GRACE_SECONDS = 10.0

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


class Ended(BaseException):
    """Somebody asked this process to end. Not an Exception, so that nothing takes it for a failure."""

    def __init__(self, number: int) -> None:
        super().__init__(f"ended by {signal.Signals(number).name}")
        self.number = number


def guarded(work: Callable[[], int], *, with_parent: bool = False, grace: float = GRACE_SECONDS) -> int:
    """Run `work` in a process of its own; when it or this process ends, all they started has ended too.

    Args:
        work: what to do; gives the exit code. It gets `Ended` when this process is asked to end.
        with_parent: also end when the process that started this one is gone (``make``, killed).
        grace: seconds between asking processes to end and killing them.

    Returns:
        The exit code of `work`; 128 + the signal's number when `work` let `Ended` pass.
    """
    if with_parent:
        _end_with_parent(os.getppid())
    _adopt_orphans()
    sys.stdout.flush()
    sys.stderr.flush()
    front = os.getpid()
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)  # until both sides have their handlers
    inside = os.fork()
    if inside == 0:
        os._exit(_inside(work, front, grace))

    def pass_on(number: int, _: FrameType | None) -> None:
        with suppress(ProcessLookupError):
            os.kill(inside, number)

    _on_endings(pass_on)
    _, status = os.waitpid(inside, 0)
    end_descendants(grace=0)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def end_descendants(grace: float) -> None:
    """End every process below this one: ask the children, wait up to `grace` seconds, then kill what is left."""
    for child in _alive(psutil.Process().children()):
        with suppress(psutil.NoSuchProcess):
            child.terminate()
    deadline = time.monotonic() + grace
    while left := _descendants():
        if time.monotonic() >= deadline:
            for process in left:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
        time.sleep(0.03)


def is_free(port: int) -> bool:
    """Whether a server could listen on `port` of 127.0.0.1."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a closed server's port may be in TIME_WAIT
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _inside(work: Callable[[], int], front: int, grace: float) -> int:
    os.setsid()  # Ctrl-C reaches `front` only, so that the end comes once and in order
    _adopt_orphans()
    code = 1
    try:
        _on_endings(_raise_ended)
        _end_with_parent(front)
        code = work()
    except Ended as ended:
        code = 128 + ended.number
    except Exception as error:  # the last stop: say what happened instead of a silent exit code
        sys.excepthook(type(error), error, error.__traceback__)
    finally:
        for number in ENDINGS:
            signal.signal(number, signal.SIG_IGN)
        end_descendants(grace)
        with suppress(OSError):  # the terminal may be gone
            sys.stdout.flush()
            sys.stderr.flush()
    return code


def _raise_ended(number: int, _: FrameType | None) -> None:
    for ending in ENDINGS:
        signal.signal(ending, signal.SIG_IGN)  # once is enough: the end must not be interrupted
    raise Ended(number)


def _on_endings(handler: Callable[[int, FrameType | None], None]) -> None:
    for number in ENDINGS:
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # `nohup` stays what it promises
            signal.signal(number, handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDINGS)


def _descendants() -> list[psutil.Process]:
    """Twice, because a process that is just being adopted can be missed by one walk."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass  # zombies, ours and adopted
    this = psutil.Process()
    return _alive(this.children(recursive=True)) or _alive(this.children(recursive=True))


def _alive(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    alive = []
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            if process.status() != psutil.STATUS_ZOMBIE:
                alive.append(process)
    return alive


def _adopt_orphans() -> None:
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def _end_with_parent(parent: int) -> None:
    _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it was gone before the kernel knew
        os.kill(os.getpid(), signal.SIGTERM)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)
