"""What came of a study, for people: the sentence, the best trials beside today's settings, what matters."""

from tabulate import tabulate

from song2vec.records import Trial, Tuning
from song2vec.tune.proposal import ACCEPT

BEST = 10  # trials that are shown


def tuning_page(tuning: Tuning) -> str:
    """All of it, as plain text."""
    pages = [tuning.sentence]
    if tuning.proposed:
        changes = [f"{name} = {value} (today {tuning.today[name]})" for name, value in tuning.proposed.items()]
        pages += ["\n".join(changes), "\n".join(ACCEPT)]
    pages += [_trials(tuning), _counts(tuning)]
    if tuning.importance:
        shares = ", ".join(f"{name} {share:.0%}" for name, share in tuning.importance.items())
        pages.append(f"What matters most: {shares}.")
    return "\n\n".join(pages)


def _trials(tuning: Tuning) -> str:
    """Today's settings, then the best trials."""
    complete = [trial for trial in tuning.trials if trial.outcome == "complete"]
    best = sorted(complete, key=lambda trial: -(trial.ndcg or 0))[:BEST]
    today = [trial for trial in complete if trial.settings == tuning.today][:1]
    rows = [_row(trial, tuning) for trial in [*today, *(trial for trial in best if trial not in today)]]
    return tabulate(rows, ["trial", f"nDCG@{tuning.top}", "seconds", *tuning.today], "simple", disable_numparse=True)


def _row(trial: Trial, tuning: Tuning) -> list[str]:
    name = f"{trial.number} (today)" if trial.settings == tuning.today else str(trial.number)
    return [
        name,
        f"{trial.ndcg:.4f}",
        f"{trial.seconds or 0:.0f}",
        *(str(trial.settings[setting]) for setting in tuning.today),
    ]


def _counts(tuning: Tuning) -> str:
    outcomes = [trial.outcome for trial in tuning.trials]
    counts = ", ".join(f"{outcomes.count(outcome):,} {outcome}" for outcome in dict.fromkeys(outcomes))
    return (
        f"{len(outcomes):,} trials in {tuning.minutes:.1f} minutes: {counts}. {tuning.training_playlists:,} playlists "
        f"trained, {tuning.choose_playlists:,} chose, {tuning.confirm_playlists:,} confirmed; those held out took no "
        "part."
    )
