"""The settings as people read them: ``docs/configuration.md`` and ``song2vec settings`` are made here."""

from collections.abc import Iterator
from typing import Any

from song2vec.settings.definition import Settings, sections

INTRODUCTION = """\
# Configuration

Made from `include/song2vec/settings/definition.py` by `make docs`; do not edit.

A value comes from, strongest first:

1. the trigger form in Airflow's UI, or `--set train.epochs=5` on the command line, for one run;
2. an environment variable, `SONG2VEC_TRAIN__EPOCHS=5` (section and name in capitals, two underscores between);
3. the TOML file that `--config` or `SONG2VEC_CONFIG` names: `[train]`, then `epochs = 5`;
4. the default.

Secrets and addresses are not settings. In Airflow they are Connections: `mariadb_default` (the database) and
`song2vec_models` (the model store, extra `{"store": "gs://BUCKET/PREFIX"}`). On the command line they are
`--url` and `--to`/`--from`, or the environment variables `SONG2VEC_DATABASE_URL` and `SONG2VEC_STORE`.
Files of a run live under `SONG2VEC_WORKSPACE`, a folder or `gs://BUCKET/PREFIX` (default `.data/workspace`).
"""


def rows(settings: Settings) -> Iterator[dict[str, Any]]:
    """One row a setting: its name, its value now, default, bounds and description."""
    for section, model in sections().items():
        current = getattr(settings, section)
        for name, schema in model.model_json_schema()["properties"].items():
            yield {
                "setting": f"{section}.{name}",
                "value": getattr(current, name),
                "default": schema["default"],
                "gensim": schema.get("gensim", schema["default"]),
                "allowed": allowed(schema),
                "description": schema["description"],
            }


def allowed(schema: dict[str, Any]) -> str:
    """The type and bounds of a setting in words: ``integer, 1 to 100``."""
    if "enum" in schema or "const" in schema:
        return ", ".join(map(str, schema.get("enum", [schema.get("const")])))
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    above = "above " if "exclusiveMinimum" in schema else ""
    bounds = f", {above}{low:,} to {high:,}" if low is not None and high is not None else ""
    kind = str(schema["type"])
    return {"string": "text"}.get(kind, kind) + bounds


def markdown(settings: Settings) -> str:
    """``docs/configuration.md``."""
    parts = [INTRODUCTION]
    table = list(rows(settings))
    for section, model in sections().items():
        parts += [
            f"\n## {section}\n\n{model.__doc__}\n",
            "| setting | default | allowed | |",
            "| --- | --- | --- | --- |",
        ]
        parts += [
            f"| `{row['setting']}` | {_default(row)} | {row['allowed']} | {row['description']} |"
            for row in table
            if row["setting"].startswith(f"{section}.")
        ]
    return "\n".join(parts) + "\n"


def _default(row: dict[str, Any]) -> str:
    both = [_code(row["default"])]
    if row["gensim"] != row["default"]:
        both.append(f"gensim: {_code(row['gensim'])}")
    return "; ".join(both)


def _code(value: Any) -> str:
    return f"`{value}`" if value != "" else "(empty)"
