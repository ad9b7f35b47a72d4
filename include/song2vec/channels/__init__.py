"""Channels such as `production`: moved by a line in a history that is never changed, then by their pointer.

- `moves`: the ways to move a channel: promote, roll back, pin, unpin
- `request`: a request to move one, who may, and how it is carried out once
- `promotions`: the record of every move, and the pointers that follow it
- `loadable`: whether a version can be loaded, before a channel names it
"""

from song2vec.channels.moves import pin, promote, rollback, unpin
from song2vec.channels.promotions import history, length, numbers, read_move, version_before
from song2vec.channels.request import move_in_words, pin_in_words

__all__ = [
    "history",
    "length",
    "move_in_words",
    "numbers",
    "pin",
    "pin_in_words",
    "promote",
    "read_move",
    "rollback",
    "unpin",
    "version_before",
]
