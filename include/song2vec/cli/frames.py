"""Records as data frames, one function a table: what is printed, and written as CSV or for Excel.

pandas is imported when a table is made, and nowhere else in the pipeline. Every frame has the columns and types that
its function names, also when it has no rows; whole numbers may be missing (``Int64``), and so may others (``Float64``).
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pandas import DataFrame

    from song2vec.records import Funnel, Metrics, Tuning

Record = Mapping[str, Any]
TEXT, WHOLE, NUMBER, YES_NO = "string", "Int64", "Float64", "boolean"


def versions(record: Record) -> "DataFrame":
    """A version a row, newest first: ``version, live, status, published, ndcg, hit_rate``."""
    types = dict.fromkeys(("version", "live", "status", "published"), TEXT)
    return _frame(record["versions"], types | {"ndcg": NUMBER, "hit_rate": NUMBER})


def history(record: Record) -> "DataFrame":
    """A move a row, newest first: ``#, when, channel, move, version, from, who, why``."""
    from song2vec.versions import move_rows

    texts = ("when", "channel", "move", "version", "from", "who", "why")
    return _frame(move_rows(record["moves"]), {"#": WHOLE, **dict.fromkeys(texts, TEXT)})


def prune(record: Record) -> "DataFrame":
    """A version a row, newest first: ``version, published, megabytes, fate, why``."""
    types = {"version": TEXT, "published": TEXT, "megabytes": NUMBER, "fate": TEXT, "why": TEXT}
    return _frame(record["versions"], types)


def files(record: Record) -> "DataFrame":
    """A collected file a row: how it was read, how many rows, and what was wrong."""
    rows = [{**file, "parts": ", ".join(file["parts"])} for file in record["files"]]
    types = dict.fromkeys(("file", "encoding", "delimiter", "parts"), TEXT) | {"bytes": WHOLE, "rows": WHOLE}
    problems = {"problems": WHOLE, "first_problem": TEXT, "problem": TEXT, "left_for_next_run": YES_NO, "name": TEXT}
    return _frame(rows, types | problems)


def funnel(record: "Funnel") -> "DataFrame":
    """A rule a row, in the order they are applied: rows and playlists before and after it, and what it leaves out."""
    from song2vec.playlists.rules import RULES

    rows = [{**rule.to_json(), "leaves_out": RULES[rule.rule]} for rule in record.rules]
    counts = [f"{what}_{where}" for what in ("rows", "playlists") for where in ("in", "out", "left_out")]
    return _frame(rows, {"rule": TEXT, **dict.fromkeys(counts, WHOLE), "leaves_out": TEXT})


def reasons(record: Record) -> "DataFrame":
    """A reason a row, in the order of the rules: ``reason, rows, files, means``."""
    return _frame(record["reasons"], {"reason": TEXT, "rows": WHOLE, "files": WHOLE, "means": TEXT})


def quarantine(record: Record) -> "DataFrame":
    """An example of a left-out row a row: ``reason, source, file, line, category, value, problem``."""
    rows = [{"reason": reason["reason"], **row} for reason in record["reasons"] for row in reason["examples"]]
    types = {"reason": TEXT, "source": TEXT, "file": TEXT, "line": WHOLE}
    return _frame(rows, types | dict.fromkeys(("category", "value", "problem"), TEXT))


def metrics(record: "Metrics") -> "DataFrame":
    """Who was measured (`of`) on which held-out playlists a row: first on all of them, then on each part."""
    from song2vec.metrics.text import METRICS, NAMES

    parts = [("all", record.given()), *((part.sentence, part.given()) for part in record.slices)]
    rows = [
        {"of": name, "on": sentence, "playlists": part["playlists"], **part[name].given()}
        for sentence, part in parts
        for name in NAMES
        if name in part
    ]
    return _frame(rows, {"of": TEXT, "on": TEXT, "playlists": WHOLE, **dict.fromkeys(METRICS, NUMBER)})


def tuning(record: "Tuning") -> "DataFrame":
    """A trial a row, in order: ``trial, outcome, ndcg, seconds, minutes``, then the settings that are tuned."""
    rows = [{"trial": trial.number, **trial.to_json(), **trial.settings} for trial in record.trials]
    types = {"trial": WHOLE, "outcome": TEXT, "ndcg": NUMBER, "seconds": NUMBER, "minutes": NUMBER}
    return _frame(rows, types | dict.fromkeys(record.today, NUMBER))


def similar(record: Record) -> "DataFrame":
    """A song a row, most similar first: ``song, score``."""
    return _frame(record["similar"], {"song": WHOLE, "score": NUMBER})


def settings(record: Record) -> "DataFrame":
    """A setting a row: ``setting, value, default, allowed, description``; values as they are written."""
    rows = [{**row, "value": str(row["value"]), "default": str(row["default"])} for row in record["settings"]]
    return _frame(rows, dict.fromkeys(("setting", "value", "default", "allowed", "description"), TEXT))


def _frame(rows: Iterable[Record], types: Mapping[str, str]) -> "DataFrame":
    """The named columns of the rows, and no others."""
    import pandas

    return pandas.DataFrame(list(rows), columns=list(types)).astype(dict(types))
