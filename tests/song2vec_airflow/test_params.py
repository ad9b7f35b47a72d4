"""The trigger form shows every setting once, with the deployment's values and the definition's bounds."""

import pytest
from airflow.sdk.exceptions import ParamValidationError

from song2vec.settings import load_settings, sections
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
    assert "Empty: 20, with gensim 100." in str(trigger_form()["train.epochs"].description)


@pytest.mark.parametrize("deployed", ["", "something"])
@pytest.mark.parametrize("name", ["extract.query", "extract.position_column", "data.override", "gate.force"])
def test_a_text_field_may_be_emptied_where_empty_means_something(monkeypatch, name, deployed):
    monkeypatch.setenv(f"SONG2VEC_{name.replace('.', '__').upper()}", deployed)
    field = trigger_form()[name]

    assert field.resolve() == (deployed or None)
    assert field.resolve(None) is None
    assert field.resolve("text") == "text"


@pytest.mark.parametrize("name", ["publish.channel", "extract.table"])
def test_a_text_field_may_not_be_emptied_where_it_is_needed(name):
    with pytest.raises(ParamValidationError):
        trigger_form()[name].resolve(None)


def test_the_form_shows_no_markdown():
    for param in trigger_form().values():
        assert "`" not in param.description + param.schema["section"]
