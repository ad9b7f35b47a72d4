"""A line to a database server that is like a bad network: slow and in small pieces, cut, or silent for ever."""

import contextlib
import math
import socket
import threading
from collections.abc import Iterator
from typing import Literal

from sqlalchemy import URL, make_url


@contextlib.contextmanager
def line_to(
    server: str, *, piece: int = 4096, pause: float = 0, most: float = math.inf, then: Literal["cut", "silence"] = "cut"
) -> Iterator[URL]:
    """The URL of one connection to `server`, which ends with the block.

    Args:
        piece: bytes that the server's answers pass at a time, at most.
        pause: seconds between two pieces.
        most: bytes of answers that pass; 0: not even a greeting.
        then: what happens after them; in silence, both ends take the connection to be alive.
    """
    url = make_url(server)
    ended = threading.Event()

    def forward(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(4096):
                target.sendall(data)

    def answer(source: socket.socket, target: socket.socket) -> None:
        left = most
        with contextlib.suppress(OSError):
            while left > 0 and (data := source.recv(piece)):
                target.sendall(data)
                left -= len(data)
                if pause:
                    ended.wait(pause)
        if left <= 0 and then == "silence":
            ended.wait()

    def serve() -> None:
        with contextlib.suppress(OSError):  # the block ended, and nobody had connected
            client, _ = listener.accept()
            with client, socket.create_connection((url.host, url.port or 3306)) as upstream:
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                questions = threading.Thread(target=forward, args=(client, upstream))
                questions.start()
                answer(upstream, client)
                for end in (client, upstream):
                    with contextlib.suppress(OSError):
                        end.shutdown(socket.SHUT_RDWR)
                questions.join()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield url.set(host="127.0.0.1", port=listener.getsockname()[1])
        finally:
            ended.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
