"""What is measured after an epoch: the loss, and now and then how well the model ranks.

The loss is right in float64, and comparable between epochs, threads and runs. gensim keeps a float32 sum over the whole
training: from some 1.7e7 it loses what it adds, from 2^27 it stands still, and with several threads it counts a
fraction. Here it is, whatever the trainer, that of skip-gram with negative sampling (Mikolov et al. 2013, equation 4)
on pairs that were drawn once::

    loss = mean over pairs (s, c) of [ -log σ(in_s · out_c)
                                       + negative · mean over noise songs n of -log σ(-in_s · out_n) ]

The pairs: a song of a playlist, drawn uniformly, and another of the same playlist at most `window` away.
The noise songs are drawn with probability proportional to count ** ns_exponent. The cost is bounded, whatever the data.

The ranking is that of playlists which are not trained on: some of their songs are shown, the model has to find the
rest.
"""

from dataclasses import dataclass

import numpy as np

from song2vec.errors import DataError
from song2vec.metrics.ranking import mean_metrics
from song2vec.model import Floats, Model
from song2vec.playlists.corpus import Ints, Ragged, Vocabulary
from song2vec.playlists.playlist_file import PlaylistFile
from song2vec.settings import TrainSettings
from song2vec_client.scoring import continue_rows

PAIRS = 4_000
NOISE_SONGS = 500
BLOCK = 500  # pairs that are measured at a time: 2 MB of float64
TOP = 100
ENOUGH = 200  # playlists that are ranked once; of fewer, both halves are: chance decides less
MOST_SCORES = 2**20  # at a time: 4 MB, and as much for each step on the way to the best ones


@dataclass(frozen=True)
class LossSample:
    """A fixed sample to measure the loss on.

    Attributes:
        centres: int64 (pairs,), rows of the input vectors.
        contexts: int64 (pairs,), rows of the output vectors.
        noise: int64 (noise songs,), rows of the output vectors.
        negative: negative samples a pair.
    """

    centres: Ints
    contexts: Ints
    noise: Ints
    negative: int

    def measure(self, vectors: Floats, context: Floats) -> float:
        """The mean loss a pair. `vectors` and `context` are float32 (songs, dimensions)."""
        noise, total = context[self.noise].T, 0.0
        for start in range(0, len(self.centres), BLOCK):
            block = slice(start, start + BLOCK)
            centres = vectors[self.centres[block]]
            positive = np.einsum("pd,pd->p", centres, context[self.contexts[block]], dtype=np.float64)
            negative = (centres @ noise).astype(np.float64)
            total += np.logaddexp(0, -positive).sum()
            total += self.negative * np.logaddexp(0, negative).mean(axis=1).sum()
        return float(total / len(self.centres))


def draw_sample(playlists: Ragged, vocabulary: Vocabulary, settings: TrainSettings) -> LossSample:
    """Draw the sample; the same for the same data and settings.

    Args:
        playlists: rows of the known songs of each playlist.
        vocabulary: the songs and their counts.
        settings: window, negative, ns_exponent and seed.

    Raises:
        DataError: no playlist has two known songs, so that there is no pair to learn from.
    """
    rng = np.random.default_rng(settings.seed)
    paired = np.flatnonzero(playlists.lengths > 1)
    last = np.cumsum(playlists.lengths[paired])
    if not len(paired):
        raise DataError(
            f"none of the {len(playlists):,} playlists holds two songs that were seen at least "
            f"{settings.min_count} times; expected pairs of songs to learn from. "
            "Collect more playlists, or lower train.min_count."
        )
    place = rng.integers(last[-1], size=PAIRS)  # among the songs of the playlists that have two
    drawn = np.searchsorted(last, place, side="right")
    begins, ends = (playlists.offsets[paired[drawn] + edge] for edge in (0, 1))
    centre = ends - (last[drawn] - place)
    low = np.maximum(begins, centre - settings.window)
    high = np.minimum(ends - 1, centre + settings.window)
    other = rng.integers(low, high)  # the centre's own place is not drawn: what is at or after it moves one on
    other += other >= centre
    weights = vocabulary.counts.astype(np.float64) ** settings.ns_exponent
    noise = rng.choice(len(weights), NOISE_SONGS, p=weights / weights.sum())
    return LossSample(playlists.flat[centre], playlists.flat[other], noise, settings.negative)


@dataclass(frozen=True)
class Validation:
    """Playlists that are not trained on, to see while training how well the model ranks.

    Attributes:
        shown: rows of the songs that the model is shown.
        hidden: rows of the songs it has to find; -1 where it does not know one.
    """

    shown: Ragged
    hidden: Ragged

    @classmethod
    def of(cls, playlists: PlaylistFile, vocabulary: Vocabulary) -> "Validation":
        """Every other song of each playlist is shown, the rest hidden; where playlists are few, the other way too."""
        songs = playlists.read()
        place = np.arange(len(songs.flat)) - np.repeat(songs.offsets[:-1], songs.lengths)
        rows = vocabulary.rows_of(songs.flat)
        even, songs = place % 2 == 0, songs.replaced(rows)
        halves = [even] if len(playlists) >= ENOUGH else [even, ~even]
        shown = Ragged.joined(songs.where(half & (rows >= 0)) for half in halves)
        return cls(shown, Ragged.joined(songs.where(~half) for half in halves))

    def measure(self, model: Model) -> float:
        """nDCG@100 of the model as it is, ranked as the client ranks."""
        top = min(TOP, len(model.vectors))
        rows, _ = continue_rows(model.vote(), self.shown.lists(), top, most=MOST_SCORES)
        return mean_metrics(rows, self.hidden)["ndcg"]


@dataclass(frozen=True)
class Figures:
    """What was measured after an epoch.

    Attributes:
        loss: the mean loss a pair.
        finite: whether it, and all numbers of the model, are numbers; if not, nothing else was measured.
        ndcg: how well the model ranks; None where that was not measured.
    """

    loss: float
    finite: bool
    ndcg: float | None


@dataclass(frozen=True)
class Measurements:
    """What is measured, and after which epochs.

    Attributes:
        loss: after every epoch.
        validation: None: the ranking is never measured.
        every: epochs from one ranking to the next.
        last: the last epoch, after which the model is ranked too.
    """

    loss: LossSample
    validation: Validation | None
    every: int
    last: int

    def measure(self, epoch: int, model: Model) -> Figures:
        """Measure the model as it is, with one thread, so that figures do not depend on how many cores there are.

        Args:
            epoch: how many are done.
            model: as it is.
        """
        from threadpoolctl import threadpool_limits

        vectors, context = model.vectors, model.context
        with threadpool_limits(1, "blas"):
            loss = self.loss.measure(vectors, context)
            sums = [vectors.sum(dtype=np.float64), context.sum(dtype=np.float64)]
            if not np.isfinite([loss, *sums]).all():
                return Figures(loss, finite=False, ndcg=None)
            ranked = self.validation and (epoch % self.every == 0 or epoch == self.last)
            ndcg = self.validation.measure(model) if self.validation and ranked else None
        return Figures(loss, finite=True, ndcg=ndcg)
