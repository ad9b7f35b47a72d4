"""Work in two threads: what is read and what is done with it."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")
_END: Any = object()


def ahead(items: Iterable[T], most: int = 2) -> Iterator[T]:
    """The items, in order, made in a thread of their own while the caller works on those before.

    It pays where both sides spend their time in libraries that let other threads run, as Arrow and numpy do.

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
