"""What differs between two published versions."""

import json
from datetime import timedelta

import numpy as np
import pytest
from tests.rig.gcs import blob
from tests.rig.models import FINISHED, SONGS, facts, write_model

from song2vec.channels import promote
from song2vec.playlists.changes import DataIndex
from song2vec.publish import publish, published_files
from song2vec.versions.diff import diff, diff_page, differing_settings
from song2vec_client.errors import CorruptModelError, NotFoundError

SAMPLE = 1000
FUNNEL = {"rules": [], "raw_rows": 30_000, "rows": 20_000, "playlists": 2_000, "songs": 6}


def index(playlists, songs):
    numbers = np.array(sorted(playlists), np.uint64)
    return DataIndex(numbers, np.array([playlists[int(n)] for n in numbers], np.uint64), np.array(songs))


@pytest.fixture
def version(bucket, tmp_path):
    """Publish the n-th version."""

    def make(number, *, data=None, songs=SONGS, records=None, **changes):
        finished = FINISHED + timedelta(days=number)
        folder = write_model(tmp_path / f"model-{number}", finished=finished, songs=songs, **(records or {}))
        if data:
            data.write(folder / "data_index.npz")
        return publish(bucket, published_files(folder), facts(created=finished, **changes)).version

    return make


def test_two_versions_side_by_side(bucket, version):
    old = version(
        1,
        data=index({1: 10, 2: 20, 3: 30}, [3, 7]),
        records={"metrics": {"model": {"ndcg": 0.2, "mrr": 0.1}}, "funnel": FUNNEL},
        settings={"train": {"epochs": 5, "window": 10}, "gone": {"x": 1}},
    )
    new = version(
        2,
        songs=np.array([500, 3, 42, 7, 99]),
        data=index({1: 10, 2: 21, 4: 40, 5: 50}, [3, 7, 9]),
        records={"metrics": {"model": {"ndcg": 0.25}}, "funnel": FUNNEL | {"playlists": 2_100}},
        settings={"train": {"epochs": 7, "window": 10, "seed": 1}},
        accepted=False,
        status="rejected",
        data_fingerprint="beef",
    )
    promote(bucket, "production", old, who="minji", why="the first")

    found = diff(bucket, "production", new, SAMPLE).to_json()

    assert found == {
        "old": {"version": old, "status": "accepted", "published": "2026-02-01T04:00:00Z"},
        "new": {"version": new, "status": "rejected", "published": "2026-02-02T04:00:00Z"},
        "settings": [
            {"setting": "gone.x", "old": 1, "new": None},
            {"setting": "train.epochs", "old": 5, "new": 7},
            {"setting": "train.seed", "old": None, "new": 1},
        ],
        "data": {
            "same": False,
            "counts": [
                {"of": "rows", "old": 20_000, "new": 20_000},
                {"of": "playlists", "old": 2_000, "new": 2_100},
                {"of": "songs", "old": 6, "new": 6},
            ],
            "changes": {
                "playlists": {"new": 2, "gone": 1, "changed": 1, "same": 1},
                "songs": {"new": 1, "gone": 0, "same": 2},
            },
        },
        "metrics": {
            "measured": "each on the playlists that its own run held out: the figures compare roughly",
            "figures": [
                {"metric": "nDCG@100", "old": 0.2, "new": 0.25},
                {"metric": "MRR@100", "old": 0.1, "new": None},
            ],
        },
        "neighbours": found["neighbours"],
    }
    kept = found["neighbours"].pop("neighbours_kept")
    assert found["neighbours"] == {"at": 10, "sampled": 4, "songs_kept": 4, "songs_new": 1, "songs_gone": 2}
    assert 0 < kept < 1
    assert json.loads(json.dumps(found)) == found


def test_the_page_for_people(bucket, version):
    old = version(
        1,
        data=index({1: 10}, [3]),
        records={"funnel": FUNNEL},
        settings={"train": {"epochs": 5, "min_alpha": 0.0001, "align": True}},
    )
    live = {"live": {"ndcg": 0.2}, "live_version": old}
    new = version(
        2,
        data=index({1: 11}, [3]),
        records={"metrics": {"model": {"ndcg": 0.25}, **live}},
        settings={"train": {"epochs": 1_000, "min_alpha": 0.01, "align": False}},
        data_fingerprint="beef",
    )

    page = diff_page(diff(bucket, old, new, SAMPLE))

    lines = [" ".join(line.split()) for line in page.splitlines()]
    for line in (
        f"old {old} accepted 2026-02-01T04:00:00Z",
        f"setting {old} {new}",
        "train.align True False",
        "train.epochs 5 1,000",
        "train.min_alpha 0.0001 0.01",
        f"of {old} {new}",
        f"metric {old} {new}",
        "playlists 2,000 –",
        "From old to new: playlists: 0 new, 0 gone, 1 changed, 0 same; songs: 0 new, 0 gone, 1 same.",
        "nDCG@100 0.200 0.250",
        "(on the same held-out playlists)",
        "100.0% of the 10 songs nearest to a song are the same, by 6 songs that both know; "
        "6 songs in both, 0 new, 0 gone.",
    ):
        assert line in lines


def test_a_version_differs_from_itself_in_nothing(bucket, version):
    one = version(1)

    page = diff_page(diff(bucket, one, one, SAMPLE))

    assert "no setting differs" in page
    assert "neither version kept figures of its data" in page
    assert "neither version was measured" in page
    assert "100.0%" in page
    assert "6 songs in both, 0 new, 0 gone" in page


def test_versions_that_share_no_song(bucket, version):
    old, new = version(1), version(2, songs=np.arange(1000, 1004))

    assert "0 songs in both, 4 new, 6 gone: there are no neighbours to compare." in diff_page(
        diff(bucket, old, new, SAMPLE)
    )


def test_the_same_data_is_said_so(bucket, version):
    funnel = {"funnel": FUNNEL}
    old, new = (version(n, records=funnel, data_fingerprint="5eed") for n in (1, 2))

    assert "The same playlists." in diff_page(diff(bucket, old, new, SAMPLE))


def test_what_is_not_there_or_damaged_is_not_compared(bucket, store, version):
    old, new = version(1), version(2)

    with pytest.raises(NotFoundError, match="no channel candidate"):
        diff(bucket, "candidate", new, SAMPLE)
    blob(store, f"versions/{new}/vectors.npy").upload_from_string(b"something else")
    with pytest.raises(CorruptModelError):
        diff(bucket, old, new, SAMPLE)


def test_settings_of_an_unknown_form_are_passed_over():
    assert differing_settings({"a": 1, "b": {"c": 1}}, {"a": 2, "b": {"c": 1}}) == ()
