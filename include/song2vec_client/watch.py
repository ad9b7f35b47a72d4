"""A model that stays up to date: looks at a channel now and then, and changes over while questions are answered."""

import logging
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

from song2vec_client.errors import NotFoundError
from song2vec_client.format.layout import is_channel
from song2vec_client.format.records import Pointer

if TYPE_CHECKING:
    from song2vec_client.model import SongModel
    from song2vec_client.store import ModelStore

LONGEST_PAUSE = 16  # times the usual one, when looking fails again and again
CLOSING_SECONDS = 5.0

log = logging.getLogger(__name__)


class Watch:
    """The model that a channel names, looked after by a thread; made by `ModelStore.watch`.

    Take `model` once for a piece of work: it never changes by itself, it is only exchanged for another, as a
    whole. When a look fails, the old model serves on; `age` grows and `error` says why. A look that fails is
    followed by ever longer pauses, up to sixteen times the usual one.

    Threads do not survive a fork: make a watch in the process that uses it.
    """

    def __init__(
        self,
        store: "ModelStore",
        channel: str,
        every: float,
        after_look: Callable[["Watch"], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Load the model, and start to watch.

        Args:
            store: where the channel is.
            channel: its name.
            every: seconds between looks.
            after_look: called in the watching thread after each of its looks, for metrics and logs.
            clock: gives seconds.

        Raises:
            Song2VecError: there is no model to begin with; as for `ModelStore.load`.
        """
        if every <= 0:
            raise ValueError(f"every is {every}: give the seconds between two looks")
        if not is_channel(channel):
            raise NotFoundError(f"{channel!r} is not the name of a channel; a version never changes, so load it")
        self._store, self._channel, self._every = store, channel, every
        self._after_look, self._clock = after_look, clock
        self._refreshing = threading.Lock()
        self._closed = threading.Event()
        self._error: str | None = None
        self._failures = 0
        self._looked = clock()
        pointer = self._resolve()
        self._now = pointer, self._load(pointer)
        self._thread = threading.Thread(target=self._watch, name=f"song2vec watches {channel}", daemon=True)
        self._thread.start()

    @property
    def model(self) -> "SongModel":
        """The newest model that arrived whole."""
        return self._now[1]

    @property
    def pointer(self) -> Pointer:
        """What the channel said at the last good look: the version, when it was named, by whom and why."""
        return self._now[0]

    @property
    def age(self) -> float:
        """Seconds since it was last certain that `model` is what the channel names."""
        return self._clock() - self._looked

    @property
    def error(self) -> str | None:
        """Why the last look failed; None: it did not."""
        return self._error

    @property
    def pause(self) -> float:
        """Seconds until the next look."""
        return self._every * min(1 << self._failures, LONGEST_PAUSE)

    def refresh(self) -> bool:
        """Look now, in this thread.

        Returns:
            Whether there is another model now.

        Raises:
            Song2VecError: as for `ModelStore.load`; the old model stays.
            OSError: the disk is full; the old model stays.
        """
        with self._refreshing:
            began, (before, model) = self._clock(), self._now
            try:
                pointer = self._resolve()
                changed = (pointer.version, pointer.manifest_sha256) != (before.version, before.manifest_sha256)
                self._now = pointer, self._load(pointer) if changed else model
            except Exception as error:
                self._error, self._failures = f"{type(error).__name__}: {error}", self._failures + 1
                raise
            self._looked, self._error, self._failures = began, None, 0
            return changed

    def close(self) -> None:
        """Stop watching; the model stays usable. A download under way is not waited for longer than 5 seconds."""
        self._closed.set()
        if self._thread is not threading.current_thread():
            self._thread.join(CLOSING_SECONDS)

    def __enter__(self) -> "Watch":
        """The watch itself; it is closed at the end of the block."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close."""
        self.close()

    def _resolve(self) -> Pointer:
        return self._store.resolve(self._channel)

    def _load(self, pointer: Pointer) -> "SongModel":
        return self._store.version(pointer.version, pointer.manifest_sha256).load()

    def _watch(self) -> None:
        while not self._closed.wait(self.pause):
            try:
                if self.refresh():
                    log.info("channel %s names version %s now", self._channel, self.model.version)
            except Exception as error:
                # whatever it was: a thread that ends here would leave a service with an old model for ever
                log.warning("looking for a newer model than %s failed: %s", self.model.version, error)
            if self._after_look:
                try:
                    self._after_look(self)
                except Exception:
                    log.exception("after_look failed")
