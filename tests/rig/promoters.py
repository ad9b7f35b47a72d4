"""Processes that move channels, all at the same moment; some end by kill -9 halfway."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from song2vec.channels import promote
from song2vec.plumbing.logs import log_to_stderr
from song2vec_client.gcs.bucket import Bucket


class MortalBucket(Bucket):
    """A store whose user is killed just before a step: "record" or "pointer"; "never": it lives."""

    dies_at = "never"

    def create(self, name, content, known=None, advance=None):
        self._die("record")
        return super().create(name, content, known, advance)

    def replace(self, name, content, generation):
        self._die("pointer")
        return super().replace(name, content, generation)

    def _die(self, step):
        if step == self.dies_at:
            os.kill(os.getpid(), signal.SIGKILL)


def race(store, cache, promoters):
    """Let a process for each of `promoters` promote at once: ``{who: (step to die at, versions)}``.

    Returns:
        Of each promoter its exit code and the records of what it was told, by name.
    """
    processes = {}
    for who, (dies_at, versions) in promoters.items():
        processes[who] = subprocess.Popen(
            [sys.executable, "-m", "tests.rig.promoters", store, who, dies_at, *versions],
            env={**os.environ, "PYTHONPATH": f"include{os.pathsep}.", "SONG2VEC_CACHE": str(cache)},
            cwd=Path.cwd(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
    for process in processes.values():
        assert process.stdout.readline() == "ready\n"
    for process in processes.values():
        process.stdin.write("go\n")
        process.stdin.flush()
    told = {who: process.communicate()[0].splitlines() for who, process in processes.items()}
    return {who: (processes[who].returncode, [json.loads(line) for line in lines]) for who, lines in told.items()}


def main(store, who, dies_at, *versions):
    """Promote one version after the other, once the word is given."""
    log_to_stderr(quiet=True)
    bucket = MortalBucket.open(store)
    bucket.dies_at = dies_at
    bucket.names("promotions/")  # connected
    _tell("ready")
    sys.stdin.readline()
    for version in versions:
        pointer = promote(bucket, "production", version, who=who, why="race")
        _tell(json.dumps(pointer.to_json()))


def _tell(line):
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
