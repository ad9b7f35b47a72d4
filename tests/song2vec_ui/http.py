"""A real server around an app, and a client that talks to it."""

import socket
import threading
from contextlib import contextmanager

import httpx
import uvicorn


@contextmanager
def serving(app):
    """Serve `app` on a free port of this machine; gives an `httpx.Client` for it."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", ws="none", access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=30) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
