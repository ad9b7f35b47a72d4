"""One model, in memory maps: which songs are similar, and how a playlist goes on.

A song is given as a number or as its text in canonical form, ``str(int(x))``: 53651 or "53651". Songs that
the model does not know are treated the same way everywhere: asking about one is an error, in a playlist it
is ignored, and in ``exclude`` too.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import NDArray

from song2vec_client.errors import CorruptModelError, NotFoundError
from song2vec_client.format.fields import parse_json
from song2vec_client.format.layout import (
    CONTEXT,
    COUNTS,
    MANIFEST,
    NEIGHBOUR_WEIGHTS,
    NEIGHBOURS,
    ONE_WAY,
    SONGS,
    TWO_WAY,
    VECTORS,
)
from song2vec_client.format.records import Manifest
from song2vec_client.scoring import continue_rows, similar_rows
from song2vec_client.vote import Neighbours, Vote, one_way, two_way, unit_rows

Song = SupportsIndex | str
Playlist = Iterable[Song]
Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

# Written beside a pulled model, so that all processes of a machine share them:
UNIT = "unit.npy"  # float32 (songs, dimensions): the input vectors at length 1
UNIT_CONTEXT = "unit_context.npy"  # the same of the output vectors, where these are scored at length 1
ORDER = "order.npy"  # int64 (songs,): the rows in ascending order of their songs
NO_SONG = -1  # fills a row of a batch where fewer songs are left than were asked for

_BLOCK = 1 << 16
_INT64 = range(-(2**63), 2**63)


class SongModel:
    """The vectors of one version. Safe to share between threads and, being mapped, between processes.

    Attributes:
        songs: int64 (songs,), the song of each row, most frequent first.
        counts: int64 (songs,), how often each was seen in training.
        vectors: float32 (songs, dimensions), input vectors: near for songs that occur in the same company.
        context: float32 (songs, dimensions), output vectors.
        neighbours: the strongest neighbours of each song, of a model that is scored two-way; else None.
        scoring: how a playlist is continued, "one-way" or "two-way": see `song2vec_client.vote`.
        version: the version, or None for a model that was not pulled from a store.
    """

    def __init__(
        self,
        songs: Ints,
        counts: Ints,
        vectors: Floats,
        context: Floats,
        version: str | None = None,
        *,
        neighbours: Neighbours | None = None,
        scoring: str = ONE_WAY,
    ) -> None:
        """Check shapes and types; `open` is the usual way to a model.

        Raises:
            CorruptModelError: the arrays do not fit each other.
        """
        n = len(songs) if songs.ndim == 1 else 0
        _require(songs, SONGS, np.int64, (n,))
        _require(counts, COUNTS, np.int64, (n,))
        _require(vectors, VECTORS, np.float32, (n, *vectors.shape[-1:]))
        _require(context, CONTEXT, np.float32, vectors.shape)
        if not vectors.size:
            raise CorruptModelError(f"{VECTORS} is empty: shape {vectors.shape}")
        if neighbours is not None:
            shape = (n, *neighbours.rows.shape[-1:])
            _require(neighbours.rows, NEIGHBOURS, np.int32, shape)
            _require(neighbours.weights, NEIGHBOUR_WEIGHTS, np.float16, shape)
        self.songs, self.counts, self.vectors, self.context = songs, counts, vectors, context
        self.neighbours, self.scoring, self.version = neighbours, scoring, version

    @classmethod
    def open(cls, folder: Path | str) -> "SongModel":
        """The model in a folder: one that ``song2vec train`` wrote, or one that a `ModelStore` pulled.

        Nothing is read but the headers; the operating system brings pages in as they are needed.

        Raises:
            NotFoundError: a file is missing.
            CorruptModelError: a file is no array of the right type and shape. Pickles are never loaded.
        """
        folder = Path(folder)
        songs, counts, vectors, context = (_map(folder / name) for name in (SONGS, COUNTS, VECTORS, CONTEXT))
        version, scoring, neighbours = _version(folder / MANIFEST), ONE_WAY, None
        if any((folder / name).exists() for name in (NEIGHBOURS, NEIGHBOUR_WEIGHTS)):  # a one-way version has neither
            scoring = TWO_WAY
            neighbours = Neighbours(_map(folder / NEIGHBOURS), _map(folder / NEIGHBOUR_WEIGHTS))
        model = cls(songs, counts, vectors, context, version, neighbours=neighbours, scoring=scoring)
        if (folder / UNIT).exists() and (folder / ORDER).exists():
            model._unit, model._order = _map(folder / UNIT), _map(folder / ORDER)
            _require(model._unit, UNIT, np.float32, vectors.shape)
            _require(model._order, ORDER, np.int64, songs.shape)
        if (folder / UNIT_CONTEXT).exists():
            model._unit_context = _map(folder / UNIT_CONTEXT)
            _require(model._unit_context, UNIT_CONTEXT, np.float32, vectors.shape)
        return model

    def prepare(self, folder: Path) -> None:
        """Read and check every vector, and write to `folder` what a model that is opened there need not compute.

        Raises:
            CorruptModelError: a vector holds NaN or infinity, a song occurs twice or was seen less than never, or a
                neighbour is no song.
        """
        ordered = self.songs[self._order]
        if np.any(ordered[1:] == ordered[:-1]):
            raise CorruptModelError(f"{SONGS} holds a song twice")
        if np.any(self.counts < 0):
            raise CorruptModelError(f"{COUNTS} holds a negative count")
        np.save(folder / ORDER, self._order)
        matrices = {UNIT: self.vectors} | ({UNIT_CONTEXT: self.context} if self.scoring == TWO_WAY else {})
        written = {
            name: np.lib.format.open_memmap(folder / name, "w+", np.float32, self.vectors.shape) for name in matrices
        }
        for start in range(0, len(self), _BLOCK):
            block = slice(start, start + _BLOCK)
            if not (np.isfinite(self.vectors[block]).all() and np.isfinite(self.context[block]).all()):
                raise CorruptModelError(f"{VECTORS} or {CONTEXT} holds NaN or infinity: the training diverged")
            self._check_neighbours(block)
            for name, unit in written.items():
                unit[block] = unit_rows(matrices[name][block])
        for unit in written.values():
            unit.flush()

    def _check_neighbours(self, block: slice) -> None:
        if self.neighbours is None:
            return
        rows, weights = (part[block] for part in self.neighbours)
        if not ((rows >= 0) & (rows < len(self))).all():
            raise CorruptModelError(f"{NEIGHBOURS} holds a row that is none of the {len(self):,} songs")
        if not ((weights >= 0) & (weights < np.inf)).all():
            raise CorruptModelError(f"{NEIGHBOUR_WEIGHTS} holds a weight that is negative or no number")

    def __len__(self) -> int:
        """The number of songs."""
        return len(self.songs)

    @property
    def dimensions(self) -> int:
        """The length of a vector."""
        return int(self.vectors.shape[1])

    def __contains__(self, song: object) -> bool:
        """Whether the model has a vector for `song`."""
        return isinstance(song, (str, SupportsIndex)) and bool(self._find([song])[0] >= 0)

    def vector(self, song: Song) -> Floats:
        """The input vector of `song`: float32 (dimensions,), a copy.

        Raises:
            NotFoundError: the model does not know it.
        """
        return np.array(self.vectors[self._rows([song])[0]])

    def similar(self, song: Song, k: int = 10) -> tuple[Ints, Floats]:
        """The `k` songs most similar to `song`, by the cosine of their vectors.

        Returns:
            Songs int64 (k,) and cosines float32 (k,), best first; at most all other songs.

        Raises:
            NotFoundError: the model does not know it.
        """
        songs, scores = self.similar_batch([song], k)
        return songs[0], scores[0]

    def similar_batch(self, songs: Sequence[Song], k: int = 10) -> tuple[Ints, Floats]:
        """`similar` for many songs at once.

        Returns:
            Songs int64 (queries, k) and cosines float32 (queries, k); row i answers songs[i].

        Raises:
            NotFoundError: the model does not know one of them.
        """
        rows, scores = similar_rows(self._unit, self._rows(songs), _positive(k))
        return self.songs[rows], scores

    def continue_playlist(self, songs: Playlist, k: int = 10, exclude: Playlist = ()) -> tuple[Ints, Floats]:
        """The `k` songs that best continue a playlist; never one of its own, nor one of `exclude`.

        Returns:
            Songs int64 (k,) and scores float32 (k,), best first; fewer than `k` where no more are left.

        Raises:
            NotFoundError: the model knows none of `songs`.
        """
        songs = list(songs)
        if not len(self._known(songs)):
            raise NotFoundError(f"the model knows none of the {len(songs)} songs of the playlist: {_some(songs)}")
        recommended, scores = self.continue_playlists([songs], k, [exclude])
        there = ~np.isneginf(scores[0])
        return recommended[0][there], scores[0][there]

    def continue_playlists(
        self, playlists: Sequence[Playlist], k: int = 10, exclude: Sequence[Playlist] | None = None
    ) -> tuple[Ints, Floats]:
        """`continue_playlist` for many playlists at once; one without a known song does not fail the others.

        Returns:
            Songs int64 (playlists, k) and scores float32 (playlists, k), best first; row i answers playlists[i].
            Where nothing is left to recommend, or no song is known: song -1 with score -inf.
        """
        known = [self._known(playlist) for playlist in playlists]
        banned = None if exclude is None else [self._known(songs) for songs in exclude]
        if banned is not None and len(banned) != len(known):
            raise ValueError(f"exclude has {len(banned)} entries for {len(known)} playlists: give one a playlist")
        rows, scores = continue_rows(self.vote, known, _positive(k), banned)
        return np.where(rows < 0, NO_SONG, self.songs[rows]), scores

    @cached_property
    def vote(self) -> Vote:
        """How the songs of a playlist score all others."""
        if self.scoring == ONE_WAY:
            return one_way(self.vectors, self.context)
        return two_way(self._unit, self._unit_context, self.counts, self.neighbours)

    @cached_property
    def _unit_context(self) -> Floats:
        return unit_rows(self.context)

    @cached_property
    def _unit(self) -> Floats:
        return unit_rows(self.vectors)

    @cached_property
    def _order(self) -> Ints:
        return np.argsort(self.songs, kind="stable")

    def _find(self, songs: Sequence[Song]) -> Ints:
        """The row of each song, -1 where the model does not know it: int64, as long as `songs`."""
        numbers = [_number(song) for song in songs]
        sought = np.array([0 if number is None else number for number in numbers], np.int64)
        rows = self._order[np.minimum(np.searchsorted(self.songs, sought, sorter=self._order), len(self) - 1)]
        known = (self.songs[rows] == sought) & np.array([number is not None for number in numbers], np.bool_)
        return np.where(known, rows, -1)

    def _rows(self, songs: Sequence[Song]) -> Ints:
        rows = self._find(songs)
        if unknown := [song for song, row in zip(songs, rows, strict=True) if row < 0]:
            raise NotFoundError(f"the model does not know {_some(unknown)}: check with `song in model`")
        return rows

    def _known(self, songs: Playlist) -> Ints:
        rows = self._find(list(songs))
        return rows[rows >= 0]


def _number(song: Song) -> int | None:
    """The number of a song; None where the text is not in canonical form, or no 64 bits hold it."""
    if isinstance(song, str):
        digits = song.removeprefix("-")
        if not (digits.isascii() and digits.isdigit() and len(digits) < 20):
            return None
        number = int(song)
        return number if str(number) == song and number in _INT64 else None
    number = song.__index__()
    return number if number in _INT64 else None


def _map(path: Path) -> NDArray[Any]:
    try:
        with np.errstate(over="raise"):  # a shape whose product overflows
            return np.asarray(np.lib.format.open_memmap(path, mode="r"))
    except FileNotFoundError:
        raise NotFoundError(f"{path} is missing: is {path.parent} the folder of a model?") from None
    except Exception as error:  # numpy has a header read as Python, and raises whatever that comes to
        raise CorruptModelError(f"{path.name} is not a plain .npy array: {str(error)[:200]}") from None


def _require(array: NDArray[Any], name: str, dtype: Any, shape: tuple[int, ...]) -> None:
    if array.dtype != dtype or array.shape != shape or not array.flags.c_contiguous:
        raise CorruptModelError(
            f"{name}: found {array.dtype} {array.shape}, expected {np.dtype(dtype)} {shape} in C order"
        )


def _version(manifest: Path) -> str | None:
    return Manifest.from_json(parse_json(manifest.read_bytes())).version if manifest.exists() else None


def _positive(k: int) -> int:
    if k < 1:
        raise ValueError(f"k is {k}: ask for at least one song")
    return k


def _some(songs: Sequence[Song]) -> str:
    return ", ".join(str(song)[:40] for song in songs[:5]) + (", …" if len(songs) > 5 else "")
