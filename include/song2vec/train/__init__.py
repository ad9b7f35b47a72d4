"""Stage `train`: playlists become vectors."""

from song2vec.train.training import train

__all__ = ["train"]
