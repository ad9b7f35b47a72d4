"""What is tuned, and that whatever is tried is a setting that may be."""

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from song2vec.errors import SettingsError
from song2vec.settings import TrainSettings, load_settings
from song2vec.tune.space import SPACE, apply, distributions, today_of, tried

TODAY = today_of(TrainSettings())


def drawn(today, seed):
    """What a trial draws at random."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    return study.ask(distributions(today)).params


@given(st.integers(0, 2**31 - 1))
def test_whatever_is_drawn_can_be_trained_with_and_written_down_as_it_is(seed):
    values = tried(TODAY, drawn(TODAY, seed))

    settings = apply(TrainSettings(), values)

    assert {name: getattr(settings, name) for name in SPACE} == values
    assert load_settings({f"train.{name}": str(value) for name, value in values.items()}).train == settings


def test_the_defaults_are_in_the_ranges():
    for name, span in SPACE.items():
        assert span.low <= TODAY[name] <= span.high, name


def test_a_value_of_today_outside_a_range_widens_it_and_is_not_rounded():
    today = today_of(TrainSettings(alpha=0.98765, min_alpha=0, weight_decay=0, window=1))

    space = distributions(today)

    assert all(space[name]._contains(space[name].to_internal_repr(value)) for name, value in today.items())
    assert tried(today, today) == today


def test_a_trainer_that_the_space_is_not_of_is_refused():
    with pytest.raises(SettingsError, match=r"train\.trainer=gensim cannot be tuned"):
        today_of(TrainSettings(trainer="gensim"))


def test_a_value_that_may_not_be_is_refused_as_a_setting():
    with pytest.raises(SettingsError, match="less than or equal to 1"):
        apply(TrainSettings(), {"alpha": 2.0})
