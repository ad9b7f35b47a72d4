"""Every setting of song2vec, once: its name, type, default and bounds, and what `About` says of it.

The DAG's trigger form, ``song2vec --help``, ``--set section.name=value`` and ``docs/configuration.md``
are all made from the models here. A value comes from, strongest first: ``--set`` or what a person changed on the
trigger form, the environment (``SONG2VEC_TRAIN__EPOCHS=5``), the TOML file that ``--config`` or ``SONG2VEC_CONFIG``
names, the default. Secrets and addresses are not settings: they come from Airflow Connections, or from
the command line.
"""

from song2vec.settings.data import (
    CheckDataSettings,
    CollectSettings,
    ExtractSettings,
    HoldoutSettings,
    PrepareSettings,
)
from song2vec.settings.loading import Settings, load_settings, run_sections, sections
from song2vec.settings.model import EvaluateSettings, TrainSettings, TuneSettings, original_settings
from song2vec.settings.release import GateSettings, PublishSettings, RetentionSettings
from song2vec.settings.section import About, Section, about

__all__ = [
    "About",
    "CheckDataSettings",
    "CollectSettings",
    "EvaluateSettings",
    "ExtractSettings",
    "GateSettings",
    "HoldoutSettings",
    "PrepareSettings",
    "PublishSettings",
    "RetentionSettings",
    "Section",
    "Settings",
    "TrainSettings",
    "TuneSettings",
    "about",
    "load_settings",
    "original_settings",
    "run_sections",
    "sections",
]
