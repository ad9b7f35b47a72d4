"""Looks for better settings, confirms the best ones, and writes what came of it."""

from collections.abc import Callable
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import optuna
import structlog
from optuna.trial import FrozenTrial, TrialState

from song2vec.metrics.compare import MODEL, compare
from song2vec.playlists.corpus import Ints
from song2vec.plumbing.files import whole_file
from song2vec.plumbing.progress import Tell, gauge
from song2vec.records import Confirmed, Trial, Tuning
from song2vec.settings import Settings, TrainSettings, about
from song2vec.tune.measured import Trainings
from song2vec.tune.parts import Parts, make_parts
from song2vec.tune.picture import picture
from song2vec.tune.proposal import PROPOSED, proposal, verdict
from song2vec.tune.search import Search
from song2vec.tune.space import SPACE, Values, today_of
from song2vec.tune.study import (
    FILE,
    SECONDS,
    VALUES,
    WHY,
    alone_in,
    begun,
    best_of,
    confirmed_of,
    has_ended,
    importance_of,
    keep_confirmed,
    open_study,
    seconds_of,
)
from song2vec.workspace import Backup, NoBackup

log = structlog.get_logger(__name__)

PICTURE = "study.svg"
WITHOUT = "without.parquet"
_OUTCOMES = {TrialState.COMPLETE: "complete", TrialState.PRUNED: "pruned"}


def tune(
    playlists: Path,
    out: Path,
    settings: Settings,
    *,
    heldout: Path | None = None,
    backup: Backup | None = None,
) -> Tuning:
    """Look for settings of the training that suit these playlists better than today's, and propose them.

    Today's settings are the first trial. The search goes on where an earlier process stopped, killed or not, and what
    that one took counts as part of the minutes. At the end today's settings and the best ones are trained anew, with
    another seed, and measured on playlists that chose nothing; only a gain that chance does not explain is proposed.

    Args:
        playlists: ``playlists.parquet`` (tables.PLAYLISTS).
        out: the folder that gets study.json, study.svg, study.db, without.parquet and, if settings are proposed,
            proposed.toml.
        settings: today's; sections `tune`, `train` and `evaluate` are used.
        heldout: names of playlists that are neither trained on nor measured with (tables.HELDOUT).
        backup: keeps the study elsewhere too.

    Returns:
        What ``study.json`` says.

    Raises:
        DataError: an unreadable file, or too few playlists.
        SettingsError: what cannot be tuned, or a study of other playlists or settings in `out`.
        BusyError: another process is at work in `out`.
        StoppedError: the process was asked to stop; the study is kept.
    """
    today, backup = today_of(settings.train), backup or NoBackup()
    keep = partial(backup.keep, out / FILE)
    with alone_in(out), gauge("tune") as tell:
        backup.fetch(out)
        parts = make_parts(playlists, heldout, out / WITHOUT, settings.tune.seed)
        sizes = {"train": parts.training, "choose": len(parts.choose), "confirm": len(parts.confirm)}
        log.info("tuning", minutes=settings.tune.minutes, settings=", ".join(SPACE), **sizes)
        trainings = Trainings(parts, settings, out / "work")
        with open_study(out, _digest(parts, settings), today) as study:
            Search(study, trainings, today, settings.tune, tell, keep).run()
            tuning = _conclude(study, trainings, today, tell)
            keep()
        _write(out, tuning)
    return tuning


def _digest(parts: Parts, settings: Settings) -> str:
    """What tells a study from one of other playlists, settings or ranges."""
    machine = {name for name in TrainSettings.model_fields if not about(TrainSettings, name).affects_model}
    train = settings.train.model_dump_json(exclude=machine)
    return sha256(f"{parts.digest} {train} {settings.evaluate.top} {settings.tune.seed} {SPACE}".encode()).hexdigest()


def _conclude(study: optuna.Study, trainings: Trainings, today: Values, tell: Tell) -> Tuning:
    """What came of the trials; the best settings are confirmed if they are not today's."""
    best, parts = best_of(study), trainings.parts
    values: Values = best.user_attrs[VALUES] if best else today
    confirmed = None
    if best and values != today:
        confirmed = confirmed_of(study, best) or _confirm(trainings, today, values, tell)
        keep_confirmed(study, best, confirmed)
    tuning = Tuning(
        sentence="",
        proposed={},
        today=dict(today),
        top=trainings.settings.evaluate.top,
        training_playlists=parts.training,
        choose_playlists=len(parts.choose),
        confirm_playlists=len(parts.confirm),
        minutes=round(seconds_of(study) / 60, 3),
        trials=_trials(study),
        importance=importance_of(study),
        **({"confirmed": confirmed} if confirmed else {}),
    )
    sentence, accepted = verdict(tuning)
    proposed = {name: value for name, value in values.items() if value != today[name]} if accepted else {}
    return tuning.model_copy(update={"sentence": sentence, "proposed": proposed})


def _confirm(trainings: Trainings, today: Values, best: Values, tell: Tell) -> Confirmed:
    """Today's settings beside the best, trained with a seed that chose nothing either."""
    part, train = trainings.parts.confirm, trainings.settings.train
    seed = {"seed": (train.seed + 1) % 2**31}
    recommended: dict[str, Ints] = {}
    for name, title, values in (("live", "today's settings", today), (MODEL, "the best settings", best)):
        log.info("confirming", what=title)
        recommended[name] = trainings.recommended({**values, **seed}, part, _showing(tell, f"confirming {title}"))
    compared = compare(recommended, part.hidden, trainings.settings.evaluate.bootstrap)
    return Confirmed.model_validate(
        {"today": compared.live, "best": compared.model, "differences": compared.differences.live}
    )


def _showing(tell: Tell, words: str) -> Callable[[Any], bool]:
    """An observer that shows what is under way, and lets it go on."""

    def observe(_: Any) -> bool:
        tell(words, 1.0)
        return True

    return observe


def _trials(study: optuna.Study) -> tuple[Trial, ...]:
    """Every trial as it is recorded."""
    trials, seconds = [], 0.0
    for trial in begun(study):
        seconds += trial.user_attrs.get(SECONDS, 0)
        trials.append(_trial(trial, seconds))
    return tuple(trials)


def _trial(trial: FrozenTrial, seconds: float) -> Trial:
    noted = trial.user_attrs
    outcome = _OUTCOMES.get(trial.state, "failed" if has_ended(trial) else "interrupted")
    complete = trial.state == TrialState.COMPLETE  # of a pruned one Optuna keeps the last ranking while training
    given: dict[str, Any] = {"ndcg": trial.value} if complete else {}
    if SECONDS in noted:
        given["seconds"] = noted[SECONDS]
    if WHY in noted:
        given["why"] = noted[WHY]
    return Trial(number=trial.number, outcome=outcome, settings=noted.get(VALUES, {}), minutes=seconds / 60, **given)


def _write(out: Path, tuning: Tuning) -> None:
    """The files for people, and last the record."""
    for name, text in ((PICTURE, picture(tuning)), (PROPOSED, proposal(tuning) if tuning.proposed else "")):
        if text:
            with whole_file(out / name) as temporary:
                temporary.write_text(text, encoding="utf-8")
        else:
            (out / name).unlink(missing_ok=True)  # of an earlier end of the same study
    tuning.write(out / Tuning.FILE)
