"""Which settings of the training are tuned, and how far."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from pydantic import ValidationError

from song2vec.errors import SettingsError
from song2vec.settings import TrainSettings

DIGITS = 3  # of what is tried: more would promise what nobody measured

Values = Mapping[str, Any]
"""Values of settings of section `train`, by name."""


@dataclass(frozen=True)
class Range:
    """The lowest and the highest value that is tried; `log`: as many between 1 and 2 as between 2 and 4."""

    low: float
    high: float
    log: bool = False


SPACE: Mapping[str, Range] = {
    "window": Range(2, 50, log=True),
    "far_weight": Range(0, 1),
    "subset_share": Range(0, 1),
    "negative": Range(2, 15),
    "alpha": Range(0.05, 0.5, log=True),
    "weight_decay": Range(0.002, 0.1, log=True),
    "ns_exponent": Range(0, 1),
    "sample": Range(1e-4, 1, log=True),
}
"""What is tuned, of our own trainer; a value of today that lies outside widens the range. How many epochs are right the
training finds out by itself. What services would pay for in memory (`vector_size`) or people would notice (`min_count`)
is theirs to choose."""


def today_of(settings: TrainSettings) -> Values:
    """Today's values of what is tuned.

    Raises:
        SettingsError: the space is not that of the trainer.
    """
    if settings.trainer != "song2vec":
        raise SettingsError(
            f"train.trainer={settings.trainer} cannot be tuned: set train.trainer=song2vec, whose settings the search "
            "knows"
        )
    return {name: getattr(settings, name) for name in SPACE}


def distributions(today: Values) -> dict[str, BaseDistribution]:
    """The space as Optuna takes it, wide enough for `today`."""
    return {name: _distribution(name, SPACE[name], value) for name, value in today.items()}


def tried(today: Values, sampled: Values) -> dict[str, Any]:
    """The values that a trial trains with: those of today as they are, others rounded."""
    return {name: value if value == today[name] else _rounded(value) for name, value in sampled.items()}


def apply(settings: TrainSettings, values: Values) -> TrainSettings:
    """The settings with other values, checked.

    Raises:
        SettingsError: a setting is out of bounds, or two contradict each other.
    """
    try:
        return TrainSettings.model_validate({**settings.model_dump(), **values})
    except ValidationError as error:
        raise SettingsError("; ".join(problem["msg"] for problem in error.errors())) from None


def _distribution(name: str, span: Range, today: float) -> BaseDistribution:
    low, high = min(span.low, today), max(span.high, today)
    log = span.log and low > 0
    if TrainSettings.model_fields[name].annotation is int:
        return IntDistribution(int(low), int(high), log=log)
    return FloatDistribution(low, high, log=log)


def _rounded(value: float) -> float:
    return value if isinstance(value, int) else float(f"{value:.{DIGITS}g}")
