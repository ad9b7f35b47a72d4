"""Trial after trial, until the minutes are over."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import optuna
import structlog
from optuna.trial import TrialState

from song2vec.errors import SettingsError, StoppedError
from song2vec.metrics.ranking import mean_metrics
from song2vec.plumbing.progress import Tell
from song2vec.settings import TuneSettings
from song2vec.tune.measured import Trainings
from song2vec.tune.space import Values, distributions, tried
from song2vec.tune.study import SECONDS, VALUES, WHY, begun, best_of, has_ended, next_trial, seconds_of
from song2vec.tune.watch import Watch

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Search:
    """What a search is made of.

    Attributes:
        study: the trials.
        trainings: trains and measures.
        today: today's values of what is tuned.
        options: minutes, trials, seed.
        tell: shows how far it is.
        keep: is called after each trial, when the file of the study may be copied.
    """

    study: optuna.Study
    trainings: Trainings
    today: Values
    options: TuneSettings
    tell: Tell
    keep: Callable[[], None]

    def run(self) -> None:
        """Try settings until the minutes are over, or there were enough trials.

        Raises:
            SettingsError: today's settings themselves cannot be trained with.
            StoppedError: the process was asked to stop.
        """
        while self._left > 0 and sum(map(has_ended, begun(self.study))) < self.options.trials:
            trial = next_trial(self.study, distributions(self.today), self.options.seed)
            self._try(trial, tried(self.today, trial.params))
            self.keep()

    @property
    def _left(self) -> float:
        """The seconds left for all trials to come."""
        return 60 * self.options.minutes - seconds_of(self.study)

    def _try(self, trial: optuna.Trial, values: Values) -> None:
        """Train with some settings, measure, and note what came of it."""
        watch = self._watch(trial)
        trial.set_user_attr(VALUES, dict(values))
        choose = self.trainings.parts.choose
        try:
            ndcg = mean_metrics(self.trainings.recommended(values, choose, watch), choose.hidden)["ndcg"]
        except StoppedError:
            if not watch.why:  # a signal: the next process tries these settings again
                trial.set_user_attr(SECONDS, watch.seconds)
                raise
            self._note(trial, watch, TrialState.PRUNED, why=watch.why)
        except SettingsError as error:
            self._note(trial, watch, TrialState.FAIL, why=str(error))
            if values == self.today:
                raise
        else:
            self._note(trial, watch, TrialState.COMPLETE, ndcg=ndcg)

    def _note(
        self, trial: optuna.Trial, watch: Watch, state: TrialState, ndcg: float | None = None, why: str = ""
    ) -> None:
        """Write down and log how a trial ended."""
        self.trainings.clear()
        trial.set_user_attr(SECONDS, watch.seconds)
        if why:
            trial.set_user_attr(WHY, why)
        self.study.tell(trial, ndcg, state=state)
        figures: dict[str, Any] = {"ndcg": round(ndcg, 4)} if ndcg is not None else {state.name.lower(): why}
        best = best_of(self.study)
        log.info(
            "trial",
            number=trial.number,
            **figures,
            best=round(best.value or 0, 4) if best else None,
            seconds=round(watch.seconds, 1),
            minutes_left=round(max(self._left, 0) / 60, 1),
        )

    def _watch(self, trial: optuna.Trial) -> Watch:
        """Who watches a trial, and shows how far the search is meanwhile."""
        best, left, whole = best_of(self.study), self._left, 60 * self.options.minutes
        so_far = f"trial {trial.number}, best {best.value:.4f}" if best else f"trial {trial.number}"

        def tell(seconds: float) -> None:
            remaining = max(left - seconds, 0)
            self.tell(f"{so_far}, {remaining / 60:.1f} minutes left", 1 - remaining / whole)

        return Watch(trial, left, tell)
