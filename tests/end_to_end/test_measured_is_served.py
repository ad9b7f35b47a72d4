"""What the evaluation measures of a model that was just trained is what services get, once it was published."""

from pathlib import Path

import numpy as np
import pytest
from tests.rig.genres import GENRE_SIZE, genre_playlists, write_playlists

from song2vec.evaluate.recommend import continued
from song2vec.model import read_model
from song2vec.playlists.corpus import Ragged
from song2vec.publish import publish_folders
from song2vec.settings import load_settings
from song2vec.train import train
from song2vec_client import Bucket, ModelStore

K = 2 * GENRE_SIZE


@pytest.mark.parametrize(
    ("trainer", "scoring", "playlists"),
    [("song2vec", "two-way", 200), ("song2vec", "two-way", 3_000), ("gensim", "one-way", 200)],
    ids=["usual weight of neighbours", "weight chosen on playlists set aside", "gensim"],
)
def test_what_is_pulled_scores_as_what_was_measured_to_the_bit(
    bucket: Bucket, tmp_path: Path, trainer: str, scoring: str, playlists: int
) -> None:
    settings = load_settings(
        {"train.trainer": trainer, "train.vector_size": 20, "train.epochs": 2, "train.min_count": 1, "train.workers": 1}
    )
    train(write_playlists(tmp_path / "playlists.parquet", genre_playlists(playlists)), tmp_path / "model", settings)
    store = ModelStore.of(bucket, cache=tmp_path / "cache")
    version = publish_folders(store, [tmp_path / "model"], settings, parent=None)["version"]
    asked = [*genre_playlists(40, seed=2), [1001, 1001, 2002], [1003]]

    measured, pulled = read_model(tmp_path / "model"), store.load(version)

    assert (measured.scoring, pulled.scoring, store.version(version).manifest.scoring) == (scoring,) * 3
    for ours, theirs in zip(
        measured.served().continue_playlists(asked, K), pulled.continue_playlists(asked, K), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)
    shown = Ragged(np.concatenate(asked), np.cumsum([0, *map(len, asked)]))
    np.testing.assert_array_equal(continued(measured, shown, 10), pulled.continue_playlists(asked, 10)[0])
