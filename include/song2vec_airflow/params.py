"""The DAG's trigger form, made from the one definition of the settings."""

from typing import Any

from airflow.sdk import Param

from song2vec.settings import load_settings, sections

_KEPT = ("type", "enum", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "pattern", "description")


def trigger_form(*names: str) -> dict[str, Param]:
    """A Param for each setting of the sections `names` (all by default), named ``section.setting`` as for ``--set``.

    The defaults are what the deployment set (environment, settings file), so the form shows what a
    scheduled run would use. A setting whose default depends on the trainer is empty unless the deployment set it,
    so that choosing the other trainer is one choice.
    """
    current = load_settings().model_dump(mode="json")
    return {
        f"{name}.{field}": _param(
            f"{name}: {section.__doc__}", schema, current[name][field], current["train"]["trainer"]
        )
        for name, section in sections().items()
        if not names or name in names
        for field, schema in section.model_json_schema()["properties"].items()
    }


def _param(section: str, schema: dict[str, Any], default: Any, trainer: str) -> Param:
    kept = {key: schema[key] for key in _KEPT if key in schema}
    if schema.get("const") is not None:
        kept["enum"] = [schema["const"]]
    if "gensim" in schema and default == schema.get(trainer, schema["default"]):
        kept["description"] += f" Empty: {schema['default']}, with gensim {schema['gensim']}."
        default = ""
    if "" in (default, schema.get("default")) or "may_be_empty" in schema:
        kept["type"] = [kept["type"], "null"]  # the form sends an empty field as null
    kept["description"] = _plain(kept["description"])
    return Param(default if default != "" else None, title=schema["title"], section=_plain(section.rstrip(".")), **kept)


def _plain(text: str) -> str:
    """Without the backticks of Markdown, which the form shows as they are."""
    return text.replace("`", "")
