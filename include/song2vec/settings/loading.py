"""Where the value of a setting comes from: strongest first, what one run asks for, the environment, the file."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    InitSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from song2vec.errors import SettingsError
from song2vec.settings.data import (
    CheckDataSettings,
    CollectSettings,
    ExtractSettings,
    HoldoutSettings,
    PrepareSettings,
)
from song2vec.settings.model import EvaluateSettings, TrainSettings, TuneSettings
from song2vec.settings.release import GateSettings, PublishSettings, RetentionSettings
from song2vec.settings.section import Section


class Settings(BaseSettings):
    """All settings of song2vec, by section, in pipeline order; at the end, what no run of it reads."""

    model_config = SettingsConfigDict(
        env_prefix="SONG2VEC_", env_nested_delimiter="__", extra="forbid", frozen=True, validate_default=True
    )

    extract: ExtractSettings = ExtractSettings()
    collect: CollectSettings = CollectSettings()
    prepare: PrepareSettings = PrepareSettings()
    holdout: HoldoutSettings = HoldoutSettings()
    check_data: CheckDataSettings = CheckDataSettings()
    train: TrainSettings = TrainSettings()
    evaluate: EvaluateSettings = EvaluateSettings()
    gate: GateSettings = GateSettings()
    publish: PublishSettings = PublishSettings()
    retention: RetentionSettings = RetentionSettings()
    tune: TuneSettings = TuneSettings()


def load_settings(overrides: Mapping[str, Any] | None = None, *, file: Path | None = None) -> Settings:
    """All settings: `overrides` on top of the environment, on top of a TOML file.

    Text is converted to the setting's type, as ``--set`` needs it.

    Args:
        overrides: values by name: ``{"train.epochs": 5}``.
        file: the TOML file; None: the one that ``SONG2VEC_CONFIG`` names, if any.

    Raises:
        SettingsError: a name that does not exist, or a value of the wrong type or out of bounds; says
            which, what was found and what is allowed. Or the file is missing or no TOML.
    """
    toml = _toml(file or os.environ.get("SONG2VEC_CONFIG"))
    sources = InitSettingsSource(Settings, _by_section(overrides or {})), EnvSettingsSource(Settings), toml
    try:
        return Settings(_build_sources=(sources, {}))
    except ValidationError as error:
        raise SettingsError("\n".join(_explain(problem) for problem in error.errors())) from None
    except ValueError as error:  # SONG2VEC_TRAIN=…, which pydantic-settings takes for a whole section as JSON
        raise SettingsError(f"{error}: name one setting, such as SONG2VEC_TRAIN__EPOCHS=5") from None


def _toml(path: str | Path | None) -> TomlConfigSettingsSource:
    if path and not Path(path).is_file():
        raise SettingsError(f"the settings file {path} does not exist: make it, or correct --config or SONG2VEC_CONFIG")
    try:
        return TomlConfigSettingsSource(Settings, path or None)
    except (OSError, ValueError) as error:
        raise SettingsError(f"the settings file {path} cannot be read: {error}") from None


def sections() -> dict[str, type[Section]]:
    """The sections in pipeline order, by name."""
    return {name: field.annotation for name, field in Settings.model_fields.items()}  # type: ignore[misc]


def run_sections() -> dict[str, type[Section]]:
    """Those that a run of the pipeline reads."""
    return {name: section for name, section in sections().items() if section is not TuneSettings}


def _by_section(overrides: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    nested: dict[str, dict[str, Any]] = {}
    for name, value in overrides.items():
        if name not in _names():
            raise SettingsError(f"there is no setting {name!r}. {_nearest(name)}")
        section, _, field = name.partition(".")
        nested.setdefault(section, {})[field] = value
    return nested


def _names() -> list[str]:
    return [f"{section}.{field}" for section, model in sections().items() for field in model.model_fields]


def _nearest(name: str) -> str:
    import difflib

    close = difflib.get_close_matches(name, _names(), n=3, cutoff=0.4)
    return f"Did you mean {' or '.join(close)}?" if close else f"The settings are: {', '.join(_names())}."


def _explain(problem: Any) -> str:
    name = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return f"there is no setting {name!r}. {_nearest(name)}"
    return f"{name} = {problem['input']!r}: {problem['msg']}"
