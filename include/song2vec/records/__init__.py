"""What stages hand to each other and publish as JSON, one frozen class each: its file, its fields, its limits."""

from song2vec.records.decisions import DataDecision, Decision, Rule
from song2vec.records.funnel import Funnel, FunnelRule, funnel_table
from song2vec.records.golden import GoldenAnswer, GoldenSongs, GoldenWish
from song2vec.records.metrics import (
    ByRecommender,
    Compared,
    Difference,
    Differences,
    Figures,
    Metrics,
    Protocol,
    Slice,
    Span,
    Spans,
    Stability,
)
from song2vec.records.record import Count, Part, Real, Record
from song2vec.records.together import KINDS, AnyRecord, Records
from song2vec.records.training import Epoch, HowAligned, Training
from song2vec.records.tuning import Confirmed, Trial, Tuning

__all__ = [
    "KINDS",
    "AnyRecord",
    "ByRecommender",
    "Compared",
    "Confirmed",
    "Count",
    "DataDecision",
    "Decision",
    "Difference",
    "Differences",
    "Epoch",
    "Figures",
    "Funnel",
    "FunnelRule",
    "GoldenAnswer",
    "GoldenSongs",
    "GoldenWish",
    "HowAligned",
    "Metrics",
    "Part",
    "Protocol",
    "Real",
    "Record",
    "Records",
    "Rule",
    "Slice",
    "Span",
    "Spans",
    "Stability",
    "Training",
    "Trial",
    "Tuning",
    "funnel_table",
]
