"""The trigger form shows every setting once, with the deployment's values and the definition's bounds.

Of what it sends, that counts which a person changed.
"""

import json
from contextlib import contextmanager

import pytest
from airflow.sdk import DAG, BaseOperator
from airflow.sdk.definitions.param import process_params
from airflow.sdk.exceptions import ParamValidationError
from airflow.serialization.serialized_objects import DagSerialization
from hypothesis import given, settings
from hypothesis import strategies as st

from song2vec.errors import SettingsError
from song2vec.settings import about, load_settings, run_sections, sections
from song2vec_airflow.params import SHOWN, overrides, trigger_form


@contextmanager
def machine(own):
    """A machine of the deployment; `own` are the settings in its environment."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in own.items():
            environment.setenv(variable(name), str(value))
        yield


def variable(name):
    return f"SONG2VEC_{name.replace('.', '__').upper()}"


def parsed():
    """A DAG with the form as a machine parses its file, and its task."""
    with DAG("a_dag", schedule=None, params=trigger_form()) as dag:
        return dag, BaseOperator(task_id="a_task")


def form_of(processor):
    """The form as Airflow serves it to the browser, made on a DAG processor with the settings `processor`."""
    with machine(processor):
        written = json.dumps(DagSerialization.to_dict(parsed()[0]))
    return DagSerialization.from_dict(json.loads(written)).params


def sent_by(form, changes=()):
    """What the browser sends: all fields, among them those that a person changed. JavaScript has no 1.0, but 1."""
    conf = json.dumps({**form.dump(), **dict(changes)})
    return json.loads(conf, parse_float=lambda text: int(float(text)) if float(text).is_integer() else float(text))


def task_on(worker, conf):
    """The settings of a task, with `conf` as Airflow accepted it, on a worker with the settings `worker`."""
    with machine(worker):
        form_of({}).deep_merge(conf).validate()
        dag, task = parsed()
        return load_settings(overrides(process_params(dag, task, conf, suppress_exception=False), conf))


def loaded_on(worker, **changes):
    with machine(worker):
        return load_settings(changes)


def test_every_setting_of_a_run_is_in_the_form_under_its_own_name_but_those_of_a_machine():
    every = {(section, name) for section, model in run_sections().items() for name in model.model_fields}
    of_a_machine = {(section, name) for section, name in every if not about(sections()[section], name).form}

    assert set(trigger_form()) - {SHOWN} == {".".join(setting) for setting in every - of_a_machine}
    assert of_a_machine == {("prepare", "memory"), ("prepare", "threads"), ("train", "workers")}


@pytest.mark.parametrize("epochs", [7, 100])
@pytest.mark.parametrize("trainer", ["song2vec", "gensim"])
def test_what_the_form_gives_is_what_a_scheduled_run_would_use(monkeypatch, trainer, epochs):
    monkeypatch.setenv("SONG2VEC_TRAIN__TRAINER", trainer)
    monkeypatch.setenv("SONG2VEC_TRAIN__EPOCHS", str(epochs))

    form = {name: param.resolve() for name, param in trigger_form().items() if name != SHOWN}

    assert load_settings().train.epochs == epochs
    given = {name: "" if value is None else value for name, value in form.items()}
    assert load_settings(given) == load_settings()


values = {
    "train.epochs": st.integers(1, 10_000),
    "train.alpha": st.floats(0.01, 1),
    "gate.min_ndcg": st.floats(0, 1),
    "gate.approval": st.booleans(),
    "extract.position_column": st.sampled_from(["", "position", "rank"]),
    "retention.after_run": st.sampled_from(["off", "show", "delete"]),
}
deployments = st.fixed_dictionaries({}, optional=values)


@settings(max_examples=20)
@given(processor=deployments, worker=deployments, changes=deployments)
def test_what_was_changed_on_the_form_counts_and_else_the_workers_own_settings(processor, worker, changes):
    form = form_of(processor)
    typed = {name: None if value == "" else value for name, value in changes.items()}
    changed = {name: value for name, value in changes.items() if form[name] != typed[name]}

    assert task_on(worker, sent_by(form, typed)) == loaded_on(worker, **changed)


def test_a_file_of_the_worker_counts_too(tmp_path):
    (tmp_path / "song2vec.toml").write_text("[train]\nepochs = 7\n[gate]\nmin_ndcg = 0.5\n")
    form = form_of({"train.epochs": 30})

    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SONG2VEC_CONFIG", str(tmp_path / "song2vec.toml"))
        settings = task_on({}, sent_by(form, {"train.window": 9, "gate.min_ndcg": 0.25}))

    assert (settings.train.epochs, settings.train.window, settings.gate.min_ndcg) == (7, 9, 0.25)


@pytest.mark.parametrize("conf", [None, {}])
def test_a_schedule_uses_the_workers_settings(conf):
    assert task_on({"train.epochs": 7}, conf) == loaded_on({"train.epochs": 7})


def test_all_that_is_sent_without_the_form_counts_also_what_is_not_on_it():
    conf = {"train.epochs": 20, "train.workers": 2, "extract.position_column": None}

    settings = task_on({"train.epochs": 7, "train.workers": 1}, conf)

    assert (settings.train.epochs, settings.train.workers, settings.extract.position_column) == (20, 2, "")


def test_a_run_that_is_triggered_again_with_what_an_older_form_sent_changes_the_same():
    older = sent_by(form_of({"gate.min_ndcg": 0.1}), {"train.window": 9})

    settings = task_on({"gate.min_ndcg": 0.5}, older)

    assert settings == loaded_on({"gate.min_ndcg": 0.5}, **{"train.window": 9})


def test_a_name_that_does_not_exist_is_said_so():
    with pytest.raises(SettingsError, match=r"there is no setting 'train\.epoch'"):
        task_on({}, {"train.epoch": 3})


def test_the_form_says_what_it_showed_in_a_field_that_nobody_sees():
    form = trigger_form()
    hidden = form.pop(SHOWN)

    assert hidden.resolve() == {name: param.resolve() for name, param in form.items()}
    assert hidden.schema["const"], "Airflow's form hides a field that has a const"
    assert hidden.schema["section"] in {param.schema["section"] for param in form.values()}
    assert hidden.resolve({"train.epochs": 1}) == {"train.epochs": 1}


@pytest.mark.parametrize(
    ("name", "value"),
    [("train.epochs", 0), ("train.epochs", "many"), ("train.trainer", "magic"), ("publish.channel", "Production!")],
)
def test_a_value_out_of_bounds_is_refused_by_the_form_itself(name, value):
    with pytest.raises(ParamValidationError):
        trigger_form()[name].resolve(value)


def test_choosing_gensim_in_the_form_chooses_the_original_settings_too():
    assert task_on({}, sent_by(form_of({}), {"train.trainer": "gensim"})) == load_settings({"train.trainer": "gensim"})
    assert "Empty: 200, with gensim 100." in str(trigger_form()["train.epochs"].description)


@pytest.mark.parametrize("deployed", ["", "something"])
@pytest.mark.parametrize("name", ["extract.query", "extract.position_column", "check_data.override", "gate.force"])
def test_a_text_field_may_be_emptied_where_empty_means_something(monkeypatch, name, deployed):
    monkeypatch.setenv(variable(name), deployed)
    field = trigger_form()[name]

    assert field.resolve() == (deployed or None)
    assert field.resolve(None) is None
    assert field.resolve("text") == "text"


@pytest.mark.parametrize("name", ["publish.channel", "extract.table"])
def test_a_text_field_may_not_be_emptied_where_it_is_needed(name):
    with pytest.raises(ParamValidationError):
        trigger_form()[name].resolve(None)


def test_a_field_says_what_its_number_counts_and_what_0_and_nothing_mean():
    form = trigger_form()

    assert form["extract.timeout"].schema["title"] == "Timeout (seconds)"
    assert form["gate.approval_hours"].schema["title"] == "Approval Hours"
    assert form["gate.min_slice_ndcg"].description == "Lowest nDCG on every slice. 0: not asked."
    assert form["extract.position_column"].description.endswith("Empty: in the order the table gives them.")


def test_the_form_shows_no_markdown():
    for param in trigger_form().values():
        assert "`" not in param.description + param.schema["section"]
