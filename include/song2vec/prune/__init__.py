"""Stage `prune`: which versions need not stay, and what crashed uploads left behind."""

from song2vec.prune.pruning import clean, prune

__all__ = ["clean", "prune"]
