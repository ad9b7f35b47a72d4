"""Who our models are measured beside, and what of each is tuned."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import ModuleType

from benchmarks.quality import ease, ials
from benchmarks.quality.data import TOP, best_rows

from song2vec.evaluate import baselines
from song2vec.evaluate.baselines import Holdings, neighbour_songs, popular_songs
from song2vec.playlists.corpus import Ints, Ragged
from song2vec.playlists.similarity import TUNED, Exponents

Chosen = Mapping[str, float]
"""Settings by name."""


@dataclass(frozen=True, eq=False)
class Rival:
    """One of them.

    Attributes:
        name: as lines call it.
        title: what it is, for people.
        code: the module that is measured.
        recommend: of holdings, rows of the shown songs and settings, int64 (playlists, TOP): rows, best first.
        axes: the values that each setting may have, in order; one value is not tuned.
        start: the settings that are tried first.
        after: the rival whose chosen settings are tried first instead.
        restricted: of holdings, what it leaves out, for people; empty: nothing.
    """

    name: str
    title: str
    code: ModuleType
    recommend: Callable[[Holdings, Ragged, Chosen], Ints]
    axes: Mapping[str, Sequence[float]] = field(default_factory=dict)
    start: Chosen = field(default_factory=dict)
    after: str = ""
    restricted: Callable[[Holdings], str] = lambda holdings: ""


def _popularity(holdings: Holdings, shown: Ragged, _: Chosen) -> Ints:
    return popular_songs(holdings.songs.counts, shown, TOP)


def _item_knn(holdings: Holdings, shown: Ragged, chosen: Chosen) -> Ints:
    return neighbour_songs(holdings.table, shown, TOP, Exponents(**chosen))


def _ease(holdings: Holdings, shown: Ragged, chosen: Chosen) -> Ints:
    return best_rows(ease.train(holdings.table, **chosen), shown, len(holdings.songs.songs))


def _most_popular_only(holdings: Holdings) -> str:
    songs = ease.known_songs(holdings.table)
    return f", of the {songs:,} most popular songs only" * (songs < len(holdings.songs.songs))


def _ials(holdings: Holdings, shown: Ragged, chosen: Chosen, factors: int) -> Ints:
    settings = ials.IalsSettings(
        factors=factors,
        unobserved=chosen["unobserved"],
        regularisation=chosen["unobserved × regularisation"] / chosen["unobserved"],
        sweeps=int(chosen["sweeps"]),
    )
    return best_rows(ials.train(holdings.table, settings), shown, len(holdings.songs.songs))


def _fixed(name: str, title: str, exponents: Exponents) -> Rival:
    axes = {name: (value,) for name, value in exponents._asdict().items()}
    return Rival(name, title, baselines, _item_knn, axes=axes, start=exponents._asdict())


_IALS_AXES = {
    "unobserved": (0.0004, 0.0008, 0.0015, 0.003, 0.006, 0.0125, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8),
    "unobserved × regularisation": (3e-6, 6e-6, 1.2e-5, 2.5e-5, 5e-5, 1e-4, 2e-4, 4e-4),  # the ridge is along it
    "sweeps": (2, 3, 4, 6, 8, 12, 16),  # stopping early helps on some data
}

RIVALS = (
    Rival("popularity", "the most frequent songs", baselines, _popularity),
    _fixed("item-knn-cosine", "item-kNN by cosine", Exponents(0.5, 0.5, 0.0)),
    _fixed("item-knn", "item-kNN as the pipeline has it", TUNED),
    Rival(
        "item-knn-tuned",
        "item-kNN",
        baselines,
        _item_knn,
        axes={
            "shown": (0.0, 0.25, 0.4, 0.5, 0.6, 0.75, 1.0),
            "candidate": (0.0, 0.1, 0.2, 0.3, 0.4, 0.45, 0.5, 0.6, 0.75),
            "length": (0.0, 0.25, 0.5, 0.75, 1.0),
        },
        start=TUNED._asdict(),
    ),
    Rival(
        "ease",
        "EASE",
        ease,
        _ease,
        axes={"regularisation": (10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0, 2_000.0)},
        start={"regularisation": 100.0},
        restricted=_most_popular_only,
    ),
    Rival(
        "ials-256",
        "iALS, 256 factors",
        ials,
        partial(_ials, factors=256),
        axes=_IALS_AXES,
        start={"unobserved": 0.006, "unobserved × regularisation": 2.5e-5, "sweeps": 4},
    ),
    Rival("ials-512", "iALS, 512 factors", ials, partial(_ials, factors=512), axes=_IALS_AXES, after="ials-256"),
)
