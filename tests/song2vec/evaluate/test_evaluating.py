import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.rig.genres import GENRE_SIZE, genre_playlists, write_heldout, write_playlists
from tests.rig.golden import must, never, write_golden

from song2vec.errors import DataError
from song2vec.evaluate import evaluate
from song2vec.metrics.ranking import METRICS
from song2vec.records import Metrics
from song2vec.settings import Settings, load_settings
from song2vec.train import train

GENRES = 8
SETTINGS: dict[str, Any] = {
    "train.vector_size": 16, "train.epochs": 20, "train.negative": 5, "train.alpha": 0.1, "train.workers": 1,
    "evaluate.top": 10,
}  # fmt: skip


@pytest.fixture(scope="module")
def settings() -> Settings:
    return load_settings(SETTINGS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Path:
    """A model of eight genres of equally popular songs, and playlists that hide songs of their genre."""
    folder = tmp_path_factory.mktemp("evaluate")
    write_playlists(folder / "playlists.parquet", genre_playlists(400, genres=GENRES))
    new = genre_playlists(40, genres=GENRES, seed=9)
    write_heldout(folder / "heldout.parquet", {f"new{i}": (songs[:5], songs[5:]) for i, songs in enumerate(new)})
    train(folder / "playlists.parquet", folder / "model", settings)
    return folder


def test_a_model_that_knows_the_genres_beats_popularity_and_finds_what_can_be_found(
    folder: Path, settings: Settings
) -> None:
    metrics = evaluate(
        folder / "model", folder / "heldout.parquet", settings, playlists=folder / "playlists.parquet", out=folder
    )
    # ten guesses, exactly the ten songs of the genre that are not shown: all three hidden ones are among them
    assert settings.evaluate.top == GENRE_SIZE - 5
    assert metrics.playlists == 40
    assert metrics.item_knn.recall == 1
    assert metrics.model.recall == 1
    assert metrics.model.hit_rate == 1
    assert (metrics.popularity.recall or 0) < 0.5
    assert json.loads((folder / "metrics.json").read_text()) == metrics.to_json()
    assert Metrics.read(folder / "metrics.json") == metrics


def test_item_knn_only_with_the_training_playlists_and_the_live_only_where_there_is_one(
    folder: Path, settings: Settings
) -> None:
    metrics = evaluate(folder / "model", folder / "heldout.parquet", settings)
    measured = {"model", "popularity"}
    assert set(metrics.to_json()) == measured | {
        "protocol", "playlists", "intervals", "differences", "hidden_unknown_share", "hidden_unknown_interval", "slices"
    }  # fmt: skip
    assert set(metrics.intervals.to_json()) == measured
    assert set(metrics.model.to_json()) == {*METRICS, "coverage", "popularity_bias"}
    assert metrics.protocol.vocabulary == GENRES * GENRE_SIZE
    assert metrics.protocol.live == "There was no live version to compare with, or it was not named."


def test_unknown_hidden_songs_are_misses_and_unknown_shown_songs_are_passed_over(
    folder: Path, settings: Settings, tmp_path: Path
) -> None:
    shown, known = [1000, 1001, 1002, 1003, 1004], [1005, 1006]
    asked = {"half": ([*shown, 999_999], [*known, 888_888, 777_777]), "all unknown": ([999_999], [1000])}
    metrics = evaluate(folder / "model", write_heldout(tmp_path / "heldout.parquet", asked), settings)
    assert metrics.model.recall == pytest.approx((2 / 4 + 0) / 2)
    assert metrics.protocol.hidden_songs_unknown == 2
    assert metrics.hidden_unknown_share == 2 / 5


def test_what_is_held_out_does_not_teach_item_knn(settings: Settings, folder: Path, tmp_path: Path) -> None:
    together = [1000, 2000]  # only the held-out playlist joins these two genres
    playlists = write_playlists(tmp_path / "playlists.parquet", [together, *genre_playlists(40)])
    heldout = write_heldout(tmp_path / "heldout.parquet", {"p0": ([1000], [2000])})
    metrics = evaluate(folder / "model", heldout, settings, playlists=playlists)
    assert metrics.item_knn.recall == 0


def test_intervals_hold_the_means_and_differences_are_those_of_the_means(folder: Path, settings: Settings) -> None:
    playlists = folder / "playlists.parquet"
    metrics = evaluate(folder / "model", folder / "heldout.parquet", settings, playlists=playlists).to_json()
    for name, spans in metrics["intervals"].items():
        for metric, (low, high) in spans.items():
            assert low <= metrics[name][metric] <= high
    for other, differences in metrics["differences"].items():
        for metric, found in differences.items():
            assert found["mean"] == pytest.approx(metrics["model"][metric] - metrics[other][metric])
            assert found["interval"][0] <= found["mean"] <= found["interval"][1]
    assert metrics["differences"]["popularity"]["ndcg"]["interval"][0] > 0


def test_slices_have_the_same_figures_as_the_whole(folder: Path, settings: Settings) -> None:
    playlists = folder / "playlists.parquet"
    metrics = evaluate(folder / "model", folder / "heldout.parquet", settings, playlists=playlists).to_json()
    found = {part["name"]: part for part in metrics["slices"]}
    assert {"short", "head", "csv"} <= set(found)
    for name in ("model", "popularity", "item_knn"):  # all playlists show 5 songs and are from one source
        assert found["csv"][name] == found["short"][name] == {metric: metrics[name][metric] for metric in METRICS}
        spans = metrics["intervals"][name]
        assert found["csv"]["intervals"][name] == {metric: spans[metric] for metric in METRICS}
    assert found["csv"]["differences"] == metrics["differences"]
    assert sum(found[name]["playlists"] for name in ("short", "long") if name in found) == metrics["playlists"]


def test_how_a_baseline_counts(folder: Path, tmp_path: Path) -> None:
    """A song counts once a playlist, and only songs that min_count playlists hold are recommended."""
    often = [1000, 1000, 1000, 1000]
    lists = [often, [1001, 1002], [1001, 1002], [1001, 1003]]
    playlists = write_playlists(tmp_path / "playlists.parquet", lists)
    heldout = write_heldout(tmp_path / "heldout.parquet", {"a": ([2000], [1001]), "b": ([2000], [1000, 1003])})
    metrics = evaluate(
        folder / "model", heldout, load_settings({**SETTINGS, "train.min_count": 2}), playlists=playlists
    )
    assert metrics.popularity.mrr == (1 + 0) / 2  # first for the one; for the other not even recommended
    assert metrics.popularity.coverage == 1


def test_golden_songs_are_asked_of_the_model_that_is_measured(folder: Path, tmp_path: Path) -> None:
    path = write_golden(tmp_path / "golden.toml", must([1000], [1001, 999], 14), never([1000], [2000], 5))
    asked = load_settings({**SETTINGS, "gate.golden_songs": str(path)})

    golden = evaluate(folder / "model", folder / "heldout.parquet", asked).golden_songs

    assert golden.min_count == asked.train.min_count
    assert golden.sha256 == sha256(path.read_bytes()).hexdigest()
    assert [[answer.met for answer in wish.answers] for wish in golden.wishes] == [[True, False], [True]]


def test_an_empty_hold_out_is_refused(folder: Path, settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no held-out playlist .* raise holdout.share"):
        evaluate(folder / "model", write_heldout(tmp_path / "heldout.parquet", {}), settings)


def test_a_hold_out_of_another_schema_is_refused(folder: Path, settings: Settings, tmp_path: Path) -> None:
    pq.write_table(pa.table({"category": ["a"], "shown": [[1]]}), tmp_path / "heldout.parquet")
    with pytest.raises(DataError, match="expected also hidden"):
        evaluate(folder / "model", tmp_path / "heldout.parquet", settings)


def test_a_folder_without_a_model_is_refused(folder: Path, settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected a folder that song2vec train wrote"):
        evaluate(tmp_path, folder / "heldout.parquet", settings)
