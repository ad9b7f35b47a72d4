"""A signal only asks; it is answered by the block, or sent again after it."""

import contextlib
import signal
import threading

import pytest

from song2vec.plumbing.interrupt import stop_on_signal


@pytest.fixture
def received():
    """The signals that reached the handler of whoever was there before."""
    numbers = []
    before = {number: signal.signal(number, lambda number, _: numbers.append(number)) for number in (2, 15)}
    yield numbers
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_noted_and_one_that_was_answered_goes_no_further(received, number):
    signals = []
    with contextlib.suppress(RuntimeError), stop_on_signal() as stop:
        signals.append(stop.signal)
        signal.raise_signal(number)
        signals.append(stop.signal)
        raise RuntimeError

    assert signals == ["", number.name]
    assert received == []
    signal.raise_signal(number)
    assert received == [number]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_that_was_not_answered_is_sent_again(received, number):
    with stop_on_signal():
        signal.raise_signal(number)
        assert received == []

    assert received == [number]


def test_another_thread_than_the_main_one_is_not_asked(received):
    signals = []

    def block():
        with stop_on_signal() as stop:
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
            signals.append(stop.signal)

    thread = threading.Thread(target=block)
    thread.start()
    thread.join()

    assert signals == [""]
    assert received == [signal.SIGTERM]
