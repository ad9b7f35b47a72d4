"""The settings of the model, of how it is measured, and of how better ones are looked for."""

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import model_validator

from song2vec.settings.section import Section, about, setting


class TrainSettings(Section):
    """The model, skip-gram or CBOW, in gensim's words."""

    trainer: Literal["song2vec", "gensim"] = setting(
        "song2vec", "Which trainer: our own, `song2vec`, or gensim's Word2Vec with the original settings."
    )
    sg: int = setting(
        1,
        "Skip-gram (1), where a song predicts its neighbours one by one, or CBOW (0), where the mean of its neighbours "
        "predicts a song; only gensim trains CBOW.",
        ge=0,
        le=1,
    )
    vector_size: int = setting(256, "Dimensions of a song's vector.", unit="dimensions", ge=2, le=2048)
    window: int = setting(
        5,
        "Longest distance between two songs that predict each other.",
        unit="songs",
        gensim=10,
        ge=1,
        le=10_000,
    )
    far_weight: float = setting(
        0.1,
        "What two songs further apart than the window count, beside neighbours: 0 nothing, 1 as much. Raise it where "
        "the order of a playlist means nothing. gensim has no such thing.",
        ge=0,
        le=1,
    )
    subset_share: float = setting(
        0.5,
        "How often several songs of a playlist predict the rest of it together, rather than one song alone: 0 never, "
        "1 always. gensim has no such thing.",
        ge=0,
        le=1,
    )
    min_count: int = setting(3, "Songs seen fewer times get no vector.", unit="times", ge=1, le=1_000_000)
    negative: int = setting(5, "Negative samples a pair.", unit="samples", gensim=20, ge=1, le=1_000)
    shared_negative: int = setting(
        48,
        "Different negative samples that a passage of a playlist shares. Not for gensim.",
        unit="samples",
        ge=1,
        le=1_000,
    )
    epochs: int = setting(
        200,
        "Most passes over the playlists. Training ends before, when the ranking stops rising: see patience.",
        unit="epochs",
        gensim=100,
        ge=1,
        le=10_000,
    )
    alpha: float = setting(0.2, "Learning rate; gensim's at the start.", gensim=0.025, gt=0, le=1)
    min_alpha: float = setting(0.0001, "Learning rate at the end. Only for gensim.", ge=0, le=1)
    weight_decay: float = setting(
        0.015,
        "How strongly each step also pulls vectors towards 0, so that rare songs are not learnt by heart. gensim has "
        "no such thing.",
        ge=0,
        le=1,
    )
    sample: float = setting(1e-3, "Threshold above which frequent songs are down-sampled.", zero="none is", ge=0, le=1)
    ns_exponent: float = setting(
        0.5, "Exponent that shapes the negative-sampling distribution.", gensim=0.75, ge=-2, le=2
    )
    validation_playlists: int = setting(
        200,
        "Training playlists, at most 4 %, set aside to measure the ranking while training and to choose what "
        "neighbours weigh; none where they would be fewer than 50: then all epochs are done, which little data can "
        "afford.",
        unit="playlists",
        zero="none",
        gensim=0,
        ge=0,
        le=100_000,
    )
    measure_every: int = setting(5, "How often the ranking is measured.", unit="epochs", ge=1, le=10_000)
    patience: int = setting(
        4,
        "Training stops when the ranking has not improved for so many measurements, and the best model counts.",
        unit="measurements",
        zero="it goes on to the end",
        gensim=0,
        ge=0,
        le=10_000,
    )
    neighbours: int = setting(
        100,
        "Strongest neighbours of each song that are published beside its vectors and vote too when a playlist is "
        "continued. Not for gensim.",
        unit="songs",
        ge=1,
        le=1_000,
    )
    align: bool = setting(
        True,
        "Whether the new vectors are turned onto those of the version that is live, so that the two can be compared. "
        "It changes no similarity and no ranking.",
    )
    checkpoint_seconds: int = setting(
        120,
        "How often the state is saved, to go on from after a crash.",
        unit="seconds",
        zero="as often as can be",
        affects_model=False,
        ge=0,
        le=86_400,
    )
    seed: int = setting(1, "Seed of the random numbers.", ge=0, le=2**31 - 1)
    workers: int = setting(
        0,
        "Threads. With 1 the same data and settings give the same bits; with more, runs differ by chance.",
        unit="threads",
        zero="one fewer than the machine has cores, at least 1",
        affects_model=False,
        form=False,
        ge=0,
        le=256,
    )

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
    def _trainer_can(self) -> Self:
        if self.trainer == "song2vec" and not self.sg:
            raise ValueError(
                "train.sg=0 (CBOW) is not what train.trainer=song2vec can train: "
                "set train.trainer=gensim, or train.sg=1"
            )
        return self

    @model_validator(mode="after")
    def _learning_rate_falls(self) -> Self:
        if self.trainer == "gensim" and self.min_alpha > self.alpha:
            raise ValueError(f"min_alpha ({self.min_alpha}) must not be above alpha ({self.alpha}): lower min_alpha")
        return self


def original_settings() -> dict[str, Any]:
    """The preset `original`: where the defaults of gensim differ from those of our own trainer, by name."""
    gensim = {name: about(TrainSettings, name).gensim for name in TrainSettings.model_fields}
    return {name: default for name, default in gensim.items() if default is not None}


class EvaluateSettings(Section):
    """How a model is measured on the held-out playlists."""

    top: int = setting(
        100, "How many recommendations a playlist are looked at.", unit="songs", affects_model=False, ge=10, le=10_000
    )
    bootstrap: int = setting(
        1_000,
        "Resamples of the playlists that the 95 % intervals rest on.",
        unit="resamples",
        affects_model=False,
        ge=100,
        le=100_000,
    )
    stability_sample: int = setting(
        1_000,
        "How many songs are asked for their neighbours, now and in the version that is live.",
        unit="songs",
        affects_model=False,
        ge=1,
        le=100_000,
    )


class TuneSettings(Section):
    """How settings of section `train` are looked for that suit the playlists better; no run of the pipeline does it."""

    minutes: float = setting(
        60,
        "How long to train with other settings. Two more trainings confirm the best.",
        unit="minutes",
        affects_model=False,
        gt=0,
        le=720,
    )
    trials: int = setting(200, "How many trainings at most.", unit="trainings", affects_model=False, ge=2, le=10_000)
    seed: int = setting(
        1,
        "Seed of what is tried, and of which playlists it is measured on.",
        affects_model=False,
        ge=0,
        le=2**31 - 1,
    )
    weekly: bool = setting(
        False,
        "Whether Airflow tunes every Sunday, or only when a person triggers it. The DAG processor reads it.",
        affects_model=False,
        form=False,
    )
