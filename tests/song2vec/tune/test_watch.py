"""The pruner hears how a training ranks, step by step, and the training is ended when it is behind or out of time."""

from typing import Any

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from song2vec.tune.watch import BEHIND, OUT_OF_TIME, Watch

SPACE: dict[str, Any] = {"x": optuna.distributions.FloatDistribution(0, 1)}


def asked(others=()):
    """A trial beside complete ones, which ranked so after every step."""
    study = optuna.create_study(direction="maximize", pruner=optuna.pruners.MedianPruner(n_startup_trials=1))
    for ranking in others:
        steps = dict.fromkeys(range(1, 11), ranking)
        study.add_trial(
            optuna.create_trial(params={"x": 0.5}, distributions=SPACE, value=ranking, intermediate_values=steps)
        )
    return study.ask(SPACE)


def reported(trial):
    return trial.study.trials[trial.number].intermediate_values


@given(st.lists(st.none() | st.floats(0, 1), max_size=30))
def test_every_ranking_is_reported_once_under_its_epoch_however_often_the_watch_is_asked(rankings):
    trial = asked()
    watch = Watch(trial, seconds=100, tell=lambda _: None)

    for done in range(len(rankings) + 1):
        assert watch(rankings[:done])
        assert watch(rankings[:done])

    assert reported(trial) == {epoch: ranking for epoch, ranking in enumerate(rankings, 1) if ranking is not None}


def test_a_training_that_went_on_from_a_checkpoint_reports_what_was_before_too():
    trial = asked()

    assert Watch(trial, seconds=100, tell=lambda _: None)([None, 0.1, None, 0.2])

    assert reported(trial) == {2: 0.1, 4: 0.2}


def test_it_ends_what_is_behind_half_of_the_others():
    behind, ahead = (Watch(asked([0.1, 0.3, 0.5]), 100, lambda _: None) for _ in range(2))

    assert behind([None, 0.2]) is False
    assert ahead([None, 0.4]) is True
    assert (behind.why, ahead.why) == (BEHIND, "")


@pytest.mark.parametrize("rankings", [[], [0.9]])
def test_it_ends_what_has_no_time_left_in_the_middle_of_an_epoch_too(rankings):
    told = []
    watch = Watch(asked(), seconds=0, tell=told.append)

    assert watch(rankings) is False
    assert watch.why == OUT_OF_TIME
    assert told
