"""The live version beside a new model: on the same playlists, and only on those that it never saw."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.rig import models
from tests.rig.genres import genre_playlists, write_heldout, write_playlists

from song2vec.channels import promote
from song2vec.evaluate import evaluate
from song2vec.model import Model
from song2vec.playlists.corpus import Vocabulary
from song2vec.playlists.heldout_file import read_heldout
from song2vec.playlists.holdout_rule import HoldoutRule, read_rule
from song2vec.prepare.holdout import hold_out
from song2vec.settings import HoldoutSettings, Settings, load_settings
from song2vec.train import train
from song2vec.versions import LiveModel, live_model, live_version, model_in
from song2vec_client import ModelStore

SETTINGS: dict[str, Any] = {"train.vector_size": 16, "train.epochs": 10, "train.workers": 1, "evaluate.top": 10}
PLAYLISTS = 400


@pytest.fixture(scope="module")
def settings() -> Settings:
    return load_settings(SETTINGS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Path:
    """Playlists, the held-out ones among them, and a model that was trained on the others."""
    folder = tmp_path_factory.mktemp("live")
    write_playlists(folder / "playlists.parquet", genre_playlists(PLAYLISTS, genres=8))
    choose(folder, folder / "heldout.parquet", share=0.2)
    train(folder / "playlists.parquet", folder / "model", settings, heldout=folder / "heldout.parquet")
    return folder


def choose(folder: Path, out: Path, **holdout: Any) -> Path:
    import duckdb

    with duckdb.connect() as database:
        hold_out(database, folder / "playlists.parquet", out, HoldoutSettings(**holdout))
    return out


def test_a_model_beside_itself_differs_in_nothing(folder: Path, settings: Settings) -> None:
    live = model_in(folder / "model")
    metrics = evaluate(folder / "model", folder / "heldout.parquet", settings, live=live)
    assert metrics.live == metrics.model
    assert metrics.live_version == str(folder / "model")
    assert all(found == {"mean": 0, "interval": [0, 0]} for found in metrics.differences.live.to_json().values())
    assert metrics.playlists == PLAYLISTS * 0.2
    assert metrics.protocol.live.endswith("was not trained on any of these playlists either.")
    assert (metrics.stability.neighbours_kept, metrics.stability.songs_new) == (1, 0)


def test_the_live_is_compared_by_song_number_and_misses_songs_it_does_not_know(
    folder: Path, settings: Settings
) -> None:
    """Its rows are turned around and half of its songs are gone: what is left it finds as before."""
    whole = model_in(folder / "model").model
    rows = np.flatnonzero(whole.vocabulary.songs < 5000)[::-1]
    songs = Vocabulary(whole.vocabulary.songs[rows], whole.vocabulary.counts[rows])
    half = LiveModel("half", Model(songs, whole.vectors[rows], whole.context[rows]), None)
    metrics = evaluate(folder / "model", folder / "heldout.parquet", settings, live=half)
    assert metrics.model.recall is not None
    assert metrics.model.recall > 0.9
    assert metrics.live.recall == pytest.approx(metrics.model.recall / 2, abs=0.15)  # 4 of 8 genres
    assert metrics.differences.live.recall.interval[0] > 0
    assert metrics.stability.songs_new == len(whole.vocabulary.songs) - len(rows)
    assert "not known to have been trained without" in metrics.protocol.live


def test_playlists_that_the_live_may_have_been_trained_on_are_left_out_for_all(
    folder: Path, settings: Settings, tmp_path: Path
) -> None:
    live = model_in(folder / "model")
    more = choose(folder, tmp_path / "more.parquet", share=0.5)
    train(folder / "playlists.parquet", tmp_path / "model", settings, heldout=more)
    metrics = evaluate(tmp_path / "model", more, settings, live=live)
    assert metrics.playlists == PLAYLISTS * 0.2
    assert metrics.protocol.live.endswith("may have been trained on 120 of 200 held-out playlists; they were left out.")
    alone = evaluate(tmp_path / "model", folder / "heldout.parquet", settings)
    assert metrics.model == alone.model


def test_with_too_few_playlists_left_there_is_no_comparison(folder: Path, settings: Settings, tmp_path: Path) -> None:
    other = choose(folder, tmp_path / "other.parquet", share=0.2, seed=7)  # about a fifth of a fifth
    metrics = evaluate(folder / "model", other, settings, live=model_in(folder / "model"))
    assert settings.gate.min_playlists == 20
    assert metrics.playlists == PLAYLISTS * 0.2
    assert metrics.live is None
    assert "live" not in metrics.to_json()
    assert "too few are left to compare on" in metrics.protocol.live
    assert metrics.stability.neighbours_kept == 1


def test_a_playlist_of_a_later_day_is_known_to_be_new_to_the_live_by_its_digest(folder: Path) -> None:
    rule = read_rule(folder / "heldout.parquet")
    assert rule is not None
    chosen = read_heldout(folder / "heldout.parquet")
    assert chosen.sources is not None
    assert chosen.categories is not None
    held_out = set(zip(chosen.sources.tolist(), chosen.categories.tolist(), strict=True))
    everything = {("csv", f"p{number}") for number in range(PLAYLISTS)}
    assert {name for name in everything if rule.holds_out(*name)} == held_out
    later = sum(rule.holds_out("csv", f"later{number}") for number in range(2_000))
    assert later == pytest.approx(400, abs=80)


@pytest.mark.parametrize("record", [None, {}, {"seed": "1", "up_to": "ff"}, {"seed": 1}, "text"])
def test_a_record_without_a_rule(record: Any) -> None:
    assert HoldoutRule.from_json(record) is None


def test_a_file_without_a_rule(tmp_path: Path) -> None:
    assert read_rule(write_heldout(tmp_path / "heldout.parquet", {"a": ([1], [2])})) is None


def test_the_live_model_comes_with_the_rule_it_was_trained_by(bucket, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("SONG2VEC_CACHE", str(tmp_path / "cache"))
    store = ModelStore.of(bucket)
    assert live_model(store, live_version(store, "production")) is None
    training = {"finished": "2026-01-31T04:00:00Z", "held_out": {"seed": 3, "up_to": "4f"}}
    folder = models.write_model(tmp_path / "model", training=training)
    published = models.publish(bucket, models.published_files(folder), models.facts())
    promote(bucket, "production", published.version, who="jisoo", why="first")
    live = live_model(store, live_version(store, "production"))
    assert live.name == published.version
    assert live.rule == HoldoutRule(3, "4f")
    assert live.model.vocabulary.songs.tolist() == models.SONGS.tolist()
