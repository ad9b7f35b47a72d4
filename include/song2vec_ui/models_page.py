"""What the page of all models shows, worked out of what was read."""

from collections.abc import Sequence
from dataclasses import dataclass

from song2vec.records import Metrics, Training
from song2vec_client.format.records import Manifest, Move, Pointer

VERSIONS_A_PAGE = 25
MOST_MOVES = 50


@dataclass(frozen=True)
class Channel:
    """A channel and where it points, or why that cannot be told."""

    name: str
    pointer: Pointer | None
    problem: str = ""


@dataclass(frozen=True)
class VersionRow:
    """A version in the list, with the pointers of the channels that name it, or why it cannot be shown."""

    version: str
    manifest: Manifest | None
    metrics: Metrics | None = None
    training: Training | None = None
    live: tuple[Pointer, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class History:
    """The latest moves of all channels, newest first, and how many there are besides."""

    moves: tuple[Move, ...]
    earlier: int
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class ModelsPage:
    """All channels, one page of the versions, the latest moves; newest first."""

    channels: tuple[Channel, ...]
    versions: tuple[VersionRow, ...]
    newer: int | None  # the numbers of the pages beside this one
    older: int | None
    history: History


def live_channels(channels: Sequence[Channel], version: str) -> tuple[Pointer, ...]:
    """The pointers of the channels that name `version`."""
    return tuple(channel.pointer for channel in channels if channel.pointer and channel.pointer.version == version)


def page_of(versions: Sequence[str], number: int) -> tuple[Sequence[str], int | None, int | None]:
    """The versions on page `number` (the first is 1), and the numbers of the newer and the older page, if any."""
    end = number * VERSIONS_A_PAGE
    newer = number - 1 if number > 1 else None
    older = number + 1 if end < len(versions) else None
    return versions[end - VERSIONS_A_PAGE : end], newer, older
