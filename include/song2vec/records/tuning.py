"""What came of looking for better settings: every trial, what it was confirmed with, and what is proposed."""

from typing import Annotated, ClassVar

from pydantic import JsonValue

from song2vec.records.metrics import Difference, Differences, Figures
from song2vec.records.record import Count, Many, Part, Real, Record


class Trial(Part):
    """One training with some settings.

    Attributes:
        number: its place, from 0; 0 has today's settings.
        outcome: ``complete``; ``pruned``, where it was ended early; ``failed``; ``interrupted``, where the process was.
        settings: of section `train`, those that are tuned.
        ndcg: on the playlists that choose; not given where the trial is not complete.
        seconds: how long it took; of one that went on where a process had stopped, only that part.
        minutes: how far into the budget it ended.
        why: why it is not complete.
    """

    number: Count
    outcome: str
    settings: dict[str, JsonValue]
    ndcg: Real = None
    seconds: Real = None
    minutes: Real = None
    why: str = ""


class Confirmed(Part):
    """Today's settings beside the best ones, trained anew with another seed, on playlists that chose nothing.

    Attributes:
        today: figures with today's settings.
        best: those with the best ones.
        differences: the best less today's, with the intervals of the paired bootstrap.
    """

    today: Figures
    best: Figures
    differences: Differences

    @property
    def gain(self) -> Difference:
        """By nDCG, which decides; where it was not measured there is none."""
        return self.differences.ndcg or Difference(mean=0.0, interval=(0.0, 0.0))


class Tuning(Record):
    """A study of the settings of section `train` on some playlists.

    Attributes:
        sentence: what came of it.
        proposed: the settings that are proposed, where they differ from today's; empty: none are.
        today: today's settings, of those that are tuned.
        top: how many recommendations a playlist are looked at.
        training_playlists: how many trained.
        choose_playlists: how many chose.
        confirm_playlists: how many confirmed.
        minutes: how long the trials took, together.
        trials: all of them, in order.
        importance: the share of each setting in what sets the best quarter of the trials apart; empty: too few trials.
        confirmed: not given where nothing was better than today's settings.
    """

    FILE: ClassVar[str] = "study.json"

    sentence: str
    proposed: dict[str, JsonValue]
    today: dict[str, JsonValue]
    top: Count
    training_playlists: Count
    choose_playlists: Count
    confirm_playlists: Count
    minutes: float
    trials: Annotated[tuple[Trial, ...], Many]
    importance: dict[str, float]
    confirmed: Confirmed | None = None
