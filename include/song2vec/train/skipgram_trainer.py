"""Our own trainer: the kind of model gensim makes, in far fewer passes. The maths is in `skipgram`."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise, takewhile

import numpy as np
import structlog
from numpy.typing import NDArray

from song2vec.errors import StoppedError
from song2vec.model import Floats, Model, thread_count
from song2vec.playlists.corpus import Ints, Ragged, Vocabulary
from song2vec.plumbing.interrupt import Stop, stop_on_signal
from song2vec.settings import TrainSettings
from song2vec.train.epochs import Epochs

log = structlog.get_logger(__name__)

ARRAYS = ("vectors", "context", "vector_steps", "context_steps")
CHUNK_WORDS = (
    10_000  # what a thread reads at a time, more or less, with random numbers of its own and one learning rate
)
PIECE_CHUNKS = 32  # a thread; between two pieces all threads rest, so that the state may be saved
FIRST_STEP = 1e-3  # where the sums of squared gradients begin: the first steps are not taken at full length


class SkipGramTrainer:
    """Skip-gram with shared negative samples and AdaGrad.

    With one thread the result is the same to the bit for the same seed, interrupted or not. With more threads
    two may move the same row at once (Recht et al. 2011, Hogwild!), so that runs differ a little.
    """

    def train(self, playlists: Ragged, vocabulary: Vocabulary, settings: TrainSettings, epochs: Epochs) -> Model:
        """Train on `playlists`; see `training.Trainer`."""
        from threadpoolctl import threadpool_limits

        state = _State.resume(epochs) or _State.start(vocabulary, settings)
        work = _Work(playlists, vocabulary, settings)
        threads = thread_count(settings)
        with threadpool_limits(1, "blas"), ThreadPoolExecutor(threads) as pool, stop_on_signal() as stop:
            while epochs.going_on:
                for piece in work.pieces(state.epoch, state.chunk, threads * PIECE_CHUNKS):
                    done = list(pool.map(lambda chunk: work.run(state, chunk, stop), piece))
                    state.chunk += sum(takewhile(bool, done))
                    _pause(epochs, state, stop)
                state.epoch, state.chunk = state.epoch + 1, 0
                epochs.end(state.vectors, state.context)
                _pause(epochs, state, stop)
        epochs.restore_best(state.vectors, state.context)
        return Model(vocabulary, state.vectors, state.context)


@dataclass
class _State:
    """All that training changes, and how far it is.

    Attributes:
        vectors: float32 (songs, d), the input vectors.
        context: float32 (songs, d), the output vectors.
        vector_steps: float32 (songs,), sums of squared gradients, one a row of `vectors`.
        context_steps: float32 (songs,), the same of `context`.
        epoch: how many epochs are done.
        chunk: how many chunks of the epoch under way are done.
    """

    vectors: Floats
    context: Floats
    vector_steps: Floats
    context_steps: Floats
    epoch: int = 0
    chunk: int = 0

    @classmethod
    def start(cls, vocabulary: Vocabulary, settings: TrainSettings) -> "_State":
        """Small random vectors, as in word2vec."""
        rng = np.random.default_rng([settings.seed, 0])
        shape = (len(vocabulary.songs), settings.vector_size)
        spread = np.float32(1 / np.sqrt(settings.vector_size))
        vectors, context = (rng.random(shape, np.float32) for _ in range(2))
        for matrix in (vectors, context):
            np.subtract(matrix, np.float32(0.5), out=matrix)
            np.multiply(matrix, spread, out=matrix)
        vector_steps, context_steps = (np.full(shape[0], FIRST_STEP, np.float32) for _ in range(2))
        return cls(vectors, context, vector_steps, context_steps)

    @classmethod
    def resume(cls, epochs: Epochs) -> "_State | None":
        """The state of the checkpoint, if there is one; `epochs` goes on from there too."""
        saved = epochs.checkpoint.load()
        if saved is None:
            return None
        epochs.resume(saved["epochs"])
        vectors, context, vector_steps, context_steps = (saved[name] for name in ARRAYS)
        state = cls(vectors, context, vector_steps, context_steps, int(saved["epoch"]), int(saved["chunk"]))
        log.info("going on from the checkpoint", epochs_done=state.epoch, chunks_done=state.chunk)
        return state

    def save(self, epochs: Epochs) -> bool:
        """Write the checkpoint; say whether it was possible."""
        arrays = {name: getattr(self, name) for name in ARRAYS}
        place = {"epoch": np.array(self.epoch), "chunk": np.array(self.chunk)}
        return epochs.checkpoint.save({**arrays, **place, "epochs": epochs.to_array()}, best=epochs.kept)


@dataclass(frozen=True)
class _Chunk:
    """Passages that one thread reads at a time.

    Attributes:
        epoch: counted from 0.
        number: its place in the epoch.
        progress: the share of the epoch before it.
        starts: uint32 (passages,), where each begins in the songs.
        lengths: uint8 (passages,), how many songs each has.
    """

    epoch: int
    number: int
    progress: float
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
        from song2vec.train.passages import cut_passages

        starts, lengths = cut_passages(self.playlists.offsets, np.random.default_rng([self.settings.seed, 1, epoch]))
        passages = max(1, CHUNK_WORDS * len(starts) // len(self.playlists.flat))
        edges = [*range(0, len(starts), passages), len(starts)]
        total = len(edges) - 1
        chunks = [_Chunk(epoch, i, i / total, starts[a:b], lengths[a:b]) for i, (a, b) in enumerate(pairwise(edges))]
        for first in range(done, total, size):
            yield chunks[first : first + size]

    def run(self, state: _State, chunk: _Chunk, stop: Stop) -> bool:
        """Train on one chunk, in the calling thread, unless asked to stop; say whether it was done."""
        from song2vec.train.skipgram import train_passages

        if stop.asked:
            return False
        options = self.settings
        progress = (chunk.epoch + chunk.progress) / options.epochs
        alpha = options.alpha + (options.min_alpha - options.alpha) * progress
        train_passages(
            self.playlists.flat, chunk.starts, chunk.lengths,
            state.vectors, state.context, state.vector_steps, state.context_steps,
            self.keep, self.chance, self.alias, np.random.default_rng([options.seed, 2, chunk.epoch, chunk.number]),
            window=options.window, far_weight=options.far_weight, negative=options.negative,
            shared=options.shared_negative, alpha=alpha, weight_decay=options.weight_decay,
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


def _pause(epochs: Epochs, state: _State, stop: Stop) -> None:
    """Save the state if it is time to, or if the training has to stop."""
    if not (stop.asked or epochs.checkpoint.due):
        return
    saved = state.save(epochs)
    if stop.asked:
        kept = "Its state is kept" if saved else "Its state could not be saved; an older one may be there"
        raise StoppedError(
            f"{stop.asked} stopped the training after {state.epoch} of {epochs.settings.epochs} epochs. "
            f"{kept}: run it again to go on."
        )
