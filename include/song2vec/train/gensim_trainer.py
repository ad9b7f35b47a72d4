"""The original trainer: gensim's Word2Vec, skip-gram with negative sampling."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import numpy as np

from song2vec.model import Model, gensim_model
from song2vec.playlists.corpus import Ragged, Vocabulary
from song2vec.settings import TrainSettings
from song2vec.train.epochs import Epochs

LONGEST_SENTENCE = 10_000  # gensim 4.4 silently ignores the words of a sentence after so many (MAX_SENTENCE_LEN)


class GensimTrainer:
    """gensim's own Word2Vec. With one worker the result is the same to the bit for the same seed."""

    def train(self, playlists: Ragged, vocabulary: Vocabulary, settings: TrainSettings, epochs: Epochs) -> Model:
        """Train on `playlists`; see `training.Trainer`. Without checkpoints: gensim has no state to save."""
        sentences = _Sentences(playlists, vocabulary)
        model = gensim_model(vocabulary, settings)

        def after_epoch() -> None:
            epochs.end(model.wv.vectors, model.syn1neg)
            if not epochs.going_on:
                raise _EnoughError

        callback = _after_each_epoch(after_epoch)
        with suppress(_EnoughError):
            model.train(sentences, total_examples=sentences.total, epochs=settings.epochs, callbacks=[callback])
        epochs.restore_best(model.wv.vectors, model.syn1neg)
        return Model(vocabulary, model.wv.vectors, model.syn1neg)


class _EnoughError(Exception):
    """Ends gensim's loop early; there is no other way out of it."""


class _Sentences:
    """The playlists as gensim reads them, again at every epoch: lists of words."""

    def __init__(self, playlists: Ragged, vocabulary: Vocabulary) -> None:
        self.playlists = playlists
        self.words = list(map(str, vocabulary.songs.tolist()))
        self.total = int(np.ceil(playlists.lengths / LONGEST_SENTENCE).sum())

    def __iter__(self) -> Iterator[list[str]]:
        words = self.words
        for playlist in self.playlists.lists():
            for start in range(0, len(playlist), LONGEST_SENTENCE):
                yield [words[row] for row in playlist[start : start + LONGEST_SENTENCE].tolist()]


def _after_each_epoch(call: Callable[[], None]) -> Any:
    from gensim.models.callbacks import CallbackAny2Vec

    class AfterEpoch(CallbackAny2Vec):  # type: ignore[misc]
        def on_epoch_end(self, model: Any) -> None:
            call()

    return AfterEpoch()
