"""A trained model as gensim saves one, for whoever continues training or loads models with gensim."""

import logging
import shutil
from pathlib import Path
from typing import Any

from song2vec.model.files import read_model
from song2vec.playlists.corpus import Vocabulary
from song2vec.settings import TrainSettings, original_settings
from song2vec_client.format.layout import CONTEXT, VECTORS

GENSIM = "gensim/song2vec.model"


def write_gensim(folder: Path, settings: TrainSettings, threads: int) -> None:
    """Add what ``gensim.models.Word2Vec.load`` reads to the `folder` that `write_model` filled.

    gensim saves a model with vectors of one dimension; the files of its two matrices then give way to copies of ours,
    which no process has to hold. The step size is that of gensim's training, also where ours made the vectors;
    `threads` is how many it trains on with.
    """
    model = read_model(folder)
    songs, dimensions = model.vectors.shape
    alpha = original_settings()["alpha"] if settings.trainer == "song2vec" else settings.alpha
    small = settings.model_copy(update={"alpha": alpha, "vector_size": 1})
    gensim = gensim_model(model.vocabulary, small, threads)
    gensim.vector_size = gensim.layer1_size = gensim.wv.vector_size = dimensions
    (folder / "gensim").mkdir()
    gensim.save(str(folder / GENSIM), sep_limit=songs)  # an array with so many numbers has a file of its own
    for ours, theirs in ((VECTORS, "wv.vectors"), (CONTEXT, "syn1neg")):
        shutil.copyfile(folder / ours, folder / f"{GENSIM}.{theirs}.npy")


def gensim_model(vocabulary: Vocabulary, settings: TrainSettings, threads: int) -> Any:
    """Make an untrained gensim ``Word2Vec`` whose rows are those of `vocabulary`, to be trained with so many `threads`.

    ``sorted_vocab=0`` keeps our order: gensim's own sort is not stable, so that equally frequent songs
    could change places from one processor to another.
    """
    from gensim.models import Word2Vec

    logging.getLogger("gensim").setLevel(logging.WARNING)  # it reports its every step; ours is a line an epoch
    model = Word2Vec(
        sg=settings.sg,
        vector_size=settings.vector_size,
        window=settings.window,
        min_count=settings.min_count,
        negative=settings.negative,
        epochs=settings.epochs,
        alpha=settings.alpha,
        min_alpha=settings.min_alpha,
        sample=settings.sample,
        ns_exponent=settings.ns_exponent,
        seed=settings.seed,
        workers=threads,
        sorted_vocab=0,
    )
    words = map(str, vocabulary.songs.tolist())
    model.build_vocab_from_freq(dict(zip(words, vocabulary.counts.tolist(), strict=True)))
    return model
