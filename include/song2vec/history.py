"""The history of a store: every move of every channel, one numbered record each, never changed.

The history is the truth; a channel's pointer is what its last move says, kept for readers. A move is made
in two steps: its record is created (one winner for each number), then the pointer follows. Whoever makes
the next move first brings the pointer of the last one up to date, so a crash between the two steps is
repaired, and every pointer is right before a number is given out.
"""

from concurrent.futures import ThreadPoolExecutor

from song2vec.errors import DataError, LostRaceError
from song2vec_client.bucket import Bucket
from song2vec_client.errors import ChangedError, ConflictError, NotFoundError
from song2vec_client.fields import parse_json
from song2vec_client.format import Move, Pointer
from song2vec_client.layout import channel_name, move_name

ATTEMPTS = 30
_READERS = 8


def history(bucket: Bucket) -> list[Move]:
    """Every move of every channel, first to last.

    Raises:
        DataError: a record is missing or misplaced: somebody changed the history.
    """
    numbers = range(1, length(bucket) + 1)
    with ThreadPoolExecutor(_READERS) as readers:
        return list(readers.map(lambda number: read_move(bucket, number), numbers))


def length(bucket: Bucket) -> int:
    """How many moves there are.

    Raises:
        DataError: a number is missing.
    """
    names = bucket.names("promotions/")
    expected = [move_name(number) for number in range(1, len(names) + 1)]
    for found, right in zip(names, expected, strict=True):
        if found != right:
            raise DataError(f"the history of {bucket.uri} has {found} where {right} belongs: restore it from a backup")
    return len(names)


def read_move(bucket: Bucket, sequence: int) -> Move:
    """The move with this number."""
    move = Move.from_json(parse_json(bucket.read(move_name(sequence))[0]))
    if move.sequence != sequence:
        raise DataError(f"{bucket.uri}/{move_name(sequence)} says that it is move {move.sequence}: restore it")
    return move


def append(bucket: Bucket, move: Move) -> bool:
    """Create the move's record; False where somebody else took its number."""
    try:
        bucket.create(move_name(move.sequence), move.to_bytes())
    except ConflictError:
        return False
    return True


def follow(bucket: Bucket, move: Move) -> None:
    """Bring the pointer of the move's channel up to this move, unless it is there or further.

    Raises:
        LostRaceError: too many others move the same channel.
    """
    for _ in range(ATTEMPTS):
        pointer, generation = read_pointer(bucket, move.channel)
        if pointer is not None and pointer.sequence >= move.sequence:
            return
        try:
            bucket.replace(channel_name(move.channel), move.pointer().to_bytes(), generation)
        except ChangedError:
            continue
        return
    raise LostRaceError(f"channel {move.channel} was moved by others {ATTEMPTS} times in a row: try again")


def read_pointer(bucket: Bucket, channel: str) -> tuple[Pointer | None, int]:
    """The channel's pointer and its generation; None and 0 while there is none."""
    try:
        content, generation = bucket.read(channel_name(channel))
    except NotFoundError:
        return None, 0
    return Pointer.from_json(parse_json(content)), generation


def version_before(moves: list[Move], channel: str) -> str | None:
    """The version that a rollback of `channel` leads to: the one below the live one.

    Promotions pile versions up, a rollback takes all off that lie above the one it returned to. So a second
    rollback goes further back, instead of forth again.
    """
    pile: list[str] = []
    for move in moves:
        if move.channel != channel:
            continue
        if move.kind == "rollback" and move.version in pile:
            while pile[-1] != move.version:
                pile.pop()
        else:
            pile.append(move.version)
    return pile[-2] if len(pile) > 1 else None
