"""Stage `prune`: which versions need not stay, and what crashed uploads left behind.

- `pruning`: what goes, and how it is deleted
- `retention`: the rules for what stays, and why
"""

from song2vec.prune.pruning import clean, prune, prune_after_run

__all__ = ["clean", "prune", "prune_after_run"]
