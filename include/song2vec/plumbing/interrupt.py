"""Being asked to stop: what a long computation looks at when it pauses."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Stop:
    """Whether, and by which signal, the process was asked to stop.

    Attributes:
        signal: its name; empty: it was not asked.
    """

    signal = ""


@contextmanager
def stop_on_signal() -> Iterator[Stop]:
    """While the block runs, SIGTERM and SIGINT only set ``Stop.signal``; the block decides when to end.

    Airflow asks with SIGTERM, and kills some seconds later; a terminal with SIGINT. A signal that the block did not
    answer with an exception is sent again after it, so that none is lost. Signals reach the main thread only:
    elsewhere the block runs as if this were not here.
    """
    stop = Stop()

    def note(number: int, _frame: FrameType | None) -> None:
        stop.signal = signal.Signals(number).name

    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if stop.signal:
        signal.raise_signal(signal.Signals[stop.signal])
