"""The JSON records inside a version, as far as the pages show them.

Whoever may write to the bucket may write anything into them. So every field has a type and bounds, what is
not listed is ignored, and a record that does not fit is shown as unreadable instead of half.
"""

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Count = Annotated[int, Field(ge=0, lt=2**63)]
Real = Annotated[float, Field(ge=-1e15, le=1e15)]
Span = tuple[Real, Real]
Text = Annotated[str, StringConstraints(max_length=2_000)]


class Record(BaseModel):
    """A JSON object; NaN and infinities are refused, names that no page shows are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)


class Figures(Record):
    """How good one recommender was on the held-out playlists; what was not measured is None."""

    ndcg: Real | None = None
    hit_rate: Real | None = None
    r_precision: Real | None = None
    recall: Real | None = None
    mrr: Real | None = None
    coverage: Real | None = None
    popularity_bias: Real | None = None


class Spans(Record):
    """The 95 % intervals of one recommender's figures."""

    ndcg: Span | None = None
    hit_rate: Span | None = None
    r_precision: Span | None = None
    recall: Span | None = None
    mrr: Span | None = None
    coverage: Span | None = None
    popularity_bias: Span | None = None


class Intervals(Record):
    """The intervals of all recommenders."""

    model: Spans = Spans()
    popularity: Spans = Spans()
    item_knn: Spans = Spans()
    live: Spans = Spans()


class Difference(Record):
    """How much better the model is than another, and the interval of that."""

    mean: Real
    interval: Span


class FromLive(Record):
    """How the model differs from the version in production."""

    ndcg: Difference | None = None


class Differences(Record):
    """How the model differs from others."""

    live: FromLive = FromLive()


class Compared(Record):
    """The model beside others, on the same playlists."""

    playlists: Count = 0
    model: Figures
    popularity: Figures | None = None
    item_knn: Figures | None = None
    live: Figures | None = None
    intervals: Intervals = Intervals()
    differences: Differences = Differences()


class Slice(Compared):
    """The same on a part of the playlists."""

    by: Text
    name: Text
    sentence: Text = ""


class Protocol(Record):
    """How the figures were measured."""

    top: Count = 100
    live: Text = ""


class Stability(Record):
    """What moved since another version."""

    version: Text
    at: Count
    sampled: Count
    neighbours_kept: Real | None = None
    songs_new: Count
    songs_gone: Count


class Metrics(Compared):
    """``metrics.json``: how good the model is, as a whole and in parts."""

    protocol: Protocol = Protocol()
    hidden_unknown_share: Real | None = None
    hidden_unknown_interval: Span | None = None
    slices: Annotated[tuple[Slice, ...], Field(max_length=100)] = ()
    stability: Stability | None = None


class FunnelRule(Record):
    """What one rule of the preparation left out."""

    rule: Text
    rows_in: Count
    rows_out: Count
    rows_left_out: Count
    playlists_in: Count
    playlists_out: Count
    playlists_left_out: Count


class Funnel(Record):
    """``funnel.json``: the rules in the order they were applied."""

    rules: Annotated[tuple[FunnelRule, ...], Field(max_length=100)]


class GateRule(Record):
    """What one rule of a gate found; `of` tells rules of one name apart, `margin` is negative where it was missed."""

    rule: Text
    of: Text = ""
    figure: Real | None = None
    limit: Real | None = None
    margin: Real | None = None
    passed: bool | None = None
    sentence: Text = ""


class Verdict(Record):
    """What both gates say."""

    accepted: bool
    sentence: Text
    rules: Annotated[tuple[GateRule, ...], Field(max_length=500)] = ()


class Decision(Verdict):
    """``decision.json``: the verdict of the gate on models.

    Attributes:
        since: the version it was compared with; empty: none was live.
        forced: whether it was promoted against the verdict, for the reason `force`.
        force: the reason, whether it was needed or not.
    """

    since: Text | None = None
    forced: bool = False
    force: Text = ""


class DataDecision(Verdict):
    """``data_decision.json``: the verdict of the gate on data; `overridden`: accepted for the reason `override`."""

    overridden: bool = False
    override: Text = ""


class Epoch(Record):
    """One pass over the playlists."""

    epoch: Count
    loss: Real | None = None
    words_per_second: Real | None = None


class Alignment(Record):
    """Whether the vectors were turned onto those of another version, in plain words."""

    sentence: Text = ""


class Training(Record):
    """``training.json``: what was trained on, for how long, and the loss an epoch."""

    trainer: Text = ""
    songs: Count
    playlists: Count
    words: Count = 0
    seconds: Real = 0
    alignment: Alignment = Alignment()
    best_epoch: Count | None = None
    epochs: Annotated[tuple[Epoch, ...], Field(max_length=100_000)] = ()


@dataclass(frozen=True)
class Records:
    """The records of one version; None where there is none, or it cannot be read, as `problems` then says."""

    metrics: Metrics | None = None
    funnel: Funnel | None = None
    decision: Decision | None = None
    data_decision: DataDecision | None = None
    training: Training | None = None
    problems: tuple[str, ...] = ()
