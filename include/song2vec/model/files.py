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
from song2vec_client.format.layout import CONTEXT, VECTORS
from song2vec_client.model import SongModel

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Model:
    """Vectors and the songs they belong to; row ``i`` is the same song everywhere.

    Attributes:
        vocabulary: the songs and how often each was seen.
        vectors: float32 (songs, dimensions), the input vectors.
        context: float32 (songs, dimensions), the output vectors (gensim's ``syn1neg``).
    """

    vocabulary: Vocabulary
    vectors: Floats
    context: Floats

    def served(self) -> SongModel:
        """The model as services ask it."""
        return SongModel(self.vocabulary.songs, self.vocabulary.counts, self.vectors, self.context)


def write_model(folder: Path, model: Model) -> None:
    """Fill the empty `folder` with all files of `model` but gensim's."""
    songs, counts = model.vocabulary.songs, model.vocabulary.counts
    np.save(folder / VECTORS, np.ascontiguousarray(model.vectors))
    np.save(folder / CONTEXT, np.ascontiguousarray(model.context))
    np.save(folder / "songs.npy", songs)
    np.save(folder / "counts.npy", counts)
    columns = [to_arrow(numbers) for numbers in (np.arange(len(songs)), songs, counts)]
    pq.write_table(pa.table(columns, schema=SONGS), folder / "songs.parquet")
    _write_word2vec(folder / "song2vec.bin", songs, model.vectors)


def read_model(folder: Path) -> Model:
    """Read the arrays that `write_model` wrote; the two matrices stay on disk until used.

    Raises:
        DataError: a file is missing, or the arrays do not belong together.
    """
    names = ["vectors", "context", "songs", "counts"]
    missing = [f"{name}.npy" for name in names if not (folder / f"{name}.npy").is_file()]
    if missing:
        raise DataError(f"{folder} lacks {', '.join(missing)}: expected a folder that song2vec train wrote")
    arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in names}
    vectors, context, songs, counts = arrays.values()
    if not (vectors.ndim == 2 and vectors.shape == context.shape and len(vectors) == len(songs) == len(counts)):
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise DataError(f"{folder}: found {shapes}; expected one row a song in each. Train again.")
    return Model(Vocabulary(np.array(songs), np.array(counts)), vectors, context)


def _write_word2vec(path: Path, songs: Ints, vectors: Floats) -> None:
    """word2vec's binary format: a line with the sizes; then for each song its number, a blank and its vector."""
    with path.open("wb") as file:
        file.write(b"%d %d\n" % vectors.shape)
        for song, vector in zip(songs, vectors, strict=True):
            file.write(b"%d %s" % (song, vector.astype("<f4").tobytes()))
