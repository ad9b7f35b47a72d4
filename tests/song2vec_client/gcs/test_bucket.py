"""One adapter over Cloud Storage, against a real server: whole objects, preconditions, clear errors, no long waits."""

import gzip
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from google.api_core import exceptions as google_errors
from google.auth import exceptions as auth_errors
from google.cloud.storage.exceptions import DataCorruption
from tests.rig.gcs import blob

from song2vec_client.errors import (
    AccessDeniedError,
    AddressError,
    ChangedError,
    ConflictError,
    CorruptModelError,
    NotFoundError,
    PermanentError,
    RequestRefusedError,
    StoreUnavailableError,
    TransientError,
)
from song2vec_client.format.digests import digest
from song2vec_client.gcs.bucket import Bucket
from song2vec_client.gcs.errors import translate
from song2vec_client.gcs.streams import Counted


def test_what_is_created_is_read_back(bucket, tmp_path):
    (tmp_path / "in").write_bytes(b"from a file")

    bucket.create("a/bytes.json", b"bytes")
    bucket.create("a/file", tmp_path / "in")
    bucket.create("empty", b"")
    bucket.download("a/file", tmp_path / "deep" / "out")

    assert bucket.read("a/bytes.json")[0] == b"bytes"
    assert (tmp_path / "deep" / "out").read_bytes() == b"from a file"
    assert bucket.read("empty")[0] == b""
    assert bucket.names() == ["a/bytes.json", "a/file", "empty"]
    assert bucket.names("a/") == ["a/bytes.json", "a/file"]
    kept = {name: digest(bucket.read(name)[0]) for name in bucket.names("a/")}
    listed = {stored.name: (stored.size, stored.crc32c) for stored in bucket.listing("a/")}
    assert listed == {name: (found.size, found.crc32c) for name, found in kept.items()}


def test_stores_in_one_bucket_do_not_see_each_other(bucket):
    other = Bucket.open(bucket.uri + "-other/")
    other.create("theirs", b"1")
    bucket.create("ours", b"2")

    assert bucket.names() == ["ours"]
    with pytest.raises(NotFoundError, match="theirs"):
        bucket.read("theirs")


def test_what_is_deleted_is_gone_and_deleting_again_is_done(bucket):
    bucket.put("a", b"1")
    bucket.put("ab", b"2")

    bucket.delete("a")
    bucket.delete("a")

    assert bucket.names() == ["ab"]


def test_a_large_file_goes_through_in_pieces(bucket, tmp_path):
    (tmp_path / "large").write_bytes(bytes(range(256)) * 36_000)  # over the 8 MB of a single request

    sent = bucket.create("large", tmp_path / "large")
    bucket.download("large", tmp_path / "back")

    assert digest(tmp_path / "back") == sent


def test_creating_again_is_done_with_the_same_content_and_refused_with_another(bucket):
    first = bucket.create("a", b"one")

    assert bucket.create("a", b"one") == first
    with pytest.raises(ConflictError, match="never overwritten"):
        bucket.create("a", b"two")
    assert bucket.read("a")[0] == b"one"


def test_a_file_that_is_written_to_while_it_is_sent_leaves_no_object(bucket, tmp_path):
    (tmp_path / "file").write_bytes(b"before")
    before = digest(tmp_path / "file")
    (tmp_path / "file").write_bytes(b"after!")

    with pytest.raises(CorruptModelError, match="written to, or damaged"):
        bucket.create("file", tmp_path / "file", before)
    assert bucket.names() == []


def test_how_far_an_upload_is_adds_up_to_its_bytes(bucket, tmp_path):
    (tmp_path / "large").write_bytes(bytes(9_000_000))
    sent = []

    bucket.create("large", tmp_path / "large", advance=sent.append)
    bucket.create("small", b"123", advance=sent.append)

    assert sum(sent) == 9_000_003


def test_what_a_retry_reads_again_counts_once(tmp_path):
    (tmp_path / "file").write_bytes(b"0123456789")
    sent = []

    with (tmp_path / "file").open("rb") as file:
        counted = Counted(file, sent.append)
        counted.read(6)
        counted.seek(2)
        assert counted.read() == b"23456789"

    assert sent == [6, 4]


def test_a_listing_tells_what_is_stored(bucket):
    bucket.create("a", b"12345")
    generation = bucket.replace("b", b"1", 0)

    a, b = bucket.listing()

    assert (a.name, a.size, a.crc32c) == ("a", 5, digest(b"12345").crc32c)
    assert b.generation == generation
    assert abs(b.created - datetime.now(UTC)) < timedelta(hours=1)


def test_a_swap_needs_the_generation_that_is_there(bucket):
    first = bucket.replace("a", b"one", 0)
    second = bucket.replace("a", b"two", first)

    with pytest.raises(ChangedError):
        bucket.replace("a", b"three", first)
    with pytest.raises(ChangedError):
        bucket.replace("a", b"three", 0)
    assert bucket.read("a") == (b"two", second)


def test_a_swap_whose_answer_was_lost_counts_when_it_is_sent_again(bucket):
    first = bucket.replace("a", b"one", 0)
    second = bucket.replace("a", b"two", first)

    assert bucket.replace("a", b"two", first) == second


def test_of_many_swaps_one_wins(bucket):
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda number: _swap(bucket, number), range(8)))

    assert won.count(True) == 1
    assert bucket.read("a")[0] == str(won.index(True)).encode()


def _swap(bucket, number):
    try:
        bucket.replace("a", str(number).encode(), 0)
    except ChangedError:
        return False
    return True


def test_an_object_larger_than_allowed_is_refused_and_leaves_no_file(bucket, tmp_path):
    bucket.create("large", bytes(100_000))

    with pytest.raises(CorruptModelError, match="99,999"):
        bucket.read("large", limit=99_999)
    with pytest.raises(CorruptModelError, match="99,999"):
        bucket.download("large", tmp_path / "large", limit=99_999)
    assert list(tmp_path.iterdir()) == []


def test_a_zip_bomb_stays_zipped(bucket):
    packed = gzip.compress(bytes(1_000_000))
    object_ = blob(bucket.uri, "bomb")
    object_.content_encoding = "gzip"
    object_.upload_from_string(packed)

    assert bucket.read("bomb", limit=10_000)[0] == packed


def test_a_bucket_or_object_that_is_not_there_is_said_so(bucket, tmp_path):
    nowhere = Bucket.open("gs://song2vec-no-such-bucket-0123456789/models")

    for ask in (
        lambda: bucket.read("missing"),
        lambda: bucket.download("missing", tmp_path / "x"),
        lambda: nowhere.read("a"),
        nowhere.names,
        lambda: nowhere.create("a", b"1"),
    ):
        with pytest.raises(NotFoundError, match="gs://"):
            ask()


def test_a_server_that_is_gone_is_transient_and_soon_given_up(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{port}")
    bucket = Bucket.open("gs://models", deadline=0.1)
    threads = threading.enumerate()

    with pytest.raises(StoreUnavailableError, match=f"STORAGE_EMULATOR_HOST is http://127.0.0.1:{port}"):
        bucket.read("a")
    assert threading.enumerate() == threads  # nothing goes on trying behind our back


def test_a_local_file_that_is_missing_is_no_trouble_of_the_store(bucket, tmp_path):
    with pytest.raises(FileNotFoundError):
        bucket.put("a", tmp_path / "missing")


@pytest.mark.parametrize(
    "uri", ["", "bucket/prefix", "s3://bucket/x", "gs://", "gs://UPPER/x", "gs://bucket//x", "gs://b u/x", "gs://ab"]
)
def test_another_address_is_refused(uri):
    with pytest.raises(AddressError, match="expected gs://BUCKET/PREFIX"):
        Bucket.open(uri)


def test_a_machine_without_credentials_is_told_what_to_do(monkeypatch, tmp_path):
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "missing.json"))

    with pytest.raises(AccessDeniedError, match="GOOGLE_APPLICATION_CREDENTIALS"):
        Bucket.open("gs://models")


class _Answer:
    status_code = 503


@pytest.mark.parametrize(
    ("error", "ours", "branch"),
    [
        (google_errors.Unauthorized("x"), AccessDeniedError, PermanentError),
        (google_errors.Forbidden("x"), AccessDeniedError, PermanentError),
        (google_errors.NotFound("x"), NotFoundError, PermanentError),
        (google_errors.BadRequest("x"), RequestRefusedError, PermanentError),
        (google_errors.PreconditionFailed("x"), ChangedError, TransientError),
        (google_errors.TooManyRequests("x"), StoreUnavailableError, TransientError),
        (google_errors.InternalServerError("x"), StoreUnavailableError, TransientError),
        (google_errors.ServiceUnavailable("x"), StoreUnavailableError, TransientError),
        (google_errors.RetryError("x", google_errors.Forbidden("x")), AccessDeniedError, PermanentError),
        (google_errors.RetryError("x", ConnectionResetError()), StoreUnavailableError, TransientError),
        (auth_errors.RefreshError("x"), AccessDeniedError, PermanentError),
        (auth_errors.TransportError("x"), StoreUnavailableError, TransientError),
        (DataCorruption(_Answer(), "x"), StoreUnavailableError, TransientError),
        (TimeoutError(), StoreUnavailableError, TransientError),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_every_error_of_the_service_has_its_branch(error, ours, branch):
    found = translate(error, "gs://models/a")

    assert type(found) is ours
    assert isinstance(found, branch)
    assert "gs://models/a" in str(found)


def test_an_upload_address_is_not_repeated_in_an_error():
    secret = "https://storage.googleapis.com/upload?upload_id=ABCDEF"

    assert "ABCDEF" not in str(translate(google_errors.Forbidden(f"PUT {secret}: no"), "gs://models/a"))


def test_what_is_no_error_of_the_service_is_left_alone():
    assert translate(OSError(28, "No space left on device"), "gs://models/a") is None
    assert translate(TypeError("a bug"), "gs://models/a") is None
