"""A trained model in memory and as files.

- `files`: vectors, songs, counts and neighbours as arrays, and word2vec's format
- `gensim_format`: as gensim saves a model
"""

from song2vec.model.files import Floats, Model, read_model, write_model
from song2vec.model.gensim_format import GENSIM, gensim_model, write_gensim

__all__ = ["GENSIM", "Floats", "Model", "gensim_model", "read_model", "write_gensim", "write_model"]
