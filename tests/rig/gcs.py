"""The model store of the tests: the embedded server, or a real one with SONG2VEC_TEST_BUCKET=gs://BUCKET/PREFIX."""

import os
import warnings
from collections import Counter
from uuid import uuid4

import pytest

from song2vec_client.gcs.bucket import Bucket
from song2vec_client.gcs.client import default_client
from tools.gcs import GcsServer

with warnings.catch_warnings():
    # google-api-core 2.44 with grpcio but without grpcio-status warns as it is imported; goes when it no longer does.
    warnings.simplefilter("ignore", ImportWarning)
    import google.cloud.storage  # noqa: F401

REAL = os.environ.get("SONG2VEC_TEST_BUCKET", "")


@pytest.fixture(scope="session")
def _server():
    if REAL:
        yield None
        return
    with GcsServer() as server, pytest.MonkeyPatch.context() as environment:
        environment.setenv("STORAGE_EMULATOR_HOST", server.url)
        yield server


@pytest.fixture(scope="session")
def gcs(_server):
    """The value of STORAGE_EMULATOR_HOST for the length of the session; empty with a real bucket."""
    return _server.url if _server else ""


@pytest.fixture
def store(_server):
    """The address of a model store with nothing in it."""
    if _server:
        name = f"test-{uuid4().hex[:12]}"
        _server.create_bucket(name)
        yield f"gs://{name}/models"
        return
    uri = f"{REAL.rstrip('/')}/test-{uuid4().hex[:12]}"
    yield uri
    remove(uri)


@pytest.fixture
def bucket(store):
    """The same store, opened."""
    return Bucket.open(store)


class Counting(Bucket):
    """A bucket that counts what is asked of it.

    Attributes:
        requests: how often each object was read or downloaded, and each prefix listed, by its name.
    """

    def __init__(self, *arguments):
        """Describe it as `Bucket` does."""
        super().__init__(*arguments)
        self.requests = Counter()

    def read(self, name, *arguments):
        """Count, and read."""
        self.requests[name] += 1
        return super().read(name, *arguments)

    def download(self, name, *arguments):
        """Count, and download."""
        self.requests[name] += 1
        super().download(name, *arguments)

    def listing(self, prefix=""):
        """Count, and list."""
        self.requests[prefix] += 1
        return super().listing(prefix)


def blob(uri, name):
    """The object behind a name, for tests that damage or remove what no program may."""
    bucket, _, prefix = uri.removeprefix("gs://").partition("/")
    return default_client().bucket(bucket).blob(f"{prefix}/{name}")


def remove(uri):
    """Delete all objects of a store."""
    for name in Bucket.open(uri).names():
        blob(uri, name).delete()
