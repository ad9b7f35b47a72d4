"""Every setting, once: name, type, default, bounds, unit, description.

The DAG's trigger form, ``song2vec --help``, ``--set section.name=value`` and ``docs/configuration.md``
are all made from the models below. A value comes from, strongest first: ``--set`` or the trigger form,
the environment (``SONG2VEC_TRAIN__EPOCHS=5``), the TOML file that ``--config`` or ``SONG2VEC_CONFIG``
names, the default. Secrets and addresses are not settings: they come from Airflow Connections, or from
the command line.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    InitSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from song2vec.errors import SettingsError

Share = Annotated[float, Field(ge=0, le=1)]
Ratio = Annotated[float, Field(ge=0, le=1000)]


class Section(BaseModel):
    """A group of settings; unknown names are refused, so that a typing error is not silently ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class ExtractSettings(Section):
    """Playlists from the database."""

    table: str = Field("playlist_songs", description="Table that holds one row a song of a playlist.")
    playlist_column: str = Field("playlist_id", description="Column with the playlist's id.")
    position_column: str = Field(
        "position",
        description="Column that orders the songs of a playlist; empty: in the order the table gives them.",
        json_schema_extra={"may_be_empty": True},
    )
    song_column: str = Field("song", description="Column with the song's number.")
    query: str = Field(
        "",
        description="A query of your own that yields playlist id, position, song (or playlist id, song) "
        "in the order they should be read; replaces the table.",
    )
    fetch_rows: int = Field(
        50_000, ge=1_000, le=1_000_000, description="Rows held in memory at a time while streaming. [rows]"
    )
    timeout: int = Field(60, ge=1, le=3600, description="Longest wait for the database to answer. [seconds]")


class CollectSettings(Section):
    """Playlists from collected CSV files."""

    folder: str = Field("data/csv", description="Folder with the collected CSV files.")
    pattern: str = Field(
        "*.csv, *.csv.gz, *.tsv, *.tsv.gz, *.zip",
        description="Which files of the folder to read, as globs with commas between; capitals do not matter, "
        "hidden files are left alone.",
    )
    playlist_column: str = Field(
        "Category",
        description="Header of the column with the playlist's id; several accepted headers with commas between: the "
        "first that a file has. Capitals and blanks do not matter.",
    )
    song_column: str = Field("master_number", description="Header of the column with the song's number; as above.")
    encoding: str = Field(
        "auto",
        description="Encoding of the files; `auto` finds it from the bytes (UTF-8, UTF-16, cp949, which holds euc-kr).",
    )
    delimiter: Literal["auto", "comma", "semicolon", "tab"] = Field(
        "auto", description="What stands between two fields; `auto` finds it from the header."
    )
    same_file: Literal["keep", "skip"] = Field(
        "keep",
        description="A file with the bytes of another one, earlier by name: `keep` reads both, as the original did, "
        "`skip` leaves the later one out.",
    )
    strict: bool = Field(False, description="Stop at a file that cannot be read, rather than leave it out.")

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, name: str) -> str:
        try:
            if name != "auto":
                "".encode(name)
        except LookupError:
            raise ValueError("there is no such encoding: use auto, utf-8, cp949, utf-16, …") from None
        return name

    @field_validator("playlist_column", "song_column")
    @classmethod
    def _some_header(cls, names: str) -> str:
        if not names.replace(",", "").strip():
            raise ValueError("name at least one header")
        return names


class PrepareSettings(Section):
    """From raw rows to playlists."""

    unknown_song: str = Field("?", description="What a collector writes where it did not know the song's number.")
    min_songs: int = Field(4, ge=1, le=10_000, description="Shortest playlist that is kept. [songs]")
    memory: str = Field(
        "2GB",
        pattern=r"^[1-9][0-9]*(MB|GB)$",
        description="Memory for sorting and grouping, 200MB or more; what does not fit goes to disk.",
    )
    threads: int = Field(
        0, ge=0, le=256, description="Threads for sorting and grouping; 0: as many as there are cores."
    )


class DataSettings(Section):
    """What prepared data must be like before a model is trained on it."""

    min_playlists: int = Field(10, ge=1, le=10**9, description="Fewest playlists. [playlists]")
    min_songs: int = Field(10, ge=1, le=10**9, description="Fewest distinct songs. [songs]")
    min_usable_share: Share = Field(0.3, description="Lowest share of the raw rows that ends in a playlist.")
    max_quarantined_share: Share = Field(
        0.5, description="Largest share of the raw rows that any one rule of the funnel may leave out."
    )
    max_drop: float = Field(
        2.0,
        ge=1,
        le=1_000_000,
        description="How many times fewer playlists, or rows in them, there may be than in the version that is live.",
    )
    max_jump: float = Field(10.0, ge=1, le=1_000_000, description="How many times more there may be.")
    override: str = Field(
        "",
        max_length=500,
        description="Why data that these rules refuse is to be used all the same; for one run. The reason is recorded "
        "with the version.",
    )


class HoldoutSettings(Section):
    """Which playlists are never trained on, to measure the model with."""

    share: Share = Field(0.1, description="Share of the playlists that is held out.")
    max_playlists: int = Field(1_000, ge=1, le=1_000_000, description="Most playlists held out. [playlists]")
    seed: int = Field(1, ge=0, le=2**31 - 1, description="Seed of the choice of playlists and of the hidden half.")


def _by_trainer(default: Any, original: Any, **constraints: Any) -> Any:
    """A setting whose default depends on the trainer: `original` is what the original pipeline gave gensim."""
    return Field(default, json_schema_extra={"gensim": original}, **constraints)


class TrainSettings(Section):
    """The skip-gram model, in gensim's words."""

    trainer: Literal["song2vec", "gensim"] = Field(
        "song2vec", description="Which trainer: our own, `song2vec`, or gensim's Word2Vec with the original settings."
    )
    vector_size: int = Field(256, ge=2, le=2048, description="Dimensions of a song's vector.")
    window: int = _by_trainer(
        5, 10, ge=1, le=10_000, description="Longest distance between two songs that predict each other."
    )
    far_weight: float = Field(
        0.1,
        ge=0,
        le=1,
        description="What two songs further apart than the window count, beside neighbours: 0 nothing, 1 as much. "
        "Raise it where the order of a playlist means nothing. gensim has no such thing.",
    )
    min_count: int = Field(3, ge=1, le=1_000_000, description="Songs seen fewer times get no vector. [times]")
    negative: int = _by_trainer(5, 20, ge=1, le=1_000, description="Negative samples a pair.")
    shared_negative: int = Field(
        48,
        ge=1,
        le=1_000,
        description="Different negative samples that a passage of a playlist shares. Not for gensim.",
    )
    epochs: int = _by_trainer(20, 100, ge=1, le=10_000, description="Passes over the playlists.")
    alpha: float = _by_trainer(0.2, 0.025, gt=0, le=1, description="Learning rate at the start.")
    min_alpha: float = _by_trainer(0.01, 0.0001, ge=0, le=1, description="Learning rate at the end.")
    weight_decay: float = Field(
        0.015,
        ge=0,
        le=1,
        description="How strongly each step also pulls vectors towards 0, so that rare songs are not learnt by heart. "
        "gensim has no such thing.",
    )
    sample: float = Field(
        1e-3, ge=0, le=1, description="Threshold above which frequent songs are down-sampled; 0: off."
    )
    ns_exponent: float = Field(
        0.75, ge=-2, le=2, description="Exponent that shapes the negative-sampling distribution."
    )
    validation_playlists: int = _by_trainer(
        200,
        0,
        ge=0,
        le=100_000,
        description="Training playlists, at most 2 %, set aside to measure the ranking while training; 0: none.",
    )
    measure_every: int = Field(5, ge=1, le=10_000, description="How often the ranking is measured. [epochs]")
    patience: int = _by_trainer(
        2,
        0,
        ge=0,
        le=10_000,
        description="Training stops when the ranking has not improved for so many measurements, and the best model "
        "counts; 0: it goes on to the end.",
    )
    align: bool = Field(
        True,
        description="Whether the new vectors are turned onto those of the version that is live, so that the two can be "
        "compared. It changes no similarity and no ranking.",
    )
    checkpoint_seconds: int = Field(
        120,
        ge=0,
        le=86_400,
        description="How often the state is saved, to go on from after a crash; 0: as often as can be. [seconds]",
    )
    seed: int = Field(1, ge=0, le=2**31 - 1, description="Seed of the random numbers.")
    workers: int = Field(0, ge=0, le=256, description="Threads; 0: one fewer than the machine has cores, at least 1.")

    @model_validator(mode="before")
    @classmethod
    def _defaults_of_the_trainer(cls, given: Any) -> Any:
        """Fill in what was not given. Nothing, or the empty text of a form's field, is not given."""
        if not isinstance(given, Mapping):
            return given
        given = {name: value for name, value in given.items() if value is not None and value != ""}
        if given.get("trainer") == "gensim":
            return {**original_settings(), **given}
        return given

    @model_validator(mode="after")
    def _learning_rate_falls(self) -> Self:
        if self.min_alpha > self.alpha:
            raise ValueError(f"min_alpha ({self.min_alpha}) must not be above alpha ({self.alpha}): lower min_alpha")
        return self


def original_settings() -> dict[str, Any]:
    """The preset `original`: where the defaults of gensim differ from those of our own trainer, by name."""
    extras = {name: field.json_schema_extra for name, field in TrainSettings.model_fields.items()}
    return {name: extra["gensim"] for name, extra in extras.items() if isinstance(extra, dict)}


class EvaluateSettings(Section):
    """How a model is measured on the held-out playlists."""

    top: int = Field(100, ge=10, le=10_000, description="How many recommendations a playlist are looked at. [songs]")
    bootstrap: int = Field(
        1_000, ge=100, le=100_000, description="Resamples of the playlists that the 95 % intervals rest on."
    )
    stability_sample: int = Field(
        1_000,
        ge=1,
        le=100_000,
        description="How many songs are asked for their neighbours, now and in the version that is live. [songs]",
    )


class GateSettings(Section):
    """What a model must reach before `production` may point to it."""

    min_playlists: int = Field(20, ge=1, le=1_000_000, description="Fewest held-out playlists a verdict may rest on.")
    min_ndcg: Share = Field(0.02, description="Lowest nDCG on the held-out playlists.")
    min_hit_rate: Share = Field(0.02, description="Lowest HR@10 on the held-out playlists.")
    min_vs_popularity: Ratio = Field(
        1.0, description="Lowest nDCG as a multiple of what recommending popular songs reaches."
    )
    min_vs_item_knn: Ratio = Field(0.7, description="Lowest nDCG as a multiple of what item-kNN reaches.")
    max_fall: Share = Field(
        0.05,
        description="How far nDCG may fall below that of the live version, as a share of it. A fall that may be chance "
        "(the 95 % interval of the difference holds 0) is let through.",
    )
    max_coverage_fall: Share = Field(
        0.5, description="How far the share of the songs that are ever recommended may fall below the live version's."
    )
    min_neighbours_kept: Share = Field(
        0.1, description="Lowest share of a song's 10 nearest neighbours in the live version that are so again."
    )
    min_slice_playlists: int = Field(
        50, ge=1, le=1_000_000, description="Fewest playlists of a slice (short ones, rare songs, …) to judge it by."
    )
    min_slice_ndcg: Share = Field(0.0, description="Lowest nDCG on every slice; 0: not asked.")
    min_slice_vs_popularity: Ratio = Field(
        0.0, description="Lowest nDCG on every slice as a multiple of what popular songs reach there; 0: not asked."
    )
    max_slice_fall: Share = Field(
        0.2, description="As `max_fall`, on every slice; the interval is widened, as many slices are looked at."
    )
    force: str = Field(
        "",
        max_length=500,
        description="Why a model that these rules refuse is to be promoted all the same; for one run. The reason is "
        "recorded with the version, and in the history of the channel.",
    )
    approval: bool = Field(False, description="Whether a person must approve in Airflow before the channel is moved.")
    approval_hours: float = Field(12.0, gt=0, le=720, description="How long the run waits for the answer. [hours]")
    approval_default: Literal["Reject", "Approve"] = Field(
        "Reject", description="What counts as the answer when nobody answered in time."
    )


class PublishSettings(Section):
    """The published version."""

    channel: str = Field(
        "production",
        pattern=r"^[a-z][a-z0-9-]{0,62}$",
        description="The channel that is moved to the new version when the gate accepts it.",
    )


class RetentionSettings(Section):
    """Which versions stay when old ones are deleted; what is live, or was before it, always does."""

    after_run: Literal["off", "show", "delete"] = Field(
        "off", description="At the end of a run: nothing, show which versions would go, or delete them."
    )
    keep_versions: int = Field(10, ge=1, le=100_000, description="How many of the newest versions stay. [versions]")
    keep_days: int = Field(7, ge=0, le=36_500, description="Versions published less than this ago stay. [days]")
    keep_moves: int = Field(
        20, ge=1, le=100_000, description="How many of a channel's last moves count; the versions they name stay."
    )
    orphan_hours: int = Field(
        24,
        ge=3,
        le=8_760,
        description="What a crashed upload left behind goes when nothing was added to it for so long; longer than any "
        "upload of one file takes. [hours]",
    )


class Settings(BaseSettings):
    """All settings of song2vec, by section."""

    model_config = SettingsConfigDict(
        env_prefix="SONG2VEC_", env_nested_delimiter="__", extra="forbid", frozen=True, validate_default=True
    )

    extract: ExtractSettings = ExtractSettings()
    collect: CollectSettings = CollectSettings()
    prepare: PrepareSettings = PrepareSettings()
    data: DataSettings = DataSettings()
    holdout: HoldoutSettings = HoldoutSettings()
    train: TrainSettings = TrainSettings()
    evaluate: EvaluateSettings = EvaluateSettings()
    gate: GateSettings = GateSettings()
    publish: PublishSettings = PublishSettings()
    retention: RetentionSettings = RetentionSettings()


def load_settings(overrides: Mapping[str, Any] | None = None, *, file: Path | None = None) -> Settings:
    """All settings, with `overrides` (``{"train.epochs": 5}``) on top of the environment and a TOML file.

    The file is `file`, or else the one that ``SONG2VEC_CONFIG`` names, if any.

    Text is converted to the setting's type, as ``--set`` needs it.

    Raises:
        SettingsError: a name that does not exist, or a value of the wrong type or out of bounds; says
            which, what was found and what is allowed.
    """
    nested: dict[str, dict[str, Any]] = {}
    for name, value in (overrides or {}).items():
        section, _, field = name.partition(".")
        if name not in _names():
            raise SettingsError(f"there is no setting {name!r}. {_nearest(name)}")
        nested.setdefault(section, {})[field] = value
    path = file or os.environ.get("SONG2VEC_CONFIG")
    if path and not Path(path).is_file():
        raise SettingsError(f"the settings file {path} does not exist: make it, or correct --config or SONG2VEC_CONFIG")
    try:
        toml = TomlConfigSettingsSource(Settings, path or None)
        sources = InitSettingsSource(Settings, nested), EnvSettingsSource(Settings), toml
        return Settings(_build_sources=(sources, {}))
    except ValidationError as error:
        raise SettingsError("\n".join(_explain(problem) for problem in error.errors())) from None
    except ValueError as error:  # an unreadable TOML file
        raise SettingsError(f"the settings file {path} cannot be read: {error}") from None


def sections() -> dict[str, type[Section]]:
    """The sections in pipeline order, by name."""
    return {name: field.annotation for name, field in Settings.model_fields.items()}  # type: ignore[misc]


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
