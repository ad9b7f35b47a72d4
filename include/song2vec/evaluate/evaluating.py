"""How well a model finds the hidden half of playlists it was not trained on, beside baselines and the live version."""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import structlog

from song2vec.evaluate.baselines import Holdings
from song2vec.evaluate.golden import ask_golden_songs
from song2vec.evaluate.protocol import fair, protocol
from song2vec.evaluate.recommend import recommend
from song2vec.metrics.beyond_accuracy import coverage, popularity_bias, unknown_share
from song2vec.metrics.compare import MODEL, compare
from song2vec.metrics.ranking import METRICS
from song2vec.metrics.slices import slices
from song2vec.metrics.stability import stability
from song2vec.metrics.text import than_live
from song2vec.model import Model, read_model
from song2vec.playlists.corpus import Ints, Vocabulary
from song2vec.playlists.heldout_file import Heldout, read_heldout
from song2vec.playlists.playlist_file import open_playlists
from song2vec.records import GoldenSongs, Metrics, Slice, Stability, Training
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
) -> Metrics:
    """Measure the model on held-out playlists, beside popularity and, if they are given, item-kNN and the live version.

    All continue the same playlists, each over the songs it knows, and are compared by song numbers. A model recommends
    as the client does (`song2vec_client.scoring`).

    Args:
        model: folder that ``train`` wrote.
        heldout: shown and hidden songs of each playlist (tables.HELDOUT).
        settings: sections `evaluate`, `train` (songs that baselines know), `gate` (fewest playlists, golden songs).
        playlists: the training playlists, for the baselines; held-out ones among them are left out.
        live: the live version. Playlists that it may have been trained on are left out.
        out: folder that gets ``metrics.json``.

    Returns:
        The figures; docs/evaluation.md says what they mean.

    Raises:
        DataError: a file is missing, unreadable or of another schema.
        SettingsError: the file of golden songs is not as it should be.
    """
    started, draws = time.monotonic(), settings.evaluate.bootstrap
    trained = read_model(model)
    held_out, rival, sentence = fair(read_heldout(heldout), live, settings.gate.min_playlists)
    holdings = Holdings.of(open_playlists(playlists, without=heldout)) if playlists else None
    popularity = holdings.songs if holdings else trained.vocabulary
    learnt = holdings.seen(settings.train.min_count) if holdings else None
    popular = learnt.songs if learnt else popularity
    models = {MODEL: trained} | ({"live": rival.model} if rival else {})
    recommended = recommend(models, popular, learnt, held_out.shown, settings.evaluate.top)
    known = dict.fromkeys(recommended, popular) | {name: one.vocabulary for name, one in models.items()}
    beyond = {
        name: {
            "coverage": coverage(songs, len(known[name].songs), draws),
            "popularity_bias": popularity_bias(songs, held_out.hidden, popularity, draws),
        }
        for name, songs in recommended.items()
    }
    unknown, interval = unknown_share(held_out.hidden, trained.vocabulary, draws)
    metrics = Metrics(
        protocol=protocol(held_out, trained.vocabulary, settings, sentence, with_playlists=bool(playlists)),
        **compare(recommended, held_out.hidden, draws, beyond).given(),
        hidden_unknown_share=unknown,
        hidden_unknown_interval=interval,
        slices=tuple(_slices(recommended, held_out, popularity, draws)),
    ).model_copy(update={**_beside_live(live, rival, trained, settings), **_golden_songs(model, trained, settings)})
    if out is not None:
        metrics.write(out / Metrics.FILE)
    _log(metrics, list(recommended))
    seconds = round(time.monotonic() - started, 2)
    log.info("evaluated", playlists=len(held_out), top=settings.evaluate.top, seconds=seconds)
    return metrics


def _slices(recommended: Mapping[str, Ints], heldout: Heldout, popularity: Vocabulary, draws: int) -> Iterator[Slice]:
    for part in slices(heldout, popularity):
        of_part = {name: songs[part.playlists] for name, songs in recommended.items()}
        compared = compare(of_part, part.hidden, draws)
        yield Slice(by=part.by, name=part.name, sentence=part.sentence, **compared.given())


def _beside_live(
    live: LiveModel | None, rival: LiveModel | None, trained: Model, settings: Settings
) -> Mapping[str, str | Stability]:
    """What stands in the metrics only where there is a live version, and only where it is compared."""
    compared = {"live_version": rival.name} if rival else {}
    if live is None:
        return compared
    moved = stability(live.model.served(), trained.served(), settings.evaluate.stability_sample)
    return {**compared, "stability": moved.model_copy(update={"version": live.name})}


def _golden_songs(folder: Path, trained: Model, settings: Settings) -> Mapping[str, GoldenSongs]:
    """What stands in the metrics only where people keep golden songs."""
    if not settings.gate.golden_songs:
        return {}
    training = folder / Training.FILE
    how = Training.read(training) if training.is_file() else None
    return {"golden_songs": ask_golden_songs(Path(settings.gate.golden_songs), trained.served(), how)}


def _log(metrics: Metrics, names: list[str]) -> None:
    """A line for each recommender, one for the live version beside the model, one for what moved."""
    for name in names:
        figures = getattr(metrics, name)
        log.info("measured", what=name, **{metric: round(getattr(figures, metric), 4) for metric in METRICS})
    log.info(metrics.protocol.live)
    if (difference := than_live(metrics)) is not None:
        low, high = difference.interval
        log.info("beside the live version", ndcg=f"{difference.mean:+.4f}", interval=f"{low:+.4f} to {high:+.4f}")
    if metrics.stability:
        log.info("what moved", **metrics.stability.to_json())
