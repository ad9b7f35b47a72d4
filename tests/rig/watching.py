"""Waiting for what a watch sees, without asking what time it is."""

import queue


class Looks:
    """Told after each look of a watch (`after_look`), so that a test can wait for one that saw what it did."""

    def __init__(self):
        self._errors = queue.Queue()

    def __call__(self, watch):
        self._errors.put(watch.error)

    def next(self):
        """Wait until one more look began and ended; its error, or None."""
        while not self._errors.empty():
            self._errors.get()
        self._errors.get(timeout=30)  # may have begun before this call
        return self._errors.get(timeout=30)
