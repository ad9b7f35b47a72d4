"""What is kept between requests, and for how long."""

import pytest
from tests.song2vec_ui import seed

from song2vec_client.store import ModelStore
from song2vec_ui.reading import KEEP_SECONDS, MODELS_KEPT, Reader, Readers


def test_the_store_is_opened_anew_after_a_while(store, tmp_path):
    times = iter([0.0, KEEP_SECONDS, KEEP_SECONDS + 1])
    readers = Readers(lambda: ModelStore(store, cache=tmp_path), clock=lambda: next(times))

    first, same, later = readers.current(), readers.current(), readers.current()

    assert first is same
    assert later is not first


def test_a_store_that_could_not_be_opened_is_asked_again(store, tmp_path):
    addresses = iter(["s3://wrong", store])
    readers = Readers(lambda: ModelStore(next(addresses), cache=tmp_path))

    with pytest.raises(ValueError, match="s3://wrong"):
        readers.current()
    assert readers.current().models(1) is None


def test_a_model_is_loaded_once_and_few_are_kept(store, bucket, tmp_path):
    versions = [seed.publish(bucket, day) for day in range(MODELS_KEPT + 1)]
    reader = Reader(ModelStore(store, cache=tmp_path))

    models = [reader.model(version) for version in versions]

    assert [model.version for model in models] == versions
    assert reader.model(versions[-1]) is models[-1]
    assert reader.model(versions[0]) is not models[0]


def test_a_version_that_is_published_later_is_seen_at_once(store, bucket, tmp_path):
    reader = Reader(ModelStore(store, cache=tmp_path))
    before = reader.models(1)
    version = seed.publish(bucket)
    seed.promote(bucket, 1, version)
    after = reader.models(1)

    assert before is None
    assert [(row.version, [live.channel for live in row.live]) for row in after.versions] == [(version, ["production"])]
    assert [move.version for move in after.history.moves] == [version]
