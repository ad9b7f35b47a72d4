"""`song2vec publish` against google-cloud-storage uploading the same bytes, to a storage server on this machine.

    PYTHONPATH=include:. python -m benchmarks.bench_publish

The files of a model of 100,000 songs with 256 dimensions and 100 neighbours each, 0.6 GB. Ours computes the checksums,
uploads, compares what was stored, and writes the manifest; the bare client uploads the files, one after another as its
`upload_from_filename` does, or several at once as its transfer manager does. The server, which keeps the objects in
memory, takes its share of the same processors.
"""

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import structlog
from benchmarks.lines import SMALL, compare, progress
from google.cloud.storage import transfer_manager
from tests.rig.models import facts, write_model

from song2vec.publish import publish, published_files
from song2vec.publish.upload import FILES_AT_A_TIME
from song2vec_client.gcs.bucket import Bucket
from song2vec_client.gcs.client import default_client
from tools.gcs import GcsServer

SONGS, DIMENSIONS = (1_000 if SMALL else 100_000), 256
MATRICES = (
    "vectors.npy",
    "context.npy",
    "song2vec.bin",
    "gensim/song2vec.model.wv.vectors.npy",
    "gensim/song2vec.model",
)
SIZES = dict.fromkeys(MATRICES, 4 * DIMENSIONS) | {"neighbours.npy": 400, "neighbour_weights.npy": 200}  # bytes a song
PAIRS = 5


def main() -> None:
    """Print the two lines."""
    with tempfile.TemporaryDirectory() as folder, GcsServer() as server:
        files = _model(Path(folder) / "model")
        size = sum(path.stat().st_size for path in files.values()) / 1e6
        progress(f"{size:,.0f} MB in {len(files)} files; load of the machine: {os.getloadavg()[0]:.1f}")
        os.environ["STORAGE_EMULATOR_HOST"] = server.url
        server.create_bucket("bench")
        bucket = Bucket.open("gs://bench/models")

        def rate(work: Callable[[], object]) -> float:
            started = time.perf_counter()
            work()
            seconds = time.perf_counter() - started
            for name in bucket.names():
                bucket.delete(name)
            return size / seconds

        def ours() -> float:
            return rate(lambda: publish(bucket, files, facts()))

        for bench, theirs, against in (
            ("publish-vs-bare-client", _one_by_one, "google-cloud-storage upload_from_filename, in a loop"),
            (
                "publish-vs-transfer-manager",
                _several,
                f"google-cloud-storage transfer_manager, {FILES_AT_A_TIME} threads",
            ),
        ):
            compare(
                bench, ours, lambda work=theirs: rate(lambda: work(files)), unit="MB/s", against=against, pairs=PAIRS
            )


def _model(folder: Path) -> dict[str, Path]:
    """The files of a model, the large ones of the size that they would have."""
    files = published_files(write_model(folder))
    for name, size in SIZES.items():
        with files[name].open("wb") as file:
            for _ in range(SONGS // 1_000):
                file.write(os.urandom(1_000 * size))
    return files


def _one_by_one(files: dict[str, Path]) -> None:
    bucket = default_client().bucket("bench")
    for name, path in files.items():
        bucket.blob(f"models/{name}").upload_from_filename(str(path), if_generation_match=0)


def _several(files: dict[str, Path]) -> None:
    bucket = default_client().bucket("bench")
    pairs = [(str(path), bucket.blob(f"models/{name}")) for name, path in files.items()]
    transfer_manager.upload_many(
        pairs,
        upload_kwargs={"if_generation_match": 0},
        worker_type=transfer_manager.THREAD,
        max_workers=FILES_AT_A_TIME,
        raise_exception=True,
    )


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    main()
