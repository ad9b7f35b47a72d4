"""The settings as people read them: ``docs/configuration.md``, ``song2vec settings`` and the help of each command."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from song2vec.settings.loading import Settings, run_sections, sections
from song2vec.settings.section import About, Section, about

INTRODUCTION = """\
# Configuration

Made from `include/song2vec/settings/` by `make docs`; do not edit.

A value comes from, strongest first:

1. for one run: `--set train.epochs=5` on the command line, `--conf '{"train.epochs": 5}'` of `airflow dags trigger`, or
   what a person changed on the trigger form in Airflow's UI;
2. an environment variable, `SONG2VEC_TRAIN__EPOCHS=5` (section and name in capitals, two underscores between);
3. the TOML file that `--config` or `SONG2VEC_CONFIG` names: `[train]`, then `epochs = 5`;
4. the default.

In Airflow the environment and the file are those of the worker that runs the task. The form shows those of the DAG
processor; a field that is left as it was shown is not an override, and the worker's own value counts. Set them alike,
but for what belongs to a machine: such settings, marked ° below, are not on the form.

*Model* says whether another value gives another model from the same database and files.

Secrets and addresses are not settings. In Airflow they are Connections: `mariadb_default` (the database) and
`song2vec_models` (the model store, extra `{"store": "gs://BUCKET/PREFIX"}`). On the command line they are
`--url` and `--to`/`--from`, or the environment variables `SONG2VEC_DATABASE_URL` and `SONG2VEC_STORE`.
Files of a run live under `SONG2VEC_WORKSPACE`, a folder or `gs://BUCKET/PREFIX` (default `.data/workspace`).
"""


def rows(settings: Settings) -> Iterator[dict[str, Any]]:
    """One row a setting: its name, its value now, the default with each trainer, bounds, and what `About` says."""
    for section, model in sections().items():
        current = getattr(settings, section)
        for name, schema in model.model_json_schema()["properties"].items():
            facts = about(model, name)
            default = schema["default"]
            yield {
                "setting": f"{section}.{name}",
                "value": getattr(current, name),
                "default": default,
                **asdict(facts),
                "gensim": default if facts.gensim is None else facts.gensim,
                "allowed": allowed(schema, facts),
                "description": facts.sentences,
            }


def allowed(schema: dict[str, Any], facts: About) -> str:
    """The type, the bounds and the unit of a setting in words: ``integer, 1 to 100 songs``."""
    if "enum" in schema or "const" in schema:
        return ", ".join(map(str, schema.get("enum", [schema.get("const")])))
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    above = "above " if "exclusiveMinimum" in schema else ""
    bounds = f", {above}{low:,} to {high:,} {facts.unit}".rstrip() if low is not None and high is not None else ""
    kind = str(schema["type"])
    return {"string": "text"}.get(kind, kind) + bounds


def markdown() -> str:
    """``docs/configuration.md``."""
    return INTRODUCTION + "".join(_section(name, model) for name, model in sections().items())


def _section(name: str, model: type[Section]) -> str:
    schemas = model.model_json_schema()["properties"]
    lines = [
        f"\n## {name}\n\n{model.__doc__}\n",
        "| setting | default | allowed | model | |",
        "| --- | --- | --- | --- | --- |",
        *(_line(f"{name}.{field}", schema, about(model, field)) for field, schema in schemas.items()),
    ]
    return "\n".join(lines) + "\n"


def _line(name: str, schema: dict[str, Any], facts: About) -> str:
    machine = "" if facts.form else " °"
    model = "another" if facts.affects_model else "same"
    return f"| `{name}`{machine} | {_default(schema, facts)} | {allowed(schema, facts)} | {model} | {facts.sentences} |"


def _default(schema: dict[str, Any], facts: About) -> str:
    default = facts.in_words(schema["default"])
    if schema["type"] == "string" and schema["default"]:
        default = f"`{default}`"
    return default if facts.gensim is None else f"{default}; with gensim {facts.in_words(facts.gensim)}"


def command_help(names: Sequence[str]) -> str:
    """Markdown for the help of a command: each setting of the sections with its default; ``*``: of those of a run."""
    listed = run_sections() if "*" in names else {name: sections()[name] for name in names}
    return "\n\n".join(line for name, section in listed.items() for line in _help_of(name, section))


def _help_of(name: str, section: type[Section]) -> Iterator[str]:
    yield f"**Settings of {name}**: {section.__doc__}"
    for field, info in section.model_fields.items():
        facts = about(section, field)
        yield f"- `{name}.{field} = {facts.in_words(info.default)}`  \n{facts.sentences}"
