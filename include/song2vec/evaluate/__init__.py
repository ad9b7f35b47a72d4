"""Stage `evaluate`: how well a model continues playlists that it never saw.

- `evaluating`: the stage: the model, the live version and the baselines on the same playlists
- `recommend`: what each of them recommends
- `baselines`: popular songs and item-kNN
- `protocol`: how it was measured, in words; which playlists are fair to measure on
"""

from song2vec.evaluate.evaluating import evaluate
from song2vec.evaluate.recommend import continued

__all__ = ["continued", "evaluate"]
