"""How a model is measured, in words: what stands as ``protocol`` in ``metrics.json``."""

from song2vec.metrics.ranking import HIT_RATE_AT
from song2vec.playlists.corpus import Vocabulary
from song2vec.playlists.heldout_file import Heldout
from song2vec.records import Protocol
from song2vec.settings import Settings
from song2vec.versions.live_model import LiveModel


def protocol(
    heldout: Heldout, vocabulary: Vocabulary, settings: Settings, live: str, *, with_playlists: bool
) -> Protocol:
    """The rules of the measurement, and the numbers that they rest on.

    Args:
        heldout: the playlists that are measured on.
        vocabulary: the model's songs.
        settings: sections `evaluate` and `train`.
        live: what `fair` says of the comparison with it.
        with_playlists: whether the training playlists were there to count songs in.
    """
    top, times = settings.evaluate.top, settings.train.min_count
    baselines = (
        f"They know the songs that {times} or more training playlists hold; a song counts once a playlist. item-kNN "
        "recommends the songs that share most playlists with the shown ones; long playlists, and songs that many "
        "playlists hold, count for less, by exponents that are the same for all data."
        if with_playlists
        else "Songs are as popular as the model was trained on them often; item-kNN needs the training playlists."
    )
    return Protocol(
        task="From the shown songs of each held-out playlist, guess its hidden songs.",
        ranked="Everyone ranks all songs it knows but the shown ones.",
        unknown_songs="A hidden song that a recommender does not know is a miss of its.",
        ndcg=f"nDCG@{top}; the ideal has min({top}, hidden) hits.",
        hit_rate=f"HR@{HIT_RATE_AT}: share of the playlists with a hit among the first {HIT_RATE_AT}.",
        r_precision=f"Share of the hidden songs among as many recommendations, at most {top}.",
        recall=f"recall@{top}: share of the hidden songs among the first {top}.",
        mrr=f"MRR@{top}: 1 / rank of the first hit, 0 without one.",
        coverage=f"Share of the songs a recommender knows that it gives to a playlist, among its first {top}.",
        popularity_bias=f"How many times more popular the first {top} are than the hidden songs, less 1.",
        baselines=baselines,
        live=live,
        intervals=f"95 %, by {settings.evaluate.bootstrap:,} resamples of the playlists; differences are paired.",
        top=top,
        vocabulary=len(vocabulary.songs),
        shown_songs=len(heldout.shown.flat),
        hidden_songs=len(heldout.hidden.flat),
        hidden_songs_unknown=int((vocabulary.rows_of(heldout.hidden.flat) < 0).sum()),
    )


def fair(heldout: Heldout, live: LiveModel | None, fewest: int) -> tuple[Heldout, LiveModel | None, str]:
    """Leave out playlists that the live version may have been trained on: knowing them, it would look too good.

    Args:
        heldout: playlists that the new model was not trained on.
        live: the model to compare with, if any.
        fewest: with fewer playlists left there is no comparison, and all are measured on.

    Returns:
        The playlists to measure on, the live version if it is compared, and the sentence for the protocol.
    """
    if live is None:
        return heldout, None, "There was no live version to compare with, or it was not named."
    never = live.never_saw(heldout)
    if never is None:
        doubt = "is not known to have been trained without these playlists; on those it knows it looks too good."
        return heldout, live, f"{live.name} {doubt}"
    count = int((~never).sum())
    if count == 0:
        return heldout, live, f"{live.name} was not trained on any of these playlists either."
    may = f"{live.name} may have been trained on {count:,} of {len(heldout):,} held-out playlists"
    if len(heldout) - count < fewest:
        return heldout, None, f"{may}, and too few are left to compare on: there is no comparison."
    return heldout.only(never), live, f"{may}; they were left out."
