"""The original trainer: gensim's Word2Vec, skip-gram or CBOW, with negative sampling."""

from collections.abc import Generator, Iterator

import numpy as np

from song2vec.model import Model, gensim_model
from song2vec.playlists.corpus import Ragged, Vocabulary
from song2vec.plumbing.interrupt import Stop
from song2vec.plumbing.threads import thread_count
from song2vec.settings import TrainSettings
from song2vec.train.checkpoint import Arrays

LONGEST_SENTENCE = 10_000  # gensim 4.4 silently ignores the words of a sentence after so many (MAX_SENTENCE_LEN)


class GensimTrainer:
    """gensim's own Word2Vec. With one worker the result is the same to the bit for the same seed."""

    def __init__(
        self, playlists: Ragged, vocabulary: Vocabulary, settings: TrainSettings, _state: Arrays | None
    ) -> None:
        """Make the untrained model; see `training.TRAINERS`."""
        self._vocabulary, self._settings = vocabulary, settings
        self._sentences = _Sentences(playlists, vocabulary)
        self._word2vec = gensim_model(vocabulary, settings, thread_count(settings.workers))

    @property
    def model(self) -> Model:
        """The model as it is now."""
        return Model(self._vocabulary, self._word2vec.wv.vectors, self._word2vec.syn1neg)

    def state(self) -> None:
        """None: gensim cannot go on within an epoch, and starts anew."""

    def epoch(self, epoch: int, _chunks: int, _stop: Stop) -> Generator[int, None, None]:
        """Train an epoch, without a pause; the learning rate falls over all epochs as in one call for them all."""
        first, last = self._settings.alpha, self._settings.min_alpha
        begin, end = (first - (first - last) * done / self._settings.epochs for done in (epoch, epoch + 1))
        self._word2vec.alpha, self._word2vec.min_alpha = begin, end
        self._word2vec.train(self._sentences, total_examples=self._sentences.total, epochs=1)
        yield from ()


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
