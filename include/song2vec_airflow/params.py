"""The DAG's trigger form, made from the one definition of the settings, and what a person changed on it."""

from collections.abc import Mapping
from typing import Any

from airflow.sdk import Param

from song2vec.settings import About, Section, about, load_settings, run_sections, sections

SHOWN = "shown"
"""The hidden field by which the form says what its fields showed when it was opened."""

_BOUNDS = ("type", "enum", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "pattern", "maxLength")


def trigger_form(*names: str) -> dict[str, Param]:
    """A Param for each setting that is on the form, named ``section.setting`` as for ``--set``, and `SHOWN`.

    The defaults are what the deployment set (environment, settings file), so the form shows what a
    scheduled run would use. A setting whose default depends on the trainer is empty unless the deployment set it,
    so that choosing the other trainer is one choice.

    Args:
        names: the sections on the form, in this order; without: those of a run of the pipeline.
    """
    current = load_settings().model_dump(mode="json")
    listed = {name: sections()[name] for name in names} or run_sections()
    trainer = current["train"]["trainer"]
    form = {
        f"{name}.{field}": _param(_heading(name, section), schema, facts, current[name][field], trainer)
        for name, section in listed.items()
        for field, schema in section.model_json_schema()["properties"].items()
        if (facts := about(section, field)).form
    }
    return form | {SHOWN: _shown(form)}


def overrides(params: Mapping[str, Any], conf: Mapping[str, Any] | None) -> dict[str, Any]:
    """The settings that whoever triggered the run asks for, as `load_settings` takes them.

    The form sends all its fields, changed or not, with what they showed in `SHOWN`; where a field has that value still,
    the worker's own environment and file count, which need not be those of the DAG processor that made the form.
    ``--conf`` and the REST API send what was asked for and no `SHOWN`: all of it counts. A schedule sends nothing.

    Args:
        params: the run's, as Airflow checked them.
        conf: the run's, as it was sent.
    """
    sent = conf or {}
    shown = sent.get(SHOWN, {})
    changed = (name for name in sent if "." in name and not (name in shown and sent[name] == shown[name]))
    return {name: "" if params[name] is None else params[name] for name in changed if name in params}


def _param(section: str, schema: dict[str, Any], facts: About, value: Any, trainer: str) -> Param:
    description, bounds = facts.sentences, {key: schema[key] for key in _BOUNDS if key in schema}
    if schema.get("const") is not None:
        bounds["enum"] = [schema["const"]]
    if facts.gensim is not None:
        description += f" Empty: {schema['default']}, with gensim {facts.gensim}."
        value = "" if value == (facts.gensim if trainer == "gensim" else schema["default"]) else value
    if value == "" or facts.empty or facts.gensim is not None:
        bounds["type"] = [bounds["type"], "null"]  # the form sends an empty field as null
    title = schema["title"] if facts.unit in schema["title"].lower() else f"{schema['title']} ({facts.unit})"
    return Param(value if value != "" else None, _plain(description), title=title, section=section, **bounds)


def _shown(form: Mapping[str, Param]) -> Param:
    """What the fields of the form show, in a field that the form sends with them and does not show itself.

    Only so can a task know: it has the params as its own worker parses the DAG file, not as the form had them.
    Airflow's form hides a field that has a `const`. JSON Schema knows `const` from draft 6 on; by draft 4 it is no
    rule, and must be none: what was shown may differ from what is there when the form is sent, or when the task runs.
    """
    return Param(
        {name: param.value for name, param in form.items()},
        "What the fields showed: one that still has this value is no override. Leave it out, and all fields count.",
        schema={
            "$schema": "http://json-schema.org/draft-04/schema#",
            "type": "object",
            "const": "hidden",
            "section": next(iter(form.values())).schema["section"],  # one of its own would be shown, and empty
        },
    )


def _heading(name: str, section: type[Section]) -> str:
    return _plain(f"{name}: {section.__doc__}".rstrip("."))


def _plain(text: str) -> str:
    """Without the backticks of Markdown, which the form shows as they are."""
    return text.replace("`", "")
