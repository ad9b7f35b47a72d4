"""What the pages need of a model store, read once.

A version and a move never change, so what was read of them is kept; channels and lists are read anew for
every page. A damaged version, channel or move is shown as such and hides nothing else. Only an error of the
whole store ends a page.
"""

import time
from collections.abc import Callable
from functools import lru_cache, partial
from threading import Lock
from typing import Any

from song2vec.channels import numbers, read_move
from song2vec.errors import DataError
from song2vec.records import AnyRecord, Metrics, Record, Records, Training
from song2vec_client.errors import CorruptModelError, NotFoundError, PermanentError, UnsupportedFormatError
from song2vec_client.format.layout import is_version
from song2vec_client.format.records import Move, Pointer
from song2vec_client.gcs.side_by_side import side_by_side
from song2vec_client.model import SongModel
from song2vec_client.store import ModelStore
from song2vec_ui.models_page import (
    MOST_MOVES,
    Channel,
    History,
    ModelsPage,
    VersionRow,
    live_channels,
    page_of,
)
from song2vec_ui.trouble import BusyError
from song2vec_ui.version_page import VersionPage, version_page

MAIN_CHANNEL = "production"  # shown first
KEEP_SECONDS = 300.0  # after that the store is opened anew: its address or key may have changed
MODELS_KEPT = 2  # mapped from disk, each with its unit vectors in memory
PATIENCE_SECONDS = 10.0  # for another request's model; waiting longer would block the server's threads

_DAMAGE = (DataError, CorruptModelError, UnsupportedFormatError, NotFoundError)


class Reader:
    """Reads pages out of one store and keeps what cannot change. Safe to share between threads."""

    def __init__(self, store: ModelStore) -> None:
        self._store = store
        self._version = lru_cache(maxsize=1_000)(store.version)
        self._record = lru_cache(maxsize=1_000)(self._read_record)
        self._move = lru_cache(maxsize=1_000)(partial(read_move, store.bucket))
        self._model = lru_cache(maxsize=MODELS_KEPT)(lambda version: self._version(version).load())
        self._loading = Lock()

    def models(self, number: int) -> ModelsPage | None:
        """The page `number` of all models, or None while nothing was published."""
        published = self._store.published()
        channels = self._channels()
        if not (published or channels):
            return None
        shown, newer, older = page_of(published, number)
        rows = side_by_side(lambda version: self._row(version, live_channels(channels, version)), shown)
        return ModelsPage(channels, tuple(rows), newer, older, self._history())

    def version(self, version: str) -> VersionPage:
        """The page of one version.

        Raises:
            NotFoundError: there is no such version.
            CorruptModelError: its manifest is not one.
        """
        if not is_version(version):
            raise NotFoundError("A version is named like 20260131T040000Z-0123abcd.")
        manifest, problems = self._version(version).manifest, list[str]()
        records = Records.of(partial(self._record_or_problem, version, problems))
        live = live_channels(self._channels(), version)
        return version_page(manifest, records, live, self._history().moves, tuple(problems))

    def model(self, version: str) -> SongModel:
        """The model of a version, pulled, verified and kept.

        Raises:
            BusyError: another request has been loading a model for a while.
        """
        if not self._loading.acquire(timeout=PATIENCE_SECONDS):
            raise BusyError
        try:
            return self._model(version)
        finally:
            self._loading.release()

    def _channels(self) -> tuple[Channel, ...]:
        channels = self._store.channels()
        names = sorted(channels, key=lambda name: (name != MAIN_CHANNEL, name))
        return tuple(_channel(name, channels[name]) for name in names)

    def _row(self, version: str, live: tuple[Pointer, ...]) -> VersionRow:
        try:
            manifest, problems = self._version(version).manifest, list[str]()
            metrics = self._record_or_problem(version, problems, Metrics)
            training = self._record_or_problem(version, problems, Training)
            return VersionRow(version, manifest, metrics, training, live)
        except _DAMAGE as error:
            return VersionRow(version, None, live=live, problem=str(error))

    def _record_or_problem(self, version: str, problems: list[str], kind: type[AnyRecord], /) -> AnyRecord | None:
        """A record of a version; None where it has none, or one that cannot be shown, as `problems` then says too."""
        if kind.FILE not in self._version(version):
            return None
        try:
            record: AnyRecord = self._record(version, kind)
        except _DAMAGE as error:
            problems.append(f"{kind.FILE} is not shown: {error}")
            return None
        return record

    def _read_record(self, version: str, kind: type[Record]) -> Any:
        return kind.parse(self._version(version).read(kind.FILE))

    def _history(self) -> History:
        there = numbers(self._store.bucket)
        read = side_by_side(self._move_or_problem, there[: -MOST_MOVES - 1 : -1])
        return History(
            moves=tuple(move for move in read if isinstance(move, Move)),
            earlier=len(there) - len(read),
            problems=tuple(problem for problem in read if isinstance(problem, str)),
        )

    def _move_or_problem(self, sequence: int) -> Move | str:
        try:
            return self._move(sequence)
        except _DAMAGE as error:
            return f"Move {sequence} is not shown: {error}"


class Readers:
    """The current reader; made anew after `KEEP_SECONDS`, so that a changed address or key is noticed."""

    def __init__(self, open_store: Callable[[], ModelStore], clock: Callable[[], float] = time.monotonic) -> None:
        self._open_store = open_store
        self._clock = clock
        self._current: tuple[float, Reader] | None = None

    def current(self) -> Reader:
        """The reader to use for one request."""
        now = self._clock()
        if self._current is None or now - self._current[0] > KEEP_SECONDS:
            self._current = (now, Reader(self._open_store()))
        return self._current[1]


def _channel(name: str, held: Pointer | PermanentError) -> Channel:
    return Channel(name, held) if isinstance(held, Pointer) else Channel(name, None, problem=str(held))
