"""Every stage of a run, once: what it reads, what it writes, and its small record.

The DAG's tasks and ``song2vec run`` both call these. A stage reads the folders of the stages before it and writes to
the subfolder of the run that is named after it; it can safely be run again at any time. What is heavy is imported when
a stage runs, so that a DAG file is parsed quickly.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from song2vec.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from song2vec.publish import SigningKey
    from song2vec.records import Decision, Metrics
    from song2vec.settings import ExtractSettings
    from song2vec.versions import LiveVersion
    from song2vec.workspace import RunFolder
    from song2vec_client.store import ModelStore

log = structlog.get_logger(__name__)

Result = dict[str, Any]
"""A stage's summary, small enough for XCom: a few figures and names, never data. With ``skipped``, a sentence that
says why, the stage did nothing."""

ORDER = (
    "extract",
    "collect",
    "prepare",
    "check_data",
    "train",
    "evaluate",
    "gate",
    "publish",
    "verify",
    "promote",
    "report",
    "prune",
)
"""The stages as they follow each other; a test holds the DAG to it."""


NOBODY_ASKED = "gate.approval is on: look at the version, then `song2vec promote` it"
"""Why ``song2vec run``, which can ask nobody, does not promote."""


class Deployment(Protocol):
    """What opens the database, the model store and the key that a run works with, each when it is needed."""

    def database(self, settings: "ExtractSettings") -> "Engine":
        """The database with the playlists."""

    def store(self) -> "ModelStore":
        """The model store."""

    def signing_key(self) -> "SigningKey | None":
        """The key that signs versions; None: they are not signed."""


@dataclass(frozen=True)
class Run:
    """One execution of the pipeline.

    Attributes:
        settings: this run's settings.
        files: where it keeps its files.
        deployment: opens what it works with.
        name: tells it from all other runs.
        who: the person or scheduler that started it, for the history.
    """

    settings: Settings
    files: "RunFolder"
    deployment: Deployment
    name: str
    who: str

    @cached_property
    def store(self) -> "ModelStore":
        """The model store."""
        return self.deployment.store()

    @cached_property
    def live(self) -> "LiveVersion":
        """What the channel named when this run first looked at it: the same for every stage and every try."""
        from song2vec.versions import LIVE_FILE, LiveVersion, live_version

        record = self.files.record(LIVE_FILE)
        if record is None:
            record = self.files.keep(LIVE_FILE, live_version(self.store, self.settings.publish.channel).to_json())
        return LiveVersion.from_json(record)

    @property
    def version(self) -> str:
        """The version that `publish` made."""
        version: str = self.read_json("publish/publish.json")["version"]
        return version

    def folder(self, stage: str) -> Path:
        """A local path of the files that `stage` wrote."""
        return self.files.fetch(self.files.uri(stage))

    def read_json(self, file: str) -> dict[str, Any]:
        """The JSON object in ``stage/name.json``."""
        from song2vec.plumbing.files import read_json

        return read_json(self.files.fetch(self.files.uri(file)))


def extract(run: Run) -> Result:
    """Stream the playlists out of the database, as they are."""
    from song2vec.extract import extract

    settings = run.settings.extract
    with run.files.stage("extract") as out:
        record = extract(run.deployment.database(settings), out, settings)
    return record | {"uri": run.files.uri("extract")}


def find_csvs(run: Run) -> list[list[str]]:
    """List the collected CSV files, in groups: one for each copy of `collect` that may run beside others."""
    from song2vec.collect import find_csvs, groups

    return groups(find_csvs(run.settings.collect))


def collect(run: Run, csvs: Sequence[str]) -> list[str]:
    """Read collected CSV files; where the raw rows of each are."""
    from song2vec.collect import collect

    with run.files.stage("collect") as out:
        records = [collect(Path(csv), out, run.settings.collect) for csv in csvs]
    return [run.files.uri(f"collect/{record['name']}") for record in records]


def prepare(run: Run, raw: Sequence[str]) -> Result:
    """Make playlists of the raw rows at `raw`, what `extract` and `collect` gave."""
    from song2vec.prepare import prepare

    with run.files.stage("prepare") as out:
        funnel = prepare([run.files.fetch(uri) for uri in raw], out, run.settings)
    return funnel.to_json() | {"uri": run.files.uri("prepare")}


def check_data(run: Run) -> Result:
    """Decide whether the data may be trained on, beside that of the live version.

    Raises:
        RefusedError: it may not; the verdict is kept all the same.
    """
    from song2vec.gates import check_data, insist
    from song2vec.versions import live_data

    with run.files.stage("check_data") as out:
        decision = check_data(run.folder("prepare"), out, live_data(run.store, run.live), run.settings)
    insist(decision)
    return decision.model_dump(mode="json", include={"sentence", "changes"}) | {"uri": run.files.uri("check_data")}


def train(run: Run) -> Result:
    """Train on all playlists but the held-out ones, from where a stopped try was, and align to the live version."""
    from song2vec.train import train
    from song2vec.versions import pull_live

    _golden_songs(run)  # a mistake in them is found before hours of training, not after
    data = run.folder("prepare")
    live = pull_live(run.store, run.live) if run.settings.train.align else None
    with run.files.stage("train") as out:
        record = train(
            data / "playlists.parquet",
            out,
            run.settings,
            heldout=data / "heldout.parquet",
            live=live,
            backup=run.files.backup("checkpoint"),
        )
    return record | {"uri": run.files.uri("train")}


def evaluate(run: Run) -> Result:
    """Measure the model on the held-out playlists, beside popularity, item-kNN and the live version."""
    with run.files.stage("evaluate") as out:
        metrics = _measure(run, run.live, out)
    golden = {"golden_songs": metrics.golden_songs.sha256} if metrics.golden_songs else {}
    return {"metrics": metrics.model.to_json(), **golden, "uri": run.files.uri("evaluate")}


def gate(run: Run) -> Result:
    """Decide whether the model may go live, and say why in one sentence."""
    from song2vec.gates import gate
    from song2vec.records import Metrics

    metrics = run.folder("evaluate") / Metrics.FILE
    with run.files.stage("gate") as out:
        decision = gate(metrics, out, run.settings.gate)
    return decision.model_dump(include={"accepted", "forced", "sentence"}) | {"uri": run.files.uri("gate")}


def publish(run: Run) -> Result:
    """Write the version to the model store: immutable, checked after upload, visible only when whole.

    Then what uploads that crashed long ago left behind is deleted.
    """
    from song2vec.plumbing.files import write_json
    from song2vec.prune import clean
    from song2vec.publish import publish_folders
    from song2vec.versions import LIVE_FILE

    folders = [run.folder(stage) for stage in ("train", "prepare", "check_data", "evaluate", "gate")]
    with run.files.stage("publish") as out:
        write_json(out / LIVE_FILE, run.live.to_json())
        key = run.deployment.signing_key()
        record = publish_folders(run.store, [*folders, out], run.settings, parent=run.live.version, key=key)
        write_json(out / "publish.json", record)
    clean(run.store.bucket, run.settings.retention)
    return record


def verify(run: Run) -> Result:
    """Pull the version as a service would, check every file, and ask it what the trained model knows."""
    from song2vec.verify import verify

    return verify(run.store, run.version, run.folder("train"))


def promote(run: Run, approval: str = "") -> Result:
    """Move the channel to the version, if the gate let it through or somebody forced it, and nothing speaks against it.

    A pinned channel stays, and so does one that a later run has moved. If a person has moved it, the model is measured
    again, beside what is live now.

    Args:
        run: the run.
        approval: what a person answered who was asked, in a sentence.
    """
    from song2vec.errors import RefusedError
    from song2vec.gates import may_promote
    from song2vec.plumbing.files import write_json
    from song2vec.promote import Candidate, promote
    from song2vec.records import Decision

    decision = Decision.read(run.folder("gate") / Decision.FILE)
    with run.files.stage("promote") as out:
        candidate = Candidate(run.version, decision, run.live, lambda now: _judge_again(run, now, out))
        record: Result
        try:
            if not may_promote(decision):
                raise RefusedError(f"{run.live.channel} stays as it is. {decision.sentence}")
            pointer = promote(run.store, candidate, who=run.who, why=approval, run=run.name)
            record = {"channel": pointer.channel, "version": pointer.version, "sequence": pointer.sequence}
        except RefusedError as refused:
            record = {"skipped": str(refused)}
        write_json(out / "promote.json", record)
    return record


def report(run: Run, approval: str = "") -> Result:
    """Ask the new version for similar songs, and sum the run up on one page.

    Args:
        run: the run.
        approval: what a person answered who was asked, or why nobody was, in a sentence.
    """
    from song2vec.report import report

    folders = {stage: run.folder(stage) for stage in ("prepare", "check_data", "evaluate", "gate")}
    promoted = run.files.record("promote/promote.json") or {}
    why = promoted.get("skipped") or approval
    with run.files.stage("report") as out:
        report(run.store, folders, run.version, run.live.channel, why=why, out=out)
    return {"uri": run.files.uri("report")}


def prune(run: Run) -> Result:
    """Show, or delete, the versions that need not stay, as ``retention.after_run`` says."""
    from song2vec.prune import prune_after_run

    return prune_after_run(run.store.bucket, run.settings.retention) or {
        "skipped": "all versions stay: retention.after_run is off"
    }


def tune(run: Run) -> Result:
    """Look for better settings of the training on the playlists of this run, and propose them; none is applied.

    No run of the pipeline does this: it is a DAG of its own, after `prepare`.
    """
    from song2vec.plumbing.logs import show
    from song2vec.tune import tune, tuning_page

    data = run.folder("prepare")
    with run.files.stage("tune") as out:
        tuning = tune(
            data / "playlists.parquet",
            out,
            run.settings,
            heldout=data / "heldout.parquet",
            backup=run.files.backup("study"),
        )
    show(tuning_page(tuning))
    return tuning.model_dump(include={"sentence", "proposed"}) | {"uri": run.files.uri("tune")}


def run_all(run: Run) -> Result:
    """Every stage in order; those that an earlier try of this run ended are not done again.

    Returns:
        ``{"version", "accepted", "forced", "sentence", "metrics", "summary"}``; `summary` is the report as plain text.

    Raises:
        RefusedError: the data must not be trained on.
        DataError: the published version does not answer as it was trained.
        SettingsError: an earlier try of this run measured the model with other golden songs than there are now.
    """
    raw = [_once(run, extract)["uri"], *_once(run, _collect_all)["uris"]]
    _once(run, prepare, raw)
    for stage in (check_data, train):
        _once(run, stage)
    metrics = _once(run, evaluate)
    _insist_on(metrics.get("golden_songs", ""), run)
    decision, published = (_once(run, stage) for stage in (gate, publish))
    _once(run, verify)
    if not run.settings.gate.approval:
        _once(run, promote)
    _once(run, report, NOBODY_ASKED if run.settings.gate.approval else "")
    _once(run, prune)
    verdict = {name: decision[name] for name in ("accepted", "forced", "sentence")}
    summary = (run.folder("report") / "summary.txt").read_text(encoding="utf-8")
    return {"version": published["version"], **verdict, "metrics": metrics["metrics"], "summary": summary}


def _once(run: Run, stage: Callable[..., Result], *inputs: Any) -> Result:
    """The record of a stage that has ended; it is run where there is none yet."""
    name = f"{stage.__name__.strip('_')}.json"
    record = run.files.record(name)
    if record is None:
        return run.files.keep(name, stage(run, *inputs))
    log.info("done in an earlier try", stage=name.removesuffix(".json"))
    return record


def _golden_songs(run: Run) -> str:
    """The digest of the file of golden songs, which is read and checked; empty where there is none."""
    from song2vec.evaluate import read_golden_file

    name = run.settings.gate.golden_songs
    return read_golden_file(Path(name)).sha256 if name else ""


def _insist_on(asked: str, run: Run) -> None:
    """Insist that the model was asked for the golden songs `asked`, by digest, as they are now."""
    from song2vec.errors import SettingsError

    if _golden_songs(run) != asked:
        raise SettingsError(
            f"the model of this run was measured with other golden songs than are in {run.settings.gate.golden_songs} "
            "now: put the file back to go on with the run, or begin a new run without --resume"
        )


def _collect_all(run: Run) -> Result:
    return {"uris": [uri for csvs in find_csvs(run) for uri in collect(run, csvs)]}


def _measure(run: Run, live: "LiveVersion", out: Path) -> "Metrics":
    """Measure the run's model beside a live version, and write ``metrics.json``."""
    from song2vec.evaluate import evaluate
    from song2vec.versions import live_model

    data = run.folder("prepare")
    return evaluate(
        run.folder("train"),
        data / "heldout.parquet",
        run.settings,
        playlists=data / "playlists.parquet",
        live=live_model(run.store, live),
        out=out,
    )


def _judge_again(run: Run, live: "LiveVersion", out: Path) -> "Decision":
    """The verdict on the run's model beside another live version than it was first measured with."""
    from song2vec.gates import gate
    from song2vec.records import Metrics

    _measure(run, live, out)
    return gate(out / Metrics.FILE, out, run.settings.gate)
