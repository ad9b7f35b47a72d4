"""A service that recommends songs, in a process of its own: it watches `production` and answers all the time."""

import json
import os
import subprocess
import sys
import threading
from typing import Any

from tests.rig.watching import Looks

from song2vec_client import Bucket, ModelStore


class Service:
    """The process, as a test sees it, for the length of a ``with`` block."""

    def __init__(self, uri, cache):
        """Describe a service that pulls from the store at `uri` to the folder `cache`; nothing starts yet."""
        self._command = [sys.executable, "-m", "tests.rig.service", uri, cache]

    def __enter__(self):
        self._process = subprocess.Popen(
            self._command,
            env=os.environ | {"PYTHONPATH": f"include{os.pathsep}."},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_):
        with self._process:
            self._process.kill()

    def looks(self):
        """Let it look at the channel once more, and answer once more.

        Returns:
            ``{"version", "pointer", "age", "error", "served"}``: what `Watch` says; and all that was answered so
            far: versions, each with its answers, in order; the same answers again and again stand there once.
        """
        self._process.stdin.write("look\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"the service ended: exit {self._process.wait()}"
        return json.loads(line)


def answers(model):
    """What a model says of all its songs: the neighbours of each, and what follows every three of them."""
    songs = sorted(model.songs.tolist())
    playlists = [songs[place : place + 3] for place in range(0, len(songs), 3)]
    return [model.similar_batch(songs, 5)[0].tolist(), model.continue_playlists(playlists, 5)[0].tolist()]


def main(uri, cache):
    """Serve; for each line of stdin wait until a look and an answer came after it, and tell on stdout how it stands."""
    looks, served, alone, ended = Looks(), [], threading.Lock(), threading.Event()
    store = ModelStore.of(Bucket.open(uri, deadline=0.5), cache=cache)
    with store.watch("production", every=0.05, after_look=looks) as watch:

        def serve():
            with alone:
                model = watch.model
                answer = [model.version, answers(model)]
                if served[-1:] != [answer]:
                    served.append(answer)

        def serve_on():
            while not ended.wait(0.002):  # so many who ask, and no more: the tests have work to do, too
                serve()

        thread = threading.Thread(target=serve_on)
        thread.start()
        for _ in sys.stdin:
            looks.next()
            serve()
            told: dict[str, Any] = {"version": watch.model.version, "pointer": watch.pointer.version}
            told |= {"age": watch.age, "error": watch.error, "served": served}
            sys.stdout.write(f"{json.dumps(told)}\n")
            sys.stdout.flush()
        ended.set()
        thread.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
