"""What a channel named when a run looked: kept as JSON, and believed only in its form."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rig.models import publish_model

from song2vec.channels import promote
from song2vec.versions import LiveVersion, live_version, time_of_run
from song2vec_client import ModelStore
from song2vec_client.errors import CorruptModelError, NotFoundError

VERSION, DIGEST = "20260131T040000Z-0123abcd", "0" * 64
TIMES = st.datetimes(datetime(2000, 1, 1), timezones=st.just(UTC))


@given(st.sampled_from([(None, None, 0), (VERSION, DIGEST, 1), (VERSION, DIGEST, 99)]), TIMES)
def test_what_is_kept_is_what_was_seen(channel, looked):
    version, digest, sequence = channel
    live = LiveVersion("production", version, digest, sequence, looked)

    assert LiveVersion.from_json(json.loads(json.dumps(live.to_json()))) == live


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("channel", "../x"),
        ("version", "../x"),
        ("sequence", -1),
        ("sequence", True),
        ("looked_at", "yesterday"),
        ("looked_at", "2026-01-31T04:00:00"),
        ("looked_at", None),
    ],
)
def test_what_has_another_form_is_not_believed(field, value):
    record = LiveVersion("production", VERSION, DIGEST, 1, datetime.now(UTC)).to_json() | {field: value}

    with pytest.raises(CorruptModelError, match=field):
        LiveVersion.from_json(record)


def test_a_channel_is_seen_before_and_after_its_first_move(bucket, tmp_path):
    store = ModelStore.of(bucket)
    before = live_version(store, "production")
    version = publish_model(bucket, tmp_path / "model").version
    pointer = promote(bucket, "production", version, who="jisoo", why="first")
    after = live_version(store, "production")

    assert (before.version, before.manifest_sha256, before.sequence) == (None, None, 0)
    assert (after.version, after.manifest_sha256, after.sequence) == (version, pointer.manifest_sha256, 1)
    assert before.looked_at < after.looked_at
    assert (
        time_of_run(store, after) == store.version(version).manifest.created
    )  # nobody looked: it was published by hand
    with pytest.raises(NotFoundError, match="production names no version"):
        time_of_run(store, before)
