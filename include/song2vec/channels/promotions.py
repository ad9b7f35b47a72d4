"""The history of a store: every move of every channel, one numbered record each, never changed.

The history is the truth; a channel's pointer is what its last move says, kept for readers. A move is made
in two steps: its record is created (one winner for each number), then the pointer follows. Whoever makes
the next move first brings the pointer of the last one up to date, so a crash between the two steps is
repaired, and every pointer is right before the next number is taken.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from song2vec.errors import DataError, LostRaceError
from song2vec_client.errors import (
    ChangedError,
    ConflictError,
    CorruptModelError,
    NotFoundError,
    UnsupportedFormatError,
)
from song2vec_client.format.fields import parse_json
from song2vec_client.format.layout import channel_name, move_name, move_number
from song2vec_client.format.records import Move, Pointer
from song2vec_client.gcs.bucket import Bucket
from song2vec_client.gcs.side_by_side import side_by_side

ATTEMPTS = 30


def history(bucket: Bucket) -> list[Move]:
    """Every move of every channel, first to last.

    Raises:
        DataError: a record is missing or misplaced: somebody changed the history.
        CorruptModelError: what is in a record's place is not one.
    """
    return side_by_side(lambda number: read_move(bucket, number), range(1, length(bucket) + 1))


def numbers(bucket: Bucket) -> list[int]:
    """The numbers of the records that are there, ascending; whatever else is beside them is not a move."""
    return sorted(number for name in bucket.names("promotions/") if (number := move_number(name)) is not None)


def length(bucket: Bucket) -> int:
    """How many moves there are.

    Raises:
        DataError: a number is missing.
    """
    sequence = numbers(bucket)
    for expected, number in enumerate(sequence, start=1):
        if number != expected:
            raise DataError(
                f"the history of {bucket.uri} has {move_name(number)} where {move_name(expected)} belongs: "
                "restore it from a backup"
            )
    return len(sequence)


def read_move(bucket: Bucket, sequence: int) -> Move:
    """The move with this number.

    Raises:
        NotFoundError: there is none.
        CorruptModelError: what is there is not a move.
        DataError: it is another move.
    """
    content, _ = bucket.read(move_name(sequence))
    with _naming(f"{bucket.uri}/{move_name(sequence)}"):
        move = Move.from_json(parse_json(content))
    if move.sequence != sequence:
        raise DataError(
            f"{bucket.uri}/{move_name(sequence)} says that it is move {move.sequence}: restore it from a backup"
        )
    return move


def append(bucket: Bucket, move: Move) -> bool:
    """Create the move's record; False where somebody else took its number."""
    try:
        bucket.create(move_name(move.sequence), move.to_bytes())
    except ConflictError:
        return False
    return True


def settle(bucket: Bucket, channel: str) -> tuple[int, Pointer | None, Move | None]:
    """Finish the last move, and say where `channel` stands.

    Returns:
        How many moves there are; what the channel holds, or None; and the move that had stopped halfway and was
        finished just now, or None.
    """
    last, finished_move = length(bucket), None
    if last:
        move = read_move(bucket, last)
        finished_move = move if follow(bucket, move) else None
    live, _ = read_pointer(bucket, channel)
    if live is None and last:
        moves = [move for move in history(bucket) if move.channel == channel]
        if moves and follow(bucket, moves[-1]):  # the pointer was lost
            live = moves[-1].pointer()
    return last, live, finished_move


def follow(bucket: Bucket, move: Move) -> bool:
    """Bring the pointer of the move's channel up to this move; False where it is there already, or further.

    Raises:
        LostRaceError: too many others move the same channel.
    """
    for _ in range(ATTEMPTS):
        pointer, generation = read_pointer(bucket, move.channel)
        if pointer is not None and pointer.sequence >= move.sequence:
            return False
        try:
            bucket.replace(channel_name(move.channel), move.pointer().to_bytes(), generation)
        except ChangedError:
            continue
        return True
    raise LostRaceError(f"channel {move.channel} was moved by others {ATTEMPTS} times in a row: try again")


def read_pointer(bucket: Bucket, channel: str) -> tuple[Pointer | None, int]:
    """The channel's pointer and its generation; None and 0 while there is none.

    Raises:
        CorruptModelError: what is there is not a pointer. If it is deleted, the next move writes it again.
    """
    try:
        content, generation = bucket.read(channel_name(channel))
    except NotFoundError:
        return None, 0
    with _naming(f"{bucket.uri}/{channel_name(channel)}", "; delete it, and the next move restores it"):
        return Pointer.from_json(parse_json(content)), generation


def version_before(moves: list[Move], channel: str) -> str | None:
    """The version that a rollback of `channel` leads to: the one below the live one.

    Promotions pile versions up, and a rollback takes off all that lie above the one it returns to. So a second
    rollback goes further back, instead of forth again. Pinning a version that was live returns to it, too.
    """
    pile: list[str] = []
    for move in moves:
        if move.channel != channel:
            continue
        if move.kind != "promote" and move.version in pile:
            while pile[-1] != move.version:
                pile.pop()
        else:
            pile.append(move.version)
    return pile[-2] if len(pile) > 1 else None


@contextmanager
def _naming(where: str, advice: str = "") -> Iterator[None]:
    """Errors of the block say where, and what to do."""
    try:
        yield
    except (CorruptModelError, UnsupportedFormatError) as error:
        raise type(error)(f"{where}: {error}{advice if isinstance(error, CorruptModelError) else ''}") from None
