"""Raw rows in Parquet: what `extract` and `collect` write and `prepare` reads.

- `writing`: rows of one file or table to Parquet, numbers apart from texts
- `reading`: which files there are, and their rows, a row group at a time
"""

from song2vec.raw.reading import Piece, RawFile, raw_files
from song2vec.raw.writing import LineNumbers, RawWriter, raw_file

__all__ = ["LineNumbers", "Piece", "RawFile", "RawWriter", "raw_file", "raw_files"]
