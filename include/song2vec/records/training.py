"""What was trained, on what, for how long, and how it was turned onto the version before."""

from typing import Annotated, ClassVar

from pydantic import JsonValue

from song2vec.playlists.holdout_rule import HoldoutRule
from song2vec.records.record import Count, Figure, Many, Part, Real, Record
from song2vec_client.format.alignment import Alignment, Distances


class Epoch(Part):
    """One pass over the playlists.

    Attributes:
        epoch: its number, from 1.
        loss: on a sample, after it.
        words_per_second: how fast it was.
        seconds: how long it took.
        ndcg: how well the model ranked the validation playlists after it; not given where that was not measured.
    """

    epoch: Count
    loss: Real = None
    words_per_second: Figure = None
    seconds: Real = None
    ndcg: Real = None


class HowAligned(Part):
    """Whether the vectors were turned onto those of another version, in plain words and in figures.

    Attributes:
        sentence: what was done, or why nothing was.
        aligned: whether something was; the figures, those of `Alignment`, are given where it was.
    """

    sentence: str = ""
    aligned: bool = False
    to: str | None = None
    shared_songs: Count = 0
    before: Distances | None = None
    after: Distances | None = None

    @property
    def alignment(self) -> Alignment | None:
        """The figures as a manifest has them; None where nothing was done."""
        if not self.aligned or self.before is None or self.after is None:
            return None
        return Alignment(self.to, self.shared_songs, self.before, self.after)


class Training(Record):
    """How a model was trained.

    Attributes:
        trainer: which trainer did it.
        settings: the settings ``train``.
        songs: the songs that the model knows.
        playlists: the playlists that it was trained on.
        words: songs in them, repeats and rare ones counted.
        held_out: the rule by which playlists were held out; None: none were, or that is not known.
        validation_playlists: playlists that were set aside to rank while training.
        best_epoch: the epoch that the model is of.
        neighbour_weight: what the median song adds to its strongest neighbour; None: neighbours do not vote.
        epochs: all of them.
        alignment: how the vectors were turned.
        started: when it began, as ``2026-01-31T04:00:00Z``.
        finished: when it ended; the name of the version begins with it.
        seconds: how long it took.
    """

    FILE: ClassVar[str] = "training.json"

    trainer: str
    settings: dict[str, JsonValue]
    songs: Count
    playlists: Count
    words: Count
    held_out: HoldoutRule | None = None
    validation_playlists: Count = 0
    best_epoch: Count | None = None
    neighbour_weight: Real = None
    epochs: Annotated[tuple[Epoch, ...], Many]
    alignment: HowAligned = HowAligned()
    started: str = ""
    finished: str
    seconds: float

    @property
    def scoring(self) -> str:
        """How the model continues playlists, in a sentence: see `song2vec_client.vote`."""
        if self.neighbour_weight is None:
            return "Playlists are continued one-way: input vectors against output vectors."
        most = self.settings.get("neighbours")
        many = f"up to {most:,} neighbours" if type(most) is int and 0 < most < 2**63 else "the strongest neighbours"
        return (
            "Playlists are continued two-way: input vectors against output vectors and the reverse, "
            f"and {many} of each song vote too, with weight {self.neighbour_weight:g}: "
            "so much the median song adds to its strongest one."
        )
