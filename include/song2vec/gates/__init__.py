"""Stages `check_data` and `gate`: may this data be trained on, may this model go live; rules, figures, a verdict."""

from song2vec.gates.approval import answered, question
from song2vec.gates.data_gate import check_data, insist
from song2vec.gates.model_gate import gate, may_promote

__all__ = ["answered", "check_data", "gate", "insist", "may_promote", "question"]
