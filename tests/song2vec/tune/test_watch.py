"""The pruner hears how a training ranks, step by step, and the training is ended when it is behind or out of time."""

from typing import Any

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from song2vec.tune.watch import BEHIND, OUT_OF_TIME, STEPS, Watch

SPACE: dict[str, Any] = {"x": optuna.distributions.FloatDistribution(0, 1)}


def asked(others=()):
    """A trial beside complete ones, which ranked so after every step."""
    study = optuna.create_study(direction="maximize", pruner=optuna.pruners.MedianPruner(n_startup_trials=1))
    for ranking in others:
        steps = dict.fromkeys(range(1, STEPS + 1), ranking)
        study.add_trial(
            optuna.create_trial(params={"x": 0.5}, distributions=SPACE, value=ranking, intermediate_values=steps)
        )
    return study.ask(SPACE)


def reported(trial):
    return trial.study.trials[trial.number].intermediate_values


def test_a_ranking_is_reported_at_its_share_of_the_training():
    trial = asked()
    watch = Watch(trial, epochs=20, seconds=100, tell=lambda _: None)

    for rankings in ([None] * 5, [None] * 4 + [0.1], [None] * 4 + [0.1] + [None] * 4 + [0.2]):
        assert watch(rankings)

    assert reported(trial) == {2: 0.1, 5: 0.2}


@given(st.integers(1, 300), st.integers(1, 7))
def test_no_step_is_reported_twice_however_often_the_watch_is_asked(epochs, every):
    trial = asked()
    watch = Watch(trial, epochs, seconds=100, tell=lambda _: None)

    for done in range(1, epochs + 1):
        rankings = [epoch / epochs if epoch % every == 0 else None for epoch in range(1, done + 1)]
        assert watch(rankings)
        assert watch(rankings)

    steps = reported(trial)
    assert set(steps) <= set(range(1, STEPS + 1))
    assert all(step <= STEPS * ranking < step + 1 for step, ranking in steps.items())


def test_it_ends_what_is_behind_half_of_the_others():
    behind, ahead = (Watch(asked([0.1, 0.3, 0.5]), 10, 100, lambda _: None) for _ in range(2))

    assert behind([None, 0.2]) is False
    assert ahead([None, 0.4]) is True
    assert (behind.why, ahead.why) == (BEHIND, "")


@pytest.mark.parametrize("rankings", [[], [0.9]])
def test_it_ends_what_has_no_time_left_in_the_middle_of_an_epoch_too(rankings):
    told = []
    watch = Watch(asked(), 10, seconds=0, tell=told.append)

    assert watch(rankings) is False
    assert watch.why == OUT_OF_TIME
    assert told
