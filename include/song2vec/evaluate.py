"""How well a model finds the hidden half of playlists it was not trained on, beside two baselines."""

import time
from pathlib import Path
from typing import Any

import structlog

from song2vec.baselines import neighbour_songs, popular_songs
from song2vec.config import Settings
from song2vec.corpus import Ints, Ragged
from song2vec.files import write_json
from song2vec.metrics import HIT_RATE_AT, mean_metrics
from song2vec.model_files import Model, read_model
from song2vec.playlist_file import open_playlists, read_heldout
from song2vec_client.scoring import continue_rows

log = structlog.get_logger(__name__)


def evaluate(
    model: Path, heldout: Path, settings: Settings, playlists: Path | None = None, out: Path | None = None
) -> dict[str, Any]:
    """Measure the model, popularity and, with `playlists`, item-kNN on held-out playlists.

    Songs are ranked over the model's vocabulary, the shown ones left out. Hidden songs that the model does
    not know are misses. Recommendations are those of the client (`song2vec_client.scoring`).

    Args:
        model: folder that ``train`` wrote.
        heldout: shown and hidden songs of each playlist (tables.HELDOUT).
        settings: section `evaluate` is used.
        playlists: the training playlists, for item-kNN; held-out ones among them are left out.
        out: folder that gets ``metrics.json``.

    Returns:
        ``{"protocol", "playlists", "model", "popularity", "item_knn"}``; the last three hold
        ``ndcg, hit_rate, r_precision, recall`` (`song2vec.metrics`), the last only with `playlists`.

    Raises:
        DataError: a file is missing, unreadable or of another schema.
    """
    started = time.monotonic()
    top = settings.evaluate.top
    trained = read_model(model)
    shown, hidden = read_heldout(heldout)
    asked, wanted = trained.vocabulary.known(shown), hidden.replaced(trained.vocabulary.rows_of(hidden.flat))
    recommended = {
        "model": _continue(trained, asked, top),
        "popularity": popular_songs(trained.vocabulary.counts, asked, top),
    }
    if playlists is not None:
        corpus = open_playlists(playlists, without=heldout).rows(trained.vocabulary)
        recommended["item_knn"] = neighbour_songs(corpus, len(trained.vocabulary.songs), asked, top)
    measured = {name: mean_metrics(rows, wanted) for name, rows in recommended.items()}
    metrics = {"protocol": _protocol(trained, shown, wanted, top), "playlists": len(shown), **measured}
    if out is not None:
        write_json(out / "metrics.json", metrics)
    seconds = round(time.monotonic() - started, 2)
    for name, figures in measured.items():
        log.info("measured", what=name, **{metric: round(value, 4) for metric, value in figures.items()})
    log.info("evaluated", playlists=len(shown), songs=len(trained.vocabulary.songs), top=top, seconds=seconds)
    return metrics


def _continue(model: Model, shown: Ragged, top: int) -> Ints:
    rows, _ = continue_rows(model.vectors, model.context, shown.lists(), top)
    return rows


def _protocol(model: Model, shown: Ragged, wanted: Ragged, top: int) -> dict[str, Any]:
    return {
        "task": "From the shown songs of each held-out playlist, guess its hidden songs.",
        "ranked": "All songs of the model's vocabulary but the shown ones.",
        "unknown_songs": "A hidden song that is not in the vocabulary counts as a miss.",
        "ndcg": f"nDCG@{top}; the ideal has min({top}, hidden) hits.",
        "hit_rate": f"HR@{HIT_RATE_AT}: share of the playlists with a hit among the first {HIT_RATE_AT}.",
        "r_precision": f"Share of the hidden songs among as many recommendations, at most {top}.",
        "recall": f"recall@{top}: share of the hidden songs among the first {top}.",
        "top": top,
        "vocabulary": len(model.vocabulary.songs),
        "shown_songs": len(shown.flat),
        "hidden_songs": len(wanted.flat),
        "hidden_songs_unknown": int((wanted.flat < 0).sum()),
    }
