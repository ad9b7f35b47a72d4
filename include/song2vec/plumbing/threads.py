"""Work in threads, with results in order; and how many threads.

It pays where the time is spent in libraries that let other threads run, as Arrow and numpy do.
"""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")
R = TypeVar("R")

_END: Any = object()


def thread_count(threads: int) -> int:
    """So many `threads`; 0: one fewer than the machine has cores, at least 1."""
    return threads or max(1, (os.cpu_count() or 1) - 1)


def ahead(items: Iterable[T], most: int = 2) -> Generator[T]:
    """The items, made in a thread of their own while the caller works on those before.

    Args:
        items: what to make; an error in it is raised here, in its place.
        most: how many wait at most.
    """
    iterator = iter(items)
    with ThreadPoolExecutor(1) as thread:
        waiting = deque(thread.submit(next, iterator, _END) for _ in range(most))
        while (item := waiting.popleft().result()) is not _END:
            waiting.append(thread.submit(next, iterator, _END))
            yield item


def each(function: Callable[[T], R], items: Iterable[T], threads: int) -> Iterator[R]:
    """What `function` makes of each item, by some threads at a time; one result more than threads waits at most.

    Args:
        function: what to do; an error in it is raised here, in its place.
        items: what to do it with; taken in the caller's thread, as results are.
        threads: how many.
    """
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[R]] = deque()
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
