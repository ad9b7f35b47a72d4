"""Stage `evaluate`: how well a model continues playlists that it never saw.

- `evaluating`: the stage: the model, the live version and the baselines on the same playlists
- `recommend`: what each of them recommends
- `baselines`: popular songs and item-kNN
- `protocol`: how it was measured, in words; which playlists are fair to measure on
- `golden`, `golden_file`: what the model answers to the golden songs that people keep
"""

from song2vec.evaluate.evaluating import evaluate
from song2vec.evaluate.golden import ask_golden_songs
from song2vec.evaluate.golden_file import read_golden_file
from song2vec.evaluate.recommend import continued

__all__ = ["ask_golden_songs", "continued", "evaluate", "read_golden_file"]
