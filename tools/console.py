"""What the local commands say on the terminal."""

import os
import sys
from contextlib import suppress


def say(text: str = "", mark: str = "") -> None:
    """Print a line at once; `mark` is one of ``ok``, ``bad``, ``title`` or nothing.

    A terminal that is gone is not an error: what is under way must still end in order.
    """
    colour = {"ok": "32", "bad": "31", "title": "1"}.get(mark)
    if colour and sys.stdout.isatty() and "NO_COLOR" not in os.environ:
        text = f"\033[{colour}m{text}\033[0m"
    with suppress(OSError):
        print(text, flush=True)
