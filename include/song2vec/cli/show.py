"""How each record is shown to people: text and tables, in the order they are read."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from song2vec.cli import frames
from song2vec.cli.output import Part, table

if TYPE_CHECKING:
    from song2vec.records import DataDecision, Decision, Funnel, Metrics, Tuning
    from song2vec.versions import Diff

Record = Mapping[str, Any]
Parts = Iterator[Part]

WIDEST = dict.fromkeys(("file", "category", "value"), 40) | {"problem": 120}
"""Letters of a quarantined row that are shown; the record, CSV and Excel have all of it."""


def pairs(record: Record) -> Parts:
    """A figure a line; lists and nested records are for ``--json``."""
    small = {name: value for name, value in record.items() if not isinstance(value, list | dict)}
    width = max(map(len, small), default=0)
    yield "\n".join(f"{name:{width}}  {'' if value is None else value}" for name, value in small.items())


def sentence(record: Record) -> Parts:
    """What a record says of itself."""
    yield record["sentence"]


def summary(record: Record) -> Parts:
    """The page that sums a run up."""
    yield record["summary"]


def files(record: Record) -> Parts:
    """What became of each collected file."""
    yield table(frames.files(record)) if record["files"] else "no files yet"


def funnel(record: "Funnel") -> Parts:
    """The funnel, then the figures."""
    from song2vec.records import funnel_table

    yield funnel_table(record)
    yield from pairs(record.to_json())


def quarantine(record: Record) -> Parts:
    """The counts, then the examples of each reason."""
    if not record["reasons"]:
        yield "no row was left out"
        return
    yield table(frames.reasons(record), whole=",")
    for reason in record["reasons"]:
        examples = frames.quarantine({"reasons": [reason]}).drop(columns="reason")
        if examples["problem"].isna().all():
            examples = examples.drop(columns="problem")
        if len(examples):
            yield f"{reason['reason']}, {len(examples):,} of {reason['rows']:,}:"
            yield table(examples, widest=WIDEST)


def data_decision(record: "DataDecision") -> Parts:
    """The verdict, then what changed."""
    from song2vec.playlists.changes import in_words

    changed = f"since {record.live_version}: {in_words(record.changes)}" if record.changes else ""
    yield f"{record.sentence}\n{changed}".rstrip()


def metrics(record: "Metrics") -> Parts:
    """The model beside the baselines and the live version, as a whole and by slices."""
    from song2vec.metrics.text import metrics_page

    yield metrics_page(record)


def decision(record: "Decision") -> Parts:
    """The verdict, then every rule."""
    marks = {True: "met", False: "not met", None: "abstained"}
    yield record.sentence
    yield "\n".join(f"{marks[rule.passed]:9}  {rule.sentence}" for rule in record.rules)


def similar(record: Record) -> Parts:
    """The songs with their scores."""
    yield table(frames.similar(record))


def tuning(record: "Tuning") -> Parts:
    """What is proposed, and the best trials beside today's settings."""
    from song2vec.tune import tuning_page

    yield tuning_page(record)


def versions(record: Record) -> Parts:
    """The versions, with the channels that name them."""
    yield table(frames.versions(record)) if record["versions"] else "no versions yet"


def history(record: Record) -> Parts:
    """The moves, newest first, and below them what is wrong."""
    yield table(frames.history(record)) if record["moves"] else "no moves yet"
    if record["problems"]:
        yield "\n".join(record["problems"])


def diff(record: "Diff") -> Parts:
    """The differences, section by section."""
    from song2vec.versions import diff_page

    yield diff_page(record)


def prune(record: Record) -> Parts:
    """Every version with its fate, then the sum."""
    gone = sum(row["fate"] == "goes" for row in record["versions"])
    done = "deleted" if record["deleted"] else "nothing was deleted; with --delete would go"
    yield table(frames.prune(record)) if record["versions"] else "no versions yet"
    yield f"{done}: {gone} versions, {record['bytes'] / 1e6:,.1f} MB"


def settings(record: Record) -> Parts:
    """Markdown as it is, or a table."""
    if "markdown" in record:
        yield record["markdown"].rstrip("\n")
        return
    yield table(frames.settings(record).drop(columns="default").rename(columns={"description": ""}))
