"""The hot loop of training: skip-gram with negative sampling, one passage of a playlist at a time; and what it reads.

The loop itself and what prepares it are in ``compiled.c``, with the names used here. Import this module where training
begins, not before: it loads scipy, whose BLAS the loop calls.

A passage is a piece of one playlist, of L songs. A (L, d) are the input vectors and P (L, d) the output vectors of its
songs, N (K, d) the output vectors of K noise songs that the whole passage shares. What predicts is one song, as in
skip-gram, or several together, as in CBOW: input i is made of a set S_i of m songs, i and m - 1 random others::

    U_i = sum over s in S_i of A_s / √m       m = 1; in `subset_share` of the inputs, uniform in 1 .. max(1, L / 2)

So the model learns what it is asked: to continue a playlist of which several songs are known. Songs that predict
together correct each other, and share what they miss; scaled by √m, the sum of m unlike vectors is as long as one. The
passage adds to the loss of skip-gram with negative sampling (Mikolov et al. 2013, equation 4)::

    sum over i, j of  w_ij · -log σ(U_i · P_j)   +   negative / K · sum over i, k of  w_i · -log σ(-U_i · N_k)

    w_ij = max(far_weight, 1 - (|i - j| - 1) / window), 0 where both are the same song, each row scaled to sum 1;
           then 0 where j is a song of S_i too, and w_i is what is left of the sum

An input that holds what stands nearest has less to tell, and counts less. A noise song that is in the passage does not
count. The first term of the weight is what gensim's windows of random size come to on average; ``far_weight`` lets the
rest of the playlist count too. Every song that is read alone counts 1, so that long playlists do not outweigh short
ones, and the expected gradient is that of ``negative`` noise songs an input, although only K are drawn a passage:
sharing them turns all scores and all gradients into matrix products (Ji et al. 2016, "Parallelizing Word2Vec in Shared
and Distributed Memory"), which BLAS does near the speed of the processor. With Q (L + K, d) for P and N one below the
other, S (L, L) for the matrix that makes U of A, and E (L, L + K) for what the loss changes by as each score does, the
scores are ``S (A Q')``, and the gradients ``(S' E) Q`` and ``(S' E)' A``: subsets mix rows of L + K numbers, no
vectors, and cost little.

A row r of either matrix moves by AdaGrad (Duchi et al. 2011) with one step size a row::

    h_r += mean of g²;    row_r += alpha · (g - weight_decay · row_r) / sqrt(h_r)

A song that was seen a few times moves far each time, a frequent one hardly any more: that is why a few passes are
enough where plain gradient descent takes a hundred. The decay, outside h as in AdamW (Loshchilov and Hutter 2019),
keeps the few playlists of a rare song from being learnt by heart.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from song2vec.model import Floats
from song2vec.train.compiled import PASSAGE, library, random, sgemm

Rows = NDArray[np.int32]


def train_passages(
    songs: Rows, starts: NDArray[np.uint32], lengths: NDArray[np.uint8],
    vectors: Floats, context: Floats, vector_steps: Floats, context_steps: Floats,
    keep: Floats, chance: Floats, alias: Rows, rng: np.random.Generator,
    *, window: float, far_weight: float, subset_share: float, negative: float, shared: int, alpha: float,
    weight_decay: float,
) -> int:  # fmt: skip
    """Read passages in the order given and move the rows of both matrices. Several threads may run it on the same ones.

    Python's lock is not held meanwhile.

    Args:
        songs: int32 (words,), the playlists end to end, as rows of the matrices.
        starts: uint32 (passages,), where each begins in `songs`.
        lengths: uint8 (passages,), how many songs it has, at most `PASSAGE`.
        vectors: float32 (songs, d), C order; the input vectors.
        context: float32 (songs, d), C order; the output vectors.
        vector_steps: float32 (songs,), the h of each input row.
        context_steps: float32 (songs,), the h of each output row.
        keep: float32 (songs,), the probability that an occurrence of a song is read.
        chance: float32 (songs,), with `alias` the distribution of the noise songs; see `alias_table`.
        alias: int32 (songs,).
        rng: each thread has its own.
        window: as above.
        far_weight: as above.
        subset_share: as above; 0 is plain skip-gram.
        negative: as above.
        shared: K, the noise songs a passage.
        alpha: as above.
        weight_decay: as above.

    Returns:
        How many songs were read, after down-sampling.

    Raises:
        MemoryError: there is no room for one passage.
    """
    read: int = library.train_passages(
        songs, starts, lengths, len(starts),
        vectors, context, vector_steps, context_steps, *vectors.shape,
        keep, chance, alias, *random(rng),
        window, far_weight, subset_share, negative, shared, alpha, weight_decay, sgemm,
    )  # fmt: skip
    if read < 0:
        raise MemoryError(f"no room for a passage of {PASSAGE} songs and {shared} noise songs")
    return read


def cut_passages(offsets: NDArray[Any], rng: np.random.Generator) -> tuple[NDArray[np.uint32], NDArray[np.uint8]]:
    """Cut playlists into passages, in random order.

    A playlist that is longer than a passage is cut at a random place and from there on at every full length, so
    that songs which a cut parts in one epoch are together in another. The order is shuffled while it grows
    (the inside-out Fisher-Yates shuffle, Knuth 1998, section 3.4.2), without an array of random places.

    Args:
        offsets: uint32 (playlists + 1,), where each playlist begins; other integers are copied.
        rng: for the cuts and the order.

    Returns:
        uint32 (passages,) where each begins, and uint8 (passages,) how long it is, at most `PASSAGE`.
        Together they are the playlists, nothing is left out.
    """
    offsets = np.ascontiguousarray(offsets, np.uint32)
    most = int(offsets[-1]) // PASSAGE + 2 * len(offsets)  # what is not written to takes no memory
    starts, lengths = np.empty(most, np.uint32), np.empty(most, np.uint8)
    count = library.cut_passages(offsets, len(offsets) - 1, *random(rng), starts, lengths)
    return starts[:count], lengths[:count]


def alias_table(weights: NDArray[np.float64]) -> tuple[Floats, Rows]:
    """Prepare drawing from a distribution in constant time: Walker's alias method, as Vose 1991 builds it.

    To draw: pick a place uniformly; keep it with probability ``chance[place]``, else take ``alias[place]``.

    Args:
        weights: float64 (n,), not negative, with a positive sum.

    Returns:
        chance float32 (n,) and alias int32 (n,).
    """
    n = len(weights)
    chance, alias = np.empty(n, np.float32), np.empty(n, np.int32)
    library.alias_table(weights * (n / weights.sum()), np.empty(n, np.int32), n, chance, alias)
    return chance, alias
