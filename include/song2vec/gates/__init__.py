"""Stages `check_data` and `gate`: may this data be trained on, may this model go live; rules, figures, a verdict.

- `data_gate`: stage `check_data`
- `model_gate`: stage `gate`, and whether its verdict lets a channel move
- `model_rules`, `golden_rules`: the rules of `gate`
- `verdict`: rules with limits become a sentence; what both gates share
- `approval`: what a person is asked before a channel moves, and the answer in a sentence
"""

from song2vec.gates.approval import answered, question
from song2vec.gates.data_gate import check_data, insist
from song2vec.gates.model_gate import gate, judge_golden_songs, may_promote

__all__ = ["answered", "check_data", "gate", "insist", "judge_golden_songs", "may_promote", "question"]
