"""The stages in order: what the DAG does with Airflow, and ``song2vec run`` without."""

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import Engine

from song2vec import __version__
from song2vec.channels import pin_in_words, promote
from song2vec.collect import collect, find_csvs
from song2vec.errors import PinnedError
from song2vec.evaluate import evaluate
from song2vec.extract import extract
from song2vec.gates import check_data, insist, judge, may_promote
from song2vec.plumbing.files import read_json, whole_file
from song2vec.plumbing.logs import show
from song2vec.prepare import prepare
from song2vec.prune import clean, prune
from song2vec.publish import SigningKey, VersionFacts, publish, published_files
from song2vec.report import summarise
from song2vec.settings import Settings
from song2vec.train import train
from song2vec.verify import try_out
from song2vec.versions.live import live_pointer
from song2vec.versions.live_model import live_model
from song2vec_client.format.alignment import Alignment
from song2vec_client.format.fields import parse_json
from song2vec_client.format.records import Pointer
from song2vec_client.gcs.bucket import Bucket
from song2vec_client.model import SongModel
from song2vec_client.store import ModelStore

log = structlog.get_logger(__name__)


def run(
    engine: Engine, store: Bucket, folder: Path, settings: Settings, who: str, *, key: SigningKey | None = None
) -> dict[str, Any]:
    """Retrain and publish: every stage, in order, with its files under `folder`.

    Returns:
        ``{"version", "accepted", "forced", "sentence", "metrics", "summary"}``; `summary` is the page for people.

    Raises:
        RefusedError: the prepared data must not be trained on.
        DataError: the published version does not answer as it was trained.
    """
    raw, prepared, checked, model = folder / "raw", folder / "prepared", folder / "checked", folder / "model"
    evaluation, gate, report = folder / "evaluation", folder / "gate", folder / "report"

    extract(engine, raw / "mariadb", settings.extract)
    csvs = [collect(path, raw / "csv", settings.collect) for path in find_csvs(settings.collect)]
    prepare([raw / "mariadb", *(raw / "csv" / csv["name"] for csv in csvs)], prepared, settings)
    insist(check_data(prepared, checked, store, settings))
    heldout, playlists = prepared / "heldout.parquet", prepared / "playlists.parquet"
    train(playlists, model, settings, heldout=heldout, parent=parent_model(store, settings))
    live = live_model(store, settings.publish.channel)
    metrics = evaluate(model, heldout, settings, playlists=playlists, live=live, out=evaluation)
    decision = judge(evaluation / "metrics.json", gate, settings.gate)
    published = publish_run(store, [model, prepared, checked, evaluation, gate], settings, key)
    try_out(store, published["version"], model)
    asked = "gate.approval is on: look at the version, then `song2vec promote` it" if settings.gate.approval else ""
    if may_promote(decision) and not asked:
        _promote(store, settings.publish.channel, published["version"], who, decision)
    folders = [prepared, checked, evaluation, gate]
    summary = report_run(store, folders, published["version"], report, settings, approval=asked)
    prune_after_run(store, settings)
    return {
        "version": published["version"],
        "accepted": decision["accepted"],
        "forced": decision["forced"],
        "sentence": decision["sentence"],
        "metrics": metrics["model"],
        "summary": summary,
    }


def publish_run(
    store: Bucket, folders: Sequence[Path], settings: Settings, key: SigningKey | None = None
) -> dict[str, Any]:
    """Publish the files that the stages up to the gate left in `folders` as one version, signed with `key`.

    Then the rests of uploads that crashed long ago are deleted.
    """
    files = published_files(*folders)
    live = live_pointer(store, settings.publish.channel)
    decision = read_json(files["decision.json"]) if "decision.json" in files else {"accepted": True}
    funnel = read_json(files["funnel.json"]) if "funnel.json" in files else {}
    alignment = read_json(files["training.json"]).get("alignment", {})
    manifest = publish(
        store,
        files,
        VersionFacts(
            parent=live.version if live else None,
            accepted=decision["accepted"],
            status="accepted" if decision["accepted"] else "rejected",
            settings=settings.model_dump(mode="json"),
            data_fingerprint=funnel.get("fingerprint", ""),
            code_version=os.environ.get("SONG2VEC_CODE_VERSION", __version__),
            created=datetime.now(UTC),
            alignment=Alignment.from_json(alignment) if alignment.get("aligned") else None,
        ),
        key,
    )
    clean(store, settings.retention)
    return {"version": manifest.version, "uri": f"{store.uri}/versions/{manifest.version}"}


def _promote(store: Bucket, channel: str, version: str, who: str, decision: Mapping[str, Any]) -> None:
    try:
        promote(store, channel, version, who=who, why=decision["sentence"], rejected=decision["forced"])
    except PinnedError as pinned:
        log.warning(str(pinned))


def prune_after_run(store: Bucket, settings: Settings) -> dict[str, Any] | None:
    """Show, or delete, the versions that need not stay, as ``retention.after_run`` says; None where it is off.

    Returns:
        ``{"deleted", "bytes", "versions"}``: whether they were deleted, their size, their names.
    """
    rules = settings.retention
    if rules.after_run == "off":
        return None
    answer = prune(store, rules, delete=rules.after_run == "delete")
    return answer | {"versions": [row["version"] for row in answer["versions"] if row["fate"] == "goes"]}


def parent_model(store: Bucket, settings: Settings) -> SongModel | None:
    """The live model, pulled and verified, for the new one to be aligned to.

    None where there is none, or ``train.align`` is off.
    """
    live = live_pointer(store, settings.publish.channel) if settings.train.align else None
    return ModelStore.of(store).version(live.version, live.manifest_sha256).load() if live else None


def report_run(
    store: Bucket, folders: Sequence[Path], version: str, out: Path, settings: Settings, *, approval: str = ""
) -> str:
    """Pull `version` through the client, write ``out/summary.txt`` and log it; `approval`: what a person answered."""
    prepared, checked, evaluation, gate = folders
    live = live_pointer(store, settings.publish.channel)
    published = ModelStore.of(store).version(version)
    training: Any = parse_json(published.read("training.json"))
    why = approval if may_promote(read_json(gate / "decision.json")) else "the gate refused the model."
    text = summarise(
        funnel=prepared / "funnel.json",
        checked=checked / "data_decision.json",
        metrics=evaluation / "metrics.json",
        decision=gate / "decision.json",
        version=version,
        where=store.uri,
        alignment=training.get("alignment", {}).get("sentence", ""),
        model=published.load(),
        live=_live(settings.publish.channel, live, version, why),
    )
    with whole_file(out / "summary.txt") as file:
        file.write_text(text, encoding="utf-8")
    show(text)
    return text


def _live(channel: str, live: Pointer | None, version: str, why: str) -> str:
    """What the channel names, in words, and why it was not moved if it was not."""
    if live and live.version == version:
        return channel
    if live and live.pinned:
        return pin_in_words(live)
    names = f"{channel} stays at {live.version}" if live else f"{channel} names no version"
    return f"{names}: {why}" if why else names
