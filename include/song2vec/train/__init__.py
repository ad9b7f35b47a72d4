"""Stage `train`: playlists become vectors.

- `training`: the stage: what is read, counted and set aside before, and written after.
- `loop`: one epoch after the other, and what is done after each; what a trainer is.
- `skipgram_trainer`: our own trainer. `skipgram`: its maths. `compiled`: its hot loop, ``compiled.c``, from Python.
- `gensim_trainer`: gensim's Word2Vec as a trainer.
- `measuring`: the loss and the ranking.
- `neighbours`: the strongest neighbours of each song, which vote beside its vectors.
- `history`: what each epoch did, in the log and in ``training.json``.
- `stopping`: when it is enough, and which epoch counts.
- `checkpoint`: the state on disk, to go on from after a crash.
- `alignment`: the new vectors are turned onto those of the version before.
"""

from song2vec.train.loop import Observer
from song2vec.train.training import train

__all__ = ["Observer", "train"]
