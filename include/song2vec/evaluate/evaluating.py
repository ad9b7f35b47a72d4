"""How well a model finds the hidden half of playlists it was not trained on, beside baselines and the live version."""

import time
from pathlib import Path
from typing import Any

import structlog

from song2vec.evaluate.baselines import Holdings
from song2vec.evaluate.protocol import fair, protocol
from song2vec.evaluate.recommend import recommend
from song2vec.metrics.beyond_accuracy import coverage, popularity_bias, unknown_share
from song2vec.metrics.compare import MODEL, compare
from song2vec.metrics.ranking import METRICS
from song2vec.metrics.slices import slices
from song2vec.metrics.stability import stability
from song2vec.model import read_model
from song2vec.playlists.corpus import Vocabulary
from song2vec.playlists.heldout_file import Heldout, read_heldout
from song2vec.playlists.playlist_file import open_playlists
from song2vec.plumbing.files import write_json
from song2vec.settings import Settings
from song2vec.versions.live_model import LiveModel

log = structlog.get_logger(__name__)


def evaluate(
    model: Path,
    heldout: Path,
    settings: Settings,
    *,
    playlists: Path | None = None,
    live: LiveModel | None = None,
    out: Path | None = None,
) -> dict[str, Any]:
    """Measure the model on held-out playlists, beside popularity and, if they are given, item-kNN and the live version.

    Everyone is asked to continue the same playlists over the songs it knows, and all answers are compared as song
    numbers. A model recommends as the client does (`song2vec_client.scoring`).

    Args:
        model: folder that ``train`` wrote.
        heldout: shown and hidden songs of each playlist (tables.HELDOUT).
        settings: sections `evaluate`, `train` (songs that baselines know), `gate` (fewest playlists).
        playlists: the training playlists, for the baselines; held-out ones among them are left out.
        live: the model in production. Playlists that it may have been trained on are left out.
        out: folder that gets ``metrics.json``.

    Returns:
        What ``metrics.json`` holds; docs/evaluation.md says what it means.

    Raises:
        DataError: a file is missing, unreadable or of another schema.
    """
    started, draws = time.monotonic(), settings.evaluate.bootstrap
    trained = read_model(model)
    asked, rival, said = fair(read_heldout(heldout), live, settings.gate.min_playlists)
    holdings = Holdings.of(open_playlists(playlists, without=heldout)) if playlists else None
    popularity = holdings.songs if holdings else trained.vocabulary
    learnt = holdings.seen(settings.train.min_count) if holdings else None
    popular = learnt.songs if learnt else popularity
    models = {MODEL: trained} | ({"live": rival.model} if rival else {})
    recommended = recommend(models, popular, learnt, asked.shown, settings.evaluate.top)
    known = dict.fromkeys(recommended, popular) | {name: one.vocabulary for name, one in models.items()}

    metrics: dict[str, Any] = {}
    metrics["protocol"] = protocol(asked, trained.vocabulary, settings, said, with_playlists=bool(playlists))
    metrics |= compare(recommended, asked.hidden, draws)
    for name, songs in recommended.items():
        for metric, (figure, span) in {
            "coverage": coverage(songs, len(known[name].songs), draws),
            "popularity_bias": popularity_bias(songs, asked.hidden, popularity, draws),
        }.items():
            metrics[name][metric], metrics["intervals"][name][metric] = figure, span
    unknown = unknown_share(asked.hidden, trained.vocabulary, draws)
    metrics["hidden_unknown_share"], metrics["hidden_unknown_interval"] = unknown
    metrics["slices"] = _slices(recommended, asked, popularity, draws)
    if rival:
        metrics["live_version"] = rival.name
    if live:
        moved = stability(live.model.served(), trained.served(), settings.evaluate.stability_sample)
        metrics["stability"] = {"version": live.name, **moved}
    if out is not None:
        write_json(out / "metrics.json", metrics)
    _log(metrics, list(recommended))
    log.info("evaluated", playlists=len(asked), top=settings.evaluate.top, seconds=round(time.monotonic() - started, 2))
    return metrics


def _slices(recommended: dict[str, Any], asked: Heldout, popularity: Vocabulary, draws: int) -> list[dict[str, Any]]:
    return [
        {"by": part.by, "name": part.name, "sentence": part.sentence}
        | compare({name: songs[part.playlists] for name, songs in recommended.items()}, part.hidden, draws)
        for part in slices(asked, popularity)
    ]


def _log(metrics: dict[str, Any], names: list[str]) -> None:
    """A line for each recommender, one for the live version beside the model, one for what moved."""
    for name in names:
        log.info("measured", what=name, **{metric: round(metrics[name][metric], 4) for metric in METRICS})
    log.info(metrics["protocol"]["live"])
    if "live" in metrics:
        difference = metrics["differences"]["live"]["ndcg"]
        low, high = difference["interval"]
        log.info("beside the live version", ndcg=f"{difference['mean']:+.4f}", interval=f"{low:+.4f} to {high:+.4f}")
    if "stability" in metrics:
        log.info("what moved", **metrics["stability"])
