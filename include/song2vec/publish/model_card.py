"""``MODEL_CARD.md``: what a person should know of a version before using it, from the records of its run."""

from dataclasses import asdict
from typing import Any

from song2vec.metrics.text import metrics_page
from song2vec.records import DataDecision, Decision, Funnel, Metrics, Records, Training

_LIMITS = """\
- It knows only songs that occurred often enough in the playlists it was trained on; all others are left out.
- Songs are near because people put them into the same playlists. It knows nothing of sound, lyrics or rights.
- Popular songs have better vectors than rare ones; popularity bias above says how much more it recommends them, and
  the parts above how well it finds rare songs.
- The figures say how well it guesses what people chose, not how much they would like what it recommends. A playlist
  that is in the data twice, under two names, can be trained on and measured with.
- Scores compare songs within this version. Vectors of two versions may be compared only where one is aligned to the
  other, and then roughly: songs move.
- The files under `gensim/` are pickles: load them only if you trust whoever may write to the bucket.
"""


def model_card(records: Records) -> str:
    """The card as Markdown; a part whose record is missing is left out."""
    training = records.training
    data = [_trained_on(training), _left_out(records.funnel), _verdict_on_data(records.data_decision)]
    parts = {
        "What it is": _what(training),
        "Data": "\n".join(filter(None, data)),
        "Quality": _quality(records.metrics),
        "The gate": _gate(records.decision),
        "Settings of the training": _settings(training),
        "Limits of use": _LIMITS,
    }
    text = "\n".join(f"## {title}\n\n{part.rstrip()}\n" for title, part in parts.items() if part)
    return f"# Song embeddings, trained {training.finished if training else 'at an unknown time'}\n\n{text}"


def _what(training: Training | None) -> str:
    if not training:
        return ""
    dimensions = training.settings.get("vector_size")
    size = f" of {dimensions} dimensions" if dimensions else ""
    method = "CBOW" if training.settings.get("sg") == 0 else "skip-gram"
    return (
        f"Vectors{size} for {_number(training.songs)} songs, learnt with {method} and negative sampling from "
        f"playlists (trainer: {training.trainer}, {_epochs(training)}, {_number(training.seconds)} seconds).\n"
        f"{training.scoring}\n"
        f"{training.alignment.sentence}\n"
    )


def _epochs(training: Training) -> str:
    count, best = len(training.epochs), training.best_epoch
    kept = f", of which epoch {best} ranked best and counts" if best and best < count else ""
    return f"{count} epoch{'s' * (count != 1)}{kept}"


def _trained_on(training: Training | None) -> str:
    return f"{training.playlists:,} playlists with {training.words:,} songs in all.\n" if training else ""


def _left_out(funnel: Funnel | None) -> str:
    if not funnel or not funnel.rules:
        return ""
    rows = [[rule.rule, rule.rows_in, rule.rows_left_out, rule.rows_out] for rule in funnel.rules]
    return f"What each rule left out:\n\n{_table(['rule', 'rows in', 'left out', 'rows out'], rows)}"


def _verdict_on_data(decision: DataDecision | None) -> str:
    """The verdict on the data, and what changed since the version before."""
    if not decision:
        return ""
    text = f"The data: {decision.sentence}\n"
    if not decision.changes:
        return text
    kinds = ("new", "gone", "changed", "same")
    rows = [[what, *(counts.get(kind) for kind in kinds)] for what, counts in asdict(decision.changes).items()]
    return f"{text}\nWhat changed since {decision.live_version}:\n\n{_table(['', *kinds], rows)}"


def _quality(metrics: Metrics | None) -> str:
    if not metrics:
        return ""
    protocol = "".join(f"- {name}: {_number(value)}\n" for name, value in metrics.protocol.given().items())
    return (
        f"On {metrics.playlists:,} playlists that were not trained on, half of each hidden.\n\n"
        + metrics_page(metrics, "github")
        + (f"\n\nHow it was measured:\n\n{protocol}" if protocol else "")
    )


def _gate(decision: Decision | None) -> str:
    if not decision:
        return ""
    rows = [
        [
            rule.rule,
            rule.of,
            rule.figure,
            rule.limit,
            rule.margin,
            {True: "yes", False: "no", None: "abstained"}[rule.passed],
        ]
        for rule in decision.rules
    ]
    head = ["rule", "of", "figure", "limit", "by how much", "passed"]
    return f"{decision.sentence}\n" + (f"\n{_table(head, rows)}" if rows else "")


def _settings(training: Training | None) -> str:
    if not training or not training.settings:
        return ""
    return _table(["setting", "value"], [[name, value] for name, value in training.settings.items()])


def _table(head: list[str], rows: list[list[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(_cell(value) for value in line)} |\n" for line in lines)


def _cell(value: Any) -> str:
    return _number(value).replace("|", "\\|").replace("\n", " ")


def _number(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)
