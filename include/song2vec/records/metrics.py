"""How good a model is, beside others, on the same held-out playlists; docs/evaluation.md says what it means.

The fields of `Figures` are the metrics, those of `ByRecommender` the recommenders that are measured.
"""

from typing import Annotated, Any, ClassVar, Generic, TypeVar

from pydantic import BeforeValidator, Field, ValidationInfo

from song2vec.records.golden import GoldenSongs
from song2vec.records.record import Count, Many, Part, Real, Record

Value = TypeVar("Value")


def _finite_ends(value: Any, info: ValidationInfo) -> Any:
    """None where we worked out an end that is no number."""
    unknown = info.mode == "python" and value is not None and not all(abs(end) < float("inf") for end in value)
    return None if unknown else value


Interval = Annotated[tuple[float, float], Field(strict=False)]  # a list, where a validator of ours saw the JSON first
"""The lower and the upper end, 95 %."""
Span = Annotated[Interval | None, BeforeValidator(_finite_ends)]
"""An interval, or None where there is none."""


class ByMetric(Part, Generic[Value]):
    """Something of each metric; None, or not given, where it was not measured."""

    ndcg: Value | None = None
    hit_rate: Value | None = None
    r_precision: Value | None = None
    recall: Value | None = None
    mrr: Value | None = None
    coverage: Value | None = None
    popularity_bias: Value | None = None


class ByRecommender(Part, Generic[Value]):
    """Something of each recommender; not given where there was no such."""

    model: Value | None = None
    live: Value | None = None
    popularity: Value | None = None
    item_knn: Value | None = None


class Figures(ByMetric[Real]):
    """How good one recommender is: means over the playlists."""


class Spans(ByMetric[Span]):
    """The intervals of one recommender's figures."""


class Difference(Part):
    """How much better the model is than another, by one metric; `interval`: that of the paired bootstrap."""

    mean: float
    interval: Interval


class Differences(ByMetric[Difference]):
    """How much better the model is than one other recommender."""


class Compared(Part):
    """The model beside others, on the same playlists.

    Attributes:
        playlists: how many.
        model: the model's figures.
        live: those of the live version; not given where there was none to compare with, and so on.
        popularity: those of recommending popular songs.
        item_knn: those of item-kNN.
        intervals: of all of them.
        differences: of the model and each of the others.
    """

    playlists: Count = 0
    model: Figures
    live: Figures | None = None
    popularity: Figures | None = None
    item_knn: Figures | None = None
    intervals: ByRecommender[Spans] = ByRecommender[Spans]()
    differences: ByRecommender[Differences] = ByRecommender[Differences]()


class _Named(Part):
    by: str
    name: str
    sentence: str = ""


class Slice(Compared, _Named):  # the fields of the last one come first
    """The same on a part of the playlists.

    Attributes:
        by: what the slices differ in.
        name: of this one.
        sentence: where it ends, for people.
    """


class Protocol(Part):
    """How it was measured: sentences, and the numbers that they rest on.

    Attributes:
        live: with which version the model was compared, or why with none.
        top: how many recommendations are looked at.
        vocabulary: the songs that the model knows.
        shown_songs: all songs that were shown, repeats counted; `hidden_songs` likewise.
        hidden_songs_unknown: those of them that the model does not know.
    """

    task: str = ""
    ranked: str = ""
    unknown_songs: str = ""
    ndcg: str = ""
    hit_rate: str = ""
    r_precision: str = ""
    recall: str = ""
    mrr: str = ""
    coverage: str = ""
    popularity_bias: str = ""
    baselines: str = ""
    live: str = ""
    intervals: str = ""
    top: Count = 100
    vocabulary: Count = 0
    shown_songs: Count = 0
    hidden_songs: Count = 0
    hidden_songs_unknown: Count = 0


class Stability(Part):
    """How much of one model is still true in the next.

    Attributes:
        version: the one before; not given where both are named beside it.
        at: how many neighbours of a song are looked at.
        sampled: of how many songs.
        neighbours_kept: the mean share (0 to 1) of them that are neighbours in both; None where no song is shared or
            has a neighbour in both.
        songs_kept: songs in both.
        songs_new: songs in the new one only.
        songs_gone: songs in the old one only.
    """

    version: str = ""
    at: Count
    sampled: Count
    neighbours_kept: Real = None
    songs_kept: Count = 0
    songs_new: Count
    songs_gone: Count


class _Measured(Part):
    protocol: Protocol = Protocol()


class Metrics(Compared, Record, _Measured):  # the fields of the last one come first
    """How good a model is, as a whole and in parts.

    Attributes:
        protocol: how that was measured.
        hidden_unknown_share: of the hidden songs, those that the model does not know and so cannot find.
        hidden_unknown_interval: the interval of that.
        slices: the same figures on parts of the playlists.
        live_version: the version that is `live` here; None: it was not compared.
        stability: what moved since the live version; not given where there was none.
        golden_songs: what the model answers to the golden songs; not given where there are none.
    """

    FILE: ClassVar[str] = "metrics.json"

    hidden_unknown_share: Real = None
    hidden_unknown_interval: Span = None
    slices: Annotated[tuple[Slice, ...], Many] = ()
    live_version: str | None = None
    stability: Stability | None = None
    golden_songs: GoldenSongs | None = None
