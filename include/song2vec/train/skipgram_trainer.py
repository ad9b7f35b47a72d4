"""Our own trainer: the kind of model gensim makes, in far fewer passes. The maths is in `skipgram`."""

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise, takewhile

import numpy as np
from numpy.typing import NDArray

from song2vec.model import Floats, Model
from song2vec.playlists.corpus import Ints, Ragged, Vocabulary
from song2vec.plumbing.interrupt import Stop
from song2vec.plumbing.threads import thread_count
from song2vec.settings import TrainSettings
from song2vec.train.checkpoint import Arrays
from song2vec_client.format.layout import TWO_WAY

CHUNK_WORDS = 10_000  # a thread reads at a time, more or less, with random numbers of its own
PIECE_CHUNKS = 32  # a thread; between two pieces all threads rest, so that the state may be saved
FIRST_STEP = 1e-3  # where the sums of squared gradients begin: the first steps are not taken at full length
RECENCY = 4  # epoch n weighs about n ** RECENCY in the average
AVERAGED_ROWS = 4096  # at a time: 4 MB beside the matrices


class SkipGramTrainer:
    """Skip-gram with shared negative samples and AdaGrad.

    The model is an average of what the matrices were after each epoch so far, the later ones weighing more. So the
    learning rate need not fall towards an end that is known beforehand: the average is at rest while the matrices
    still move, as far as steps of that length let them, and training may end after any epoch. With vectors x_n after
    epoch n (Shamir and Zhang 2013, "Stochastic Gradient Descent for Non-smooth Optimization")::

        average_n = (1 - b) · average_(n-1) + b · x_n,    b = (RECENCY + 1) / (n + RECENCY)

    With one thread the result is the same to the bit for the same seed, interrupted or not. With more threads
    two may move the same row at once (Recht et al. 2011, Hogwild!), so that runs differ a little.
    """

    def __init__(
        self, playlists: Ragged, vocabulary: Vocabulary, settings: TrainSettings, state: Arrays | None
    ) -> None:
        """Prepare to train; see `training.TRAINERS`."""
        from threadpoolctl import ThreadpoolController

        self._vocabulary, self._settings = vocabulary, settings
        self._state = _State.start(len(vocabulary.songs), settings) if state is None else _State.of(state)
        self._work = _Work(playlists, vocabulary, settings)
        self._blas = ThreadpoolController()  # after `_Work`, which loads the BLAS that C calls

    @property
    def model(self) -> Model:
        """The model as it was after the last epoch that is over."""
        return Model(self._vocabulary, self._state.average_vectors, self._state.average_context, TWO_WAY)

    def state(self) -> Arrays:
        """The arrays that training moves."""
        return vars(self._state)

    def epoch(self, epoch: int, chunks: int, stop: Stop) -> Generator[int, None, None]:
        """Train an epoch, or the rest of one after so many `chunks`; see `loop.Trainer`.

        A pause comes after each piece. While it is under way BLAS has one thread in all of the process: there are as
        many of ours.
        """
        threads = thread_count(self._settings.workers)
        with self._blas.limit(limits=1, user_api="blas"), ThreadPoolExecutor(threads) as pool:
            for piece in self._work.pieces(epoch, chunks, threads * PIECE_CHUNKS):
                done = list(pool.map(lambda chunk: self._work.run(self._state, chunk, stop), piece))
                chunks += sum(takewhile(bool, done))
                yield chunks
        self._state.average((RECENCY + 1) / (epoch + 1 + RECENCY))


@dataclass(frozen=True)
class _State:
    """All arrays that training moves.

    Attributes:
        vectors: float32 (songs, d), the input vectors.
        context: float32 (songs, d), the output vectors.
        vector_steps: float32 (songs,), sums of squared gradients, one a row of `vectors`.
        context_steps: float32 (songs,), the same of `context`.
        average_vectors: float32 (songs, d), the average of `vectors` after each epoch.
        average_context: float32 (songs, d), the same of `context`.
    """

    vectors: Floats
    context: Floats
    vector_steps: Floats
    context_steps: Floats
    average_vectors: Floats
    average_context: Floats

    @classmethod
    def of(cls, state: Arrays) -> "_State":
        """What `SkipGramTrainer.state` gave."""
        return cls(**{name: state[name] for name in cls.__annotations__})

    @classmethod
    def start(cls, songs: int, settings: TrainSettings) -> "_State":
        """Small random vectors, as in word2vec."""
        rng = np.random.default_rng([settings.seed, 0])
        spread = np.float32(1 / np.sqrt(settings.vector_size))
        vectors, context = (rng.random((songs, settings.vector_size), np.float32) for _ in range(2))
        for matrix in (vectors, context):
            np.subtract(matrix, np.float32(0.5), out=matrix)
            np.multiply(matrix, spread, out=matrix)
        vector_steps, context_steps = (np.full(songs, FIRST_STEP, np.float32) for _ in range(2))
        return cls(vectors, context, vector_steps, context_steps, vectors.copy(), context.copy())

    def average(self, share: float) -> None:
        """Move the averages by `share` of the way to where the matrices are."""
        for average, matrix in ((self.average_vectors, self.vectors), (self.average_context, self.context)):
            for start in range(0, len(matrix), AVERAGED_ROWS):
                rows = slice(start, start + AVERAGED_ROWS)
                average[rows] += np.float32(share) * (matrix[rows] - average[rows])


@dataclass(frozen=True)
class _Chunk:
    """Passages that one thread reads at a time.

    Attributes:
        epoch: counted from 0.
        number: its place in the epoch.
        starts: uint32 (passages,), where each begins in the songs.
        lengths: uint8 (passages,), how many songs each has.
    """

    epoch: int
    number: int
    starts: NDArray[np.uint32]
    lengths: NDArray[np.uint8]


class _Work:
    """The playlists, cut into passages, chunks and pieces; anew, and in another order, every epoch."""

    def __init__(self, playlists: Ragged, vocabulary: Vocabulary, settings: TrainSettings) -> None:
        from song2vec.train.skipgram import alias_table

        self.settings = settings
        self.playlists = playlists
        self.keep = keep_probabilities(vocabulary.counts, settings.sample)
        self.chance, self.alias = alias_table(vocabulary.counts.astype(np.float64) ** settings.ns_exponent)

    def pieces(self, epoch: int, done: int, size: int) -> Iterator[list[_Chunk]]:
        """The chunks of an epoch after the first `done`, `size` at a time."""
        from song2vec.train.skipgram import cut_passages

        starts, lengths = cut_passages(self.playlists.offsets, np.random.default_rng([self.settings.seed, 1, epoch]))
        passages = max(1, CHUNK_WORDS * len(starts) // len(self.playlists.flat))
        edges = [*range(0, len(starts), passages), len(starts)]
        chunks = [_Chunk(epoch, i, starts[a:b], lengths[a:b]) for i, (a, b) in enumerate(pairwise(edges))]
        for first in range(done, len(chunks), size):
            yield chunks[first : first + size]

    def run(self, state: _State, chunk: _Chunk, stop: Stop) -> bool:
        """Train on one chunk, in the calling thread, unless asked to stop; say whether it was done."""
        from song2vec.train.skipgram import train_passages

        if stop.signal:
            return False
        options = self.settings
        train_passages(
            self.playlists.flat, chunk.starts, chunk.lengths,
            state.vectors, state.context, state.vector_steps, state.context_steps,
            self.keep, self.chance, self.alias, np.random.default_rng([options.seed, 2, chunk.epoch, chunk.number]),
            window=options.window, far_weight=options.far_weight, subset_share=options.subset_share,
            negative=options.negative, shared=options.shared_negative,
            alpha=options.alpha, weight_decay=options.weight_decay,
        )  # fmt: skip
        return True


def keep_probabilities(counts: Ints, sample: float) -> NDArray[np.float32]:
    """How likely an occurrence of each song is read: word2vec's down-sampling of frequent words.

    ``sqrt(sample / f) + sample / f`` for a song of frequency f, at most 1, as in word2vec's code and gensim.

    Args:
        counts: int64 (songs,).
        sample: the threshold; 0: all are read.

    Returns:
        float32 (songs,).
    """
    if sample == 0:
        return np.ones(len(counts), np.float32)
    relative = sample / (counts / counts.sum())
    keep: NDArray[np.float32] = np.minimum(1, np.sqrt(relative) + relative).astype(np.float32)
    return keep
