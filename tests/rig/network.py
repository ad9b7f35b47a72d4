"""Lines to a server that are like a bad network (slow, in small pieces, cut, silent), or that count what they pass."""

import contextlib
import math
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
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


class Meter(socketserver.ThreadingTCPServer):
    """A line of any number of connections that counts the bytes of requests, for the length of a ``with`` block.

    After `most` bytes it passes nothing more, either way, and calls `then`, once. What that raises cuts the connection.
    """

    daemon_threads = True
    request_queue_size = 50

    def __init__(self, server: str, *, most: float = math.inf, then: Callable[[], object] = lambda: None) -> None:
        """Listen on a port of this machine, for the server at the URL `server`."""
        super().__init__(("127.0.0.1", 0), _Connection)
        url = make_url(server)
        self.server = (url.host, url.port)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.most, self.then, self.passed = most, then, 0
        self.lock = threading.Lock()

    def __enter__(self):
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()

    def take(self, data: bytes) -> bytes:
        """What of `data` passes."""
        with self.lock:
            if self.passed >= self.most:
                return b""
            passes = data[: int(min(len(data), self.most - self.passed))]
            self.passed += len(passes)
            if self.passed >= self.most:
                self.then()
            return passes


class _Connection(socketserver.BaseRequestHandler):
    server: Meter

    def handle(self) -> None:
        with contextlib.suppress(OSError), socket.create_connection(self.server.server) as upstream:
            answers = threading.Thread(target=self._answers, args=(upstream,), daemon=True)
            answers.start()
            while data := self.request.recv(1 << 16):
                upstream.sendall(self.server.take(data))
            upstream.shutdown(socket.SHUT_RDWR)
            answers.join()

    def _answers(self, upstream: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := upstream.recv(1 << 16):
                if self.server.passed < self.server.most:
                    self.request.sendall(data)
