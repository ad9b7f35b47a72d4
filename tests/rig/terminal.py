"""A pseudo-terminal, as a person's is, to see what is printed on one."""

import os


def read_all(terminal):
    """All that was printed on the terminal, until whoever printed has closed it."""
    parts = []
    try:
        while part := os.read(terminal, 65536):
            parts.append(part)
    except OSError:  # the other end is closed
        os.close(terminal)
    return b"".join(parts).decode()
