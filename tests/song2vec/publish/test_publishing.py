"""Publishing: a version is there whole or not at all, and publishing the same again gives the same."""

import json
import math
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud.storage import Client
from tests.rig.gcs import blob
from tests.rig.models import FINISHED, facts, manifests, publish_model, write_model
from tests.rig.network import Meter

from song2vec.errors import DataError
from song2vec.publish import publish, publish_folders, published_files
from song2vec.publish.model_card import model_card
from song2vec.publish.upload import entries_of, upload
from song2vec.records import Records, Training
from song2vec.settings import load_settings
from song2vec_client.errors import ChangedError, ConflictError
from song2vec_client.format.alignment import Alignment
from song2vec_client.format.digests import digest
from song2vec_client.format.layout import MANIFEST, MODEL_FILES, ONE_WAY, TWO_WAY, is_version
from song2vec_client.gcs.bucket import Bucket
from song2vec_client.store import ModelStore
from tools.gcs import GcsServer

METRICS = {
    "protocol": {"top": 100},
    "playlists": 1234,
    "model": {"ndcg": 0.2871, "hit_rate": 0.5},
    "popularity": {"ndcg": 0.01, "hit_rate": 0.1},
}
FUNNEL = {
    "rules": [
        {
            "rule": "unknown_song",
            "rows_in": 12345,
            "rows_out": 12000,
            "rows_left_out": 345,
            "playlists_in": 9,
            "playlists_out": 9,
            "playlists_left_out": 0,
        }
    ],
    "raw_rows": 12345,
    "rows": 12000,
    "playlists": 9,
}
DATA = {
    "accepted": True,
    "sentence": "Accepted: 1,000 playlists (at least 50).",
    "live_version": "20260130T040000Z-01234567",
    "changes": {
        "playlists": {"new": 1200, "gone": 3, "changed": 40, "same": 5},
        "songs": {"new": 7, "gone": 0, "same": 900},
    },
}
DECISION = {
    "accepted": True,
    "sentence": "Accepted: every rule passed.",
    "rules": [{"rule": "min_ndcg", "figure": 0.2871, "limit": 0.02, "passed": True}],
}


@pytest.fixture
def files(tmp_path):
    """The files of a run, as its stages left them."""
    model = write_model(tmp_path / "model")
    records = {"metrics": METRICS, "funnel": FUNNEL, "check_data": DATA, "decision": DECISION}
    for name, record in records.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.json").write_text(json.dumps(record))
    return published_files(model, *(tmp_path / name for name in records))


def test_a_version_holds_the_files_and_says_where_they_come_from(bucket, files):
    made = publish(bucket, files, facts(parent="20250101T000000Z-00000000", accepted=False, status="rejected"))

    assert manifests(bucket) == [made]
    assert is_version(made.version)
    assert made.version.startswith("20260131T040000Z-")
    assert (made.parent, made.accepted, made.status) == ("20250101T000000Z-00000000", False, "rejected")
    assert {entry.path for entry in made.files} == {*files, "MODEL_CARD.md"}
    assert "gensim/song2vec.model.wv.vectors.npy" in files
    for path, file in files.items():
        entry, checksums = made.entry(path), digest(file)
        assert (entry.size, entry.sha256, entry.crc32c) == (checksums.size, checksums.sha256, checksums.crc32c)
        assert bucket.read(f"versions/{made.version}/{path}")[0] == file.read_bytes()


def test_publishing_again_gives_the_same_version_as_it_was(bucket, files):
    first = publish(bucket, files, facts())
    names = bucket.names()

    assert publish(bucket, files, facts(created=datetime.now(UTC), parent=first.version)) == first
    assert bucket.names() == names


def test_another_model_or_verdict_is_another_version(bucket, files, tmp_path):
    first = publish(bucket, files, facts())
    later = publish_model(bucket, tmp_path / "later", finished=FINISHED + timedelta(seconds=1))
    files["decision.json"].write_text(json.dumps(DECISION | {"accepted": False}))
    rejected = publish(bucket, files, facts(accepted=False, status="rejected"))

    assert len({first.version, later.version, rejected.version}) == 3
    assert manifests(bucket)[0] == later


def test_two_that_publish_the_same_at_once_agree(bucket, files):
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda number: publish(bucket, files, facts(code_version=str(number))), range(4)))

    assert len(set(map(str, made))) == 1
    assert manifests(bucket) == made[:1]


def test_an_object_with_other_content_is_never_overwritten_and_hides_the_version(bucket, store, files):
    version = publish(bucket, files, facts()).version
    for name in ("manifest.json", "songs.npy"):
        blob(store, f"versions/{version}/{name}").delete()
    bucket.create(f"versions/{version}/songs.npy", b"somebody else's")

    with pytest.raises(ConflictError, match=r"songs\.npy"):
        publish(bucket, files, facts())
    assert manifests(bucket) == []
    assert bucket.read(f"versions/{version}/songs.npy")[0] == b"somebody else's"

    blob(store, f"versions/{version}/songs.npy").delete()
    assert manifests(bucket) == [] == bucket.names(f"versions/{version}/manifest")
    assert publish(bucket, files, facts()).version == version


PUBLISHER = """
import sys
from pathlib import Path
from song2vec.publish import publish, published_files
from song2vec_client.gcs.bucket import Bucket
from tests.rig.models import facts

publish(Bucket.open(sys.argv[1]), published_files(*map(Path, sys.argv[2:])), facts())
"""


def _publish_over(line, store, files):
    """The exit code of a process that publishes over a line, which ends it (`line.then`) or not."""
    folders = sorted({path.parent for path in files.values() if path.parent.name != "gensim"})
    environment = os.environ | {"PYTHONPATH": "include:.", "STORAGE_EMULATOR_HOST": line.url}
    with subprocess.Popen([sys.executable, "-c", PUBLISHER, store, *folders], env=environment) as process:
        line.then = process.kill
        return process.wait()


@pytest.fixture(scope="module")
def server():
    """A storage server that a metered line can be laid to, also where the other tests use a real bucket."""
    with GcsServer() as server:
        yield server


@pytest.fixture
def here(server):
    """A model store on that server."""
    name = f"test-{uuid4().hex[:12]}"
    server.create_bucket(name)
    return _open(f"gs://{name}/models", server.url)


def _open(uri, endpoint):
    where = {"api_endpoint": endpoint}
    return Bucket.open(uri, Client(project="local", credentials=AnonymousCredentials(), client_options=where))


@pytest.fixture(scope="module")
def traffic(server, tmp_path_factory):
    """How many bytes of requests it takes to publish what `_large` gives."""
    server.create_bucket("traffic")
    with Meter(server.url) as line:
        assert _publish_over(line, "gs://traffic/models", _large(tmp_path_factory.mktemp("traffic"))) == 0
    return line.passed


def _large(folder):
    """The files of a model of which one is sent in many packets."""
    files = published_files(write_model(folder / "model"))
    files["song2vec.bin"].write_bytes(bytes(range(256)) * 8_000)
    return files


@pytest.mark.parametrize("share", [0, 0.001, 0.3, 0.6, 0.99, 0.995, 0.998])
def test_a_publisher_killed_at_any_moment_leaves_all_or_nothing_to_see_and_the_next_one_completes(
    here, server, tmp_path, traffic, share
):
    files = _large(tmp_path)

    with Meter(server.url, most=max(1, int(share * traffic))) as line:
        assert _publish_over(line, here.uri, files) == -signal.SIGKILL

    models = ModelStore.of(here, cache=tmp_path / "cache")
    there = here.listing("versions/")
    if MANIFEST not in {stored.name.split("/")[-1] for stored in there}:
        assert models.published() == []
    for version in models.published():
        assert models.load(version).version == version
    made = publish(here, files, facts())
    assert manifests(here) == [made]
    assert len(made.files) == 12
    assert models.load(made.version).version == made.version
    assert set(there) <= set(here.listing("versions/"))  # the same generations: nothing was uploaded again


def test_what_is_there_already_is_not_uploaded_again(here, server, tmp_path, traffic):
    files = _large(tmp_path)
    version = publish(here, files, facts()).version
    for name in ("manifest.json", "counts.npy"):
        here.delete(f"versions/{version}/{name}")

    with Meter(server.url) as line:
        assert _publish_over(line, here.uri, files) == 0

    assert line.passed < traffic / 10
    assert ModelStore.of(here).published() == [version]


@pytest.mark.parametrize("share", [0.01, 0.5, 0.999])
def test_a_connection_that_is_cut_in_the_middle_is_made_again(here, server, tmp_path, traffic, share):
    files = _large(tmp_path)

    with Meter(server.url, most=int(share * traffic)) as line:

        def cut():
            line.most = math.inf
            raise ConnectionResetError

        line.then = cut
        made = publish(_open(here.uri, line.url), files, facts())

    assert line.most == math.inf
    assert ModelStore.of(here, cache=tmp_path / "cache").load(made.version).version == made.version


def test_an_upload_that_fails_fails_the_whole_and_the_next_one_completes(bucket, tmp_path):
    files = _large(tmp_path)
    contents = {**files, "broken": tmp_path / "not there"}
    entries = entries_of(files)

    with pytest.raises(FileNotFoundError):
        upload(bucket, "20260131T040000Z-00000000", contents, (*entries, replace(entries[0], path="broken")))
    upload(bucket, "20260131T040000Z-00000000", contents, entries)

    assert len(bucket.names()) == len(entries)


def test_what_somebody_deletes_meanwhile_is_missed_before_the_manifest_is_written(store, files):
    class Deleting(Bucket):
        def create(self, name, *content):
            sent = super().create(name, *content)
            if name.endswith("counts.npy"):
                self.delete(name)
            return sent

    bucket = Deleting.open(store)

    with pytest.raises(ChangedError, match=r"counts\.npy of version .* publish again"):
        publish(bucket, files, facts())
    assert ModelStore.of(bucket).published() == []


def test_what_is_missing_is_named(tmp_path):
    model = write_model(tmp_path / "model")
    (model / "song2vec.bin").unlink()
    (model / "gensim" / "song2vec.model").unlink()

    with pytest.raises(DataError, match=r"song2vec\.bin, gensim/song2vec\.model not found.*song2vec train"):
        published_files(model)


@pytest.mark.parametrize(("scoring", "number"), [(ONE_WAY, 1), (TWO_WAY, 2)])
def test_the_manifest_says_how_the_model_is_scored(bucket, tmp_path, scoring, number):
    made = publish_model(bucket, tmp_path / "model", scoring=scoring)

    stored = json.loads(bucket.read(f"versions/{made.version}/{MANIFEST}")[0])
    assert (stored["scoring"], stored["format"]) == (scoring, number)
    assert [entry.path for entry in made.model_files] == list(MODEL_FILES[scoring])


@pytest.mark.parametrize("name", ["neighbours.npy", "neighbour_weights.npy"])
def test_neighbours_without_weights_and_weights_without_neighbours_are_refused(tmp_path, name):
    model = write_model(tmp_path / "model", scoring=TWO_WAY)
    (model / name).unlink()

    with pytest.raises(DataError, match=f"cannot publish: {name} not found"):
        published_files(model)


def test_the_folder_that_is_named_first_gives_a_file(tmp_path, files):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "training.json").write_text("{}")

    assert published_files(tmp_path / "model", tmp_path / "other")["training.json"].parent.name == "model"
    assert published_files(tmp_path / "other", tmp_path / "model")["training.json"].parent.name == "other"


@pytest.mark.parametrize("finished", ["", "yesterday", None])
def test_a_training_without_an_end_is_refused(bucket, files, finished):
    training = json.loads(files["training.json"].read_text())
    files["training.json"].write_text(json.dumps(training | {"finished": finished}))

    with pytest.raises(DataError, match="finished"):
        publish(bucket, files, facts())
    assert bucket.names() == []


@pytest.mark.parametrize("text", ["2026-01-31T04:00:00Z", "2026-01-31T13:00:00+09:00", "2026-01-31T04:00:00"])
def test_the_time_of_a_version_is_in_utc(bucket, files, text):
    training = json.loads(files["training.json"].read_text())
    files["training.json"].write_text(json.dumps(training | {"finished": text}))

    assert publish(bucket, files, facts()).version.startswith("20260131T040000Z-")


def test_the_model_card_tells_what_the_records_say(bucket, files):
    made = publish(bucket, files, facts())

    card = ModelStore.of(bucket).version(made.version).read("MODEL_CARD.md").decode()
    assert "| unknown_song | 12,345 | 345 | 12,000 |" in card
    assert "The data: Accepted: 1,000 playlists (at least 50)." in card
    assert "What changed since 20260130T040000Z-01234567:" in card
    assert "| playlists | 1,200 | 3 | 40 | 5 |" in card
    assert "| songs | 7 | 0 | – | 900 |" in card
    assert "|thismodel|0.287|0.500|" in card.replace(" ", "")
    assert "|popularsongs|0.010|0.100|" in card.replace(" ", "")
    assert "1,234 playlists that were not trained on" in card
    assert "Accepted: every rule passed." in card
    assert "| vector_size | 2 |" in card
    assert "Limits of use" in card


@pytest.mark.parametrize(("settings", "method"), [({"sg": 1}, "skip-gram"), ({"sg": 0}, "CBOW"), ({}, "skip-gram")])
def test_the_model_card_tells_skip_gram_from_cbow(bucket, files, settings, method):
    training = json.loads(files["training.json"].read_text())
    files["training.json"].write_text(json.dumps(training | {"settings": training["settings"] | settings}))

    version = publish(bucket, files, facts()).version

    card = ModelStore.of(bucket).version(version).read("MODEL_CARD.md").decode()
    assert f"learnt with {method} and negative sampling" in card


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ({}, "continued one-way: input vectors against output vectors."),
        ({"neighbour_weight": 0.5}, "and up to 30 neighbours of each song vote too, with weight 0.5:"),
        (
            {"neighbour_weight": 2.0, "settings": {}},
            "and the strongest neighbours of each song vote too",
        ),
    ],
)
def test_the_model_card_tells_how_playlists_are_continued(files, told, sentence):
    training = json.loads(files["training.json"].read_text())
    record = Training.parse(json.dumps(training | {"settings": {"neighbours": 30}} | told).encode())

    assert sentence in model_card(Records(training=record))


def test_the_manifest_and_the_card_tell_to_which_version_the_model_is_aligned(bucket, files):
    parent, near = "20260130T040000Z-01234567", {"mean": 0.04, "median": 0.03, "p95": 0.1}
    alignment = {"to": parent, "shared_songs": 4812, "before": near | {"p95": 1.9}, "after": near}
    sentence = f"Aligned to {parent}: 4,812 shared songs moved by a median cosine distance of 0.03."
    training = json.loads(files["training.json"].read_text())
    words = {"alignment": {"sentence": sentence, "aligned": True, **alignment}}
    files["training.json"].write_text(json.dumps(training | words))

    folders = sorted({file.parent for file in files.values()})
    version = publish_folders(ModelStore.of(bucket), folders, load_settings(), parent=None)["version"]

    published = ModelStore.of(bucket).version(version)
    assert published.manifest.alignment == Alignment.from_json(alignment)
    assert sentence in published.read("MODEL_CARD.md").decode()


def test_a_card_of_ones_own_is_kept(bucket, files, tmp_path):
    (tmp_path / "MODEL_CARD.md").write_text("# Ours")

    made = publish(bucket, files | {"MODEL_CARD.md": tmp_path / "MODEL_CARD.md"}, facts())

    assert ModelStore.of(bucket).version(made.version).read("MODEL_CARD.md") == b"# Ours"


def test_a_card_without_records_has_no_empty_parts():
    card = model_card(Records())

    assert "## Quality" not in card
    assert "## The gate" not in card
    assert "## Limits of use" in card
    assert "None" not in card
