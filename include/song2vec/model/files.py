"""A trained model as files: arrays for the client, and word2vec's binary format."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from song2vec.errors import DataError
from song2vec.playlists.corpus import Ints, Vocabulary
from song2vec.playlists.tables import SONGS
from song2vec.plumbing.arrays import to_arrow
from song2vec_client.errors import CorruptModelError, NotFoundError
from song2vec_client.format.layout import CONTEXT, NEIGHBOUR_WEIGHTS, NEIGHBOURS, ONE_WAY, VECTORS
from song2vec_client.model import SongModel
from song2vec_client.vote import Neighbours, Vote, one_way, two_way

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Model:
    """Vectors and the songs they belong to; row ``i`` is the same song everywhere.

    Attributes:
        vocabulary: the songs and how often each was seen.
        vectors: float32 (songs, dimensions), the input vectors.
        context: float32 (songs, dimensions), the output vectors (gensim's ``syn1neg``).
        scoring: how it continues playlists, which follows from how it was trained: see `song2vec_client.vote`.
        neighbours: the strongest neighbours of each song, of a model that is scored two-way; None: not yet there.
    """

    vocabulary: Vocabulary
    vectors: Floats
    context: Floats
    scoring: str = ONE_WAY
    neighbours: Neighbours | None = None

    @classmethod
    def of(cls, served: SongModel) -> "Model":
        """A model that services ask, with all that it is made of."""
        vocabulary = Vocabulary(np.array(served.songs), np.array(served.counts))
        return cls(vocabulary, served.vectors, served.context, served.scoring, served.neighbours)

    def vote(self) -> Vote:
        """How it continues playlists: as when served, but for rounding, without unit vectors beside the vectors."""
        if self.scoring == ONE_WAY:
            return one_way(self.vectors, self.context)
        return two_way(self.vectors, self.context, self.vocabulary.counts, self.neighbours, unit=False)

    def served(self) -> SongModel:
        """The model as services ask it."""
        songs, counts = self.vocabulary.songs, self.vocabulary.counts
        return SongModel(songs, counts, self.vectors, self.context, neighbours=self.neighbours, scoring=self.scoring)


def write_model(folder: Path, model: Model) -> None:
    """Fill the empty `folder` with all files of `model` but gensim's."""
    songs, counts = model.vocabulary.songs, model.vocabulary.counts
    np.save(folder / VECTORS, np.ascontiguousarray(model.vectors))
    np.save(folder / CONTEXT, np.ascontiguousarray(model.context))
    if model.neighbours:
        np.save(folder / NEIGHBOURS, model.neighbours.rows)
        np.save(folder / NEIGHBOUR_WEIGHTS, model.neighbours.weights)
    np.save(folder / "songs.npy", songs)
    np.save(folder / "counts.npy", counts)
    columns = [to_arrow(numbers) for numbers in (np.arange(len(songs)), songs, counts)]
    pq.write_table(pa.table(columns, schema=SONGS), folder / "songs.parquet")
    _write_word2vec(folder / "song2vec.bin", songs, model.vectors)


def read_model(folder: Path) -> Model:
    """Read the arrays that `write_model` wrote; what is large stays on disk until used.

    Raises:
        DataError: a file is missing, or the arrays do not belong together.
    """
    try:
        return Model.of(SongModel.open(folder))
    except (NotFoundError, CorruptModelError) as error:
        raise DataError(f"{folder}: expected a folder that song2vec train wrote; {error}") from None


def _write_word2vec(path: Path, songs: Ints, vectors: Floats) -> None:
    """word2vec's binary format: a line with the sizes; then for each song its number, a blank and its vector."""
    with path.open("wb") as file:
        file.write(b"%d %d\n" % vectors.shape)
        for song, vector in zip(songs, vectors, strict=True):
            file.write(b"%d %s" % (song, vector.astype("<f4").tobytes()))
