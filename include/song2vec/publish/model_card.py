"""``MODEL_CARD.md``: what a person should know of a version before using it, from the records of its run."""

from collections.abc import Mapping
from typing import Any

from song2vec.metrics.text import metrics_page

Records = Mapping[str, Mapping[str, Any]]

_FUNNEL = {"rule": "rule", "rows_in": "rows in", "rows_left_out": "left out", "rows_out": "rows out"}
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
    """The card as Markdown; a part whose record is missing is left out.

    Args:
        records: by file name: ``training.json``, ``funnel.json``, ``data_decision.json``, ``metrics.json``,
            ``decision.json``.
    """
    training = records.get("training.json", {})
    parts = {
        "What it is": _what(training),
        "Data": _data(training, records.get("funnel.json", {})) + _changes(records.get("data_decision.json", {})),
        "Quality": _quality(records.get("metrics.json", {})),
        "The gate": _gate(records.get("decision.json", {})),
        "Settings of the training": _settings(training),
        "Limits of use": _LIMITS,
    }
    text = "\n".join(f"## {title}\n\n{part.rstrip()}\n" for title, part in parts.items() if part)
    return f"# Song embeddings, trained {training.get('finished', 'at an unknown time')}\n\n{text}"


def _what(training: Mapping[str, Any]) -> str:
    dimensions = training.get("settings", {}).get("vector_size")
    size = f" of {dimensions} dimensions" if dimensions else ""
    method = "CBOW" if training.get("settings", {}).get("sg") == 0 else "skip-gram"
    alignment = training.get("alignment", {}).get("sentence", "")
    return (
        f"Vectors{size} for {_number(training.get('songs'))} songs, learnt with {method} and negative sampling from "
        f"playlists (trainer: {training.get('trainer', 'unknown')}, {_epochs(training)}, "
        f"{_number(training.get('seconds'))} seconds).\n{alignment}\n"
    )


def _epochs(training: Mapping[str, Any]) -> str:
    count, best = len(training.get("epochs", ())), training.get("best_epoch")
    kept = f", of which epoch {best} ranked best and counts" if best and best < count else ""
    return f"{count} epoch{'s' * (count != 1)}{kept}"


def _data(training: Mapping[str, Any], funnel: Mapping[str, Any]) -> str:
    text = f"{_number(training.get('playlists'))} playlists with {_number(training.get('words'))} songs in all.\n"
    rules = funnel.get("rules", ())
    if not rules:
        return text
    return f"{text}\nWhat each rule left out:\n\n" + _table(
        list(_FUNNEL.values()), [[r.get(k) for k in _FUNNEL] for r in rules]
    )


def _changes(decision: Mapping[str, Any]) -> str:
    """The verdict on the data, and what changed since the version before."""
    text = f"\nThe data: {decision['sentence']}\n" if decision.get("sentence") else ""
    changes = decision.get("changes")
    if not changes:
        return text
    kinds = ("new", "gone", "changed", "same")
    rows = [[what, *(counts.get(kind) for kind in kinds)] for what, counts in changes.items()]
    return f"{text}\nWhat changed since {decision.get('since')}:\n\n{_table(['', *kinds], rows)}"


def _quality(metrics: Mapping[str, Any]) -> str:
    if not metrics:
        return ""
    protocol = "".join(f"- {name}: {_number(value)}\n" for name, value in metrics.get("protocol", {}).items())
    return (
        f"On {_number(metrics.get('playlists'))} playlists that were not trained on, half of each hidden.\n\n"
        + metrics_page(metrics, "github")
        + (f"\n\nHow it was measured:\n\n{protocol}" if protocol else "")
    )


def _gate(decision: Mapping[str, Any]) -> str:
    sentence = decision.get("sentence")
    if not sentence:
        return ""
    columns = {"rule": "rule", "of": "slice", "figure": "figure", "limit": "limit", "margin": "by how much"}
    rows = [
        [*(rule.get(column) for column in columns), {True: "yes", False: "no"}.get(rule.get("passed"), "abstained")]
        for rule in decision.get("rules", ())
    ]
    return f"{sentence}\n" + ("\n" + _table([*columns.values(), "passed"], rows) if rows else "")


def _settings(training: Mapping[str, Any]) -> str:
    settings = training.get("settings", {})
    return _table(["setting", "value"], [[name, value] for name, value in settings.items()]) if settings else ""


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
