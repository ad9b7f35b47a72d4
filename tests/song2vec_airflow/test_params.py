"""The trigger form shows every setting once, with the deployment's values and the definition's bounds."""

import pytest
from airflow.sdk.exceptions import ParamValidationError

from song2vec.config import load_settings, sections
from song2vec_airflow.params import trigger_form


def test_every_setting_is_in_the_form_under_its_own_name():
    form = trigger_form()

    assert set(form) == {f"{section}.{name}" for section, model in sections().items() for name in model.model_fields}


@pytest.mark.parametrize("epochs", [7, 100])
@pytest.mark.parametrize("trainer", ["song2vec", "gensim"])
def test_what_the_form_gives_is_what_a_scheduled_run_would_use(monkeypatch, trainer, epochs):
    monkeypatch.setenv("SONG2VEC_TRAIN__TRAINER", trainer)
    monkeypatch.setenv("SONG2VEC_TRAIN__EPOCHS", str(epochs))

    form = {name: param.resolve() for name, param in trigger_form().items()}

    assert load_settings().train.epochs == epochs
    given = {name: "" if value is None else value for name, value in form.items()}
    assert load_settings(given) == load_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [("train.epochs", 0), ("train.epochs", "many"), ("train.trainer", "magic"), ("publish.channel", "Production!")],
)
def test_a_value_out_of_bounds_is_refused_by_the_form_itself(name, value):
    with pytest.raises(ParamValidationError):
        trigger_form()[name].resolve(value)


def test_choosing_gensim_in_the_form_chooses_the_original_settings_too():
    form = {name: param.resolve() for name, param in trigger_form().items()} | {"train.trainer": "gensim"}

    given = {name: "" if value is None else value for name, value in form.items()}

    assert load_settings(given) == load_settings({"train.trainer": "gensim"})
    assert "Empty: 20, with gensim 100." in trigger_form()["train.epochs"].description


def test_an_empty_text_field_is_allowed():
    assert trigger_form()["extract.query"].resolve(None) is None
