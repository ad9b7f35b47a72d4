"""Stage `evaluate`: how well a model continues playlists that it never saw."""

from song2vec.evaluate.evaluating import evaluate

__all__ = ["evaluate"]
