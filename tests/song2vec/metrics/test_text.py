import json
from typing import Any

import pytest

from song2vec.metrics.text import metrics_page, metrics_table, sentences
from song2vec.publish.model_card import model_card
from song2vec.records import Metrics, Records

MODEL = {"ndcg": 0.3, "hit_rate": 0.5, "recall": 0.4, "mrr": 0.25, "coverage": 0.125, "popularity_bias": -0.5}
BETTER = {"ndcg": {"mean": 0.02, "interval": [-0.001, 0.041]}}
METRICS: dict[str, Any] = {
    "protocol": {"top": 50, "live": "v1 was not trained on any of these playlists either."},
    "playlists": 1_200,
    "model": MODEL,
    "live": MODEL | {"ndcg": 0.28},
    "live_version": "v1",
    "popularity": {"ndcg": 0.02},
    "intervals": {"model": {"ndcg": [0.281, 0.319]}},
    "differences": {"live": BETTER},
    "hidden_unknown_share": 0.034,
    "slices": [
        {"by": "source", "name": "csv", "sentence": "playlists from csv", "playlists": 1_100, "model": {"ndcg": 0.31},
         "live": {"ndcg": 0.3}, "popularity": {"ndcg": 0.01}, "differences": {"live": BETTER}},
    ],
    "stability": {"version": "v1", "at": 10, "sampled": 1_000, "neighbours_kept": 0.614, "songs_kept": 9,
                  "songs_new": 5, "songs_gone": 1_003},
}  # fmt: skip


def metrics(**changes: Any) -> Metrics:
    return Metrics.parse(json.dumps(METRICS | changes).encode())


def lines(text: str) -> dict[str, list[str]]:
    """By its first words, the words of each line."""
    return {line.split("  ")[0]: line.split() for line in text.splitlines()}


def test_everything_is_said() -> None:
    found = lines(metrics_page(metrics()))
    assert found["this model"][2:] == ["0.300", "0.500", "0.400", "0.250", "0.125", "-0.500"]
    assert found["95 % interval"][3:] == ["0.281", "to", "0.319"]
    assert found["live version"][2] == "0.280"
    assert found["than live version"][3:6] == ["+0.020", "(-0.001", "to"]
    assert found["playlists from csv"][3:7] == ["1,100", "0.310", "0.300", "0.010"]
    assert "nDCG@50 of each part:" in found
    assert "3.4% of the hidden songs are unknown to the model: it cannot find them." in found
    moved = (
        "5 songs are new and 1,003 gone since v1; the others keep 61% of their 10 nearest neighbours (of 1,000 songs)."
    )
    assert moved in found
    assert METRICS["protocol"]["live"] in found


def test_a_metric_and_a_rival_that_were_not_measured_are_not_shown() -> None:
    table = metrics_table(Metrics.parse(b'{"model": {"ndcg": 0.3}, "popularity": {"ndcg": 0.1}}'))
    assert "HR@10" not in table
    assert "item-kNN" not in table
    assert "interval" not in table


@pytest.mark.parametrize(
    ("theirs", "difference", "words"),
    [
        (0.282, (0.018, 0.011, 0.024), "0.300, ahead by 0.018, interval 0.011 to 0.024."),
        (0.35, (-0.05, -0.061, -0.04), "0.300, behind by 0.050, interval 0.040 to 0.061."),
        (0.298, (0.002, -0.001, 0.004), "0.300, ahead by 0.002, interval -0.001 to 0.004, which may be chance."),
        (0.302, (-0.002, -0.004, 0.001), "0.300, behind by 0.002, interval -0.001 to 0.004, which may be chance."),
    ],
)
def test_who_is_ahead_of_item_knn(theirs: float, difference: tuple[float, float, float], words: str) -> None:
    mean, *interval = difference
    measured = metrics(
        item_knn={"ndcg": theirs}, differences={"item_knn": {"ndcg": {"mean": mean, "interval": interval}}}
    )
    start = "Songs that share playlists with the shown ones (item-kNN) reach nDCG@50"
    assert f"{start} {theirs:.3f}; the model {words}" in sentences(measured)


def test_markdown() -> None:
    assert "| this model    |" in metrics_page(metrics(), "github")


def test_two_models_without_a_common_song() -> None:
    stability = METRICS["stability"] | {"neighbours_kept": None}
    assert "gone since v1; no song is in both." in metrics_page(metrics(stability=stability))


def test_the_model_card_shows_it_and_how_it_was_measured() -> None:
    card = model_card(Records(metrics=metrics()))
    assert "On 1,200 playlists that were not trained on" in card
    assert "| 95 % interval | 0.281 to 0.319 |" in " ".join(card.split())
    assert "| playlists from csv |" in card
    assert "- live: v1 was not trained on any of these playlists either." in card
