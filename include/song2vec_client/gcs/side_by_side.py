"""Several requests at a time."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

REQUESTS_AT_A_TIME = 8  # google-cloud-storage keeps ten connections open

Item = TypeVar("Item")
Answer = TypeVar("Answer")


def side_by_side(work: Callable[[Item], Answer], items: Iterable[Item]) -> list[Answer]:
    """What `work` gives for each item, in the order of the items; the first error, if any, is raised."""
    with ThreadPoolExecutor(REQUESTS_AT_A_TIME) as pool:
        return list(pool.map(work, items))
