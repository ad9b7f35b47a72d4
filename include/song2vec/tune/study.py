"""The trials in a file: an Optuna study in SQLite, which a killed process leaves whole.

A trial that was under way when the process ended is in the file too. The next process notes it as failed and tries its
settings again, which goes on from the training's own checkpoint where that is still there.
"""

import fcntl
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import optuna
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.pruners import MedianPruner
from optuna.samplers import TPESampler
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState

from song2vec.errors import BusyError, SettingsError
from song2vec.records import Confirmed
from song2vec.tune.space import Values

FILE = "study.db"
NAME = "song2vec"
STARTUP = 5  # trials before the sampler learns from them: a budget is tens of trainings, not thousands
UNPRUNED = 3  # complete trials before the pruner compares with them
TELLING = 10  # complete trials that say which settings matter

SECONDS, WHY, VALUES = "seconds", "why", "values"
"""What is noted of a trial: how long it took, why it is not complete, the settings that it trained with."""
_DIGEST, _CONFIRMED = "digest", "confirmed"


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keep other processes out of `folder` while the block runs; the lock ends with the process, however it ends.

    Raises:
        BusyError: another process is there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BusyError(
                f"another process is tuning in {folder}: wait until it has ended, or choose another folder"
            ) from None
        yield


@contextmanager
def open_study(folder: Path, digest: str, today: Values) -> Iterator[optuna.Study]:
    """The study in `folder`: a new one that begins with today's settings, or the one that is there.

    Args:
        folder: nobody else is in it (`alone_in`).
        digest: of the playlists, the settings and the space.
        today: today's values of what is tuned.

    Raises:
        SettingsError: the study that is there is of another digest.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)  # our own log says what it would say
    storage = RDBStorage(f"sqlite:///{folder / FILE}")
    try:
        pruner = MedianPruner(n_startup_trials=UNPRUNED)
        study = optuna.create_study(
            storage=storage, study_name=NAME, direction="maximize", pruner=pruner, load_if_exists=True
        )
        if study.user_attrs.get(_DIGEST, digest) != digest:
            raise SettingsError(
                f"{folder} holds a study of other playlists, settings or ranges: go on with those, or choose another "
                "folder"
            )
        study.set_user_attr(_DIGEST, digest)
        _try_again(study)
        if not study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.WAITING)):
            study.enqueue_trial(dict(today))  # also where there was no time for them before
        yield study
    finally:
        storage.engine.dispose()


def _try_again(study: optuna.Study) -> None:
    """What was under way when the process before ended is tried again."""
    for trial in study.get_trials(deepcopy=False, states=[TrialState.RUNNING]):
        study.enqueue_trial({**trial.system_attrs.get("fixed_params", {}), **trial.params})
        study.tell(trial.number, state=TrialState.FAIL)


def next_trial(study: optuna.Study, space: dict[str, optuna.distributions.BaseDistribution], seed: int) -> optuna.Trial:
    """Choose the settings to try next. The choice depends on the seed and the trials so far, not on who made them."""
    study.sampler = TPESampler(n_startup_trials=STARTUP, seed=seed + len(study.get_trials(deepcopy=False)))
    return study.ask(space)


def best_of(study: optuna.Study) -> FrozenTrial | None:
    """The complete trial that ranks best; of equals the first. None: no trial is complete."""
    complete = study.get_trials(deepcopy=False, states=[TrialState.COMPLETE])
    return max(complete, key=lambda trial: trial.value or 0, default=None)


def begun(study: optuna.Study) -> list[FrozenTrial]:
    """All trials but one that waits to be tried again, in order."""
    return [trial for trial in study.get_trials(deepcopy=False) if trial.state != TrialState.WAITING]


def confirmed_of(study: optuna.Study, best: FrozenTrial) -> Confirmed | None:
    """What `keep_confirmed` kept of this trial; None: it was not confirmed yet."""
    noted = study.user_attrs.get(_CONFIRMED, {})
    return Confirmed.model_validate_json(noted["json"]) if noted.get("trial") == best.number else None


def keep_confirmed(study: optuna.Study, best: FrozenTrial, confirmed: Confirmed) -> None:
    """Keep how a trial was confirmed: a process that is killed after it need not train for it again."""
    study.set_user_attr(_CONFIRMED, {"trial": best.number, "json": confirmed.model_dump_json(exclude_unset=True)})


def seconds_of(study: optuna.Study) -> float:
    """How long all trials took so far, those of processes before too."""
    return sum(float(trial.user_attrs.get(SECONDS, 0)) for trial in study.get_trials(deepcopy=False))


def has_ended(trial: FrozenTrial) -> bool:
    """Whether a trial came to an end of its own, which one whose process ended before it did not."""
    failed = trial.state == TrialState.FAIL and WHY in trial.user_attrs
    return failed or trial.state in (TrialState.COMPLETE, TrialState.PRUNED)


def importance_of(study: optuna.Study) -> dict[str, float]:
    """How much each setting matters, by PED-ANOVA; empty where too few trials are complete to say.

    Watanabe, Bansal and Hutter 2023, *PED-ANOVA: Efficiently Quantifying Hyperparameter Importance in Arbitrary
    Subspaces*. Shares of 1, most important first.
    """
    if len(study.get_trials(deepcopy=False, states=[TrialState.COMPLETE])) < TELLING:
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)  # of 4.9: since 3.6 it may change
        evaluator = PedAnovaImportanceEvaluator(target_quantile=0.25)
        return dict(get_param_importances(study, evaluator=evaluator))
