"""What each command of ``song2vec`` does, and how its record is shown to people.

A command takes the options and the settings, calls the function that the task of the same name calls, and
returns its small record.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tabulate import tabulate

from song2vec.cli.deployment import CommandLine
from song2vec.settings import Settings
from song2vec_client.gcs.bucket import Bucket

if TYPE_CHECKING:
    from song2vec.publish import SigningKey
    from song2vec.records import DataDecision, Decision, Funnel, Metrics
    from song2vec.versions import Diff, LiveModel
    from song2vec_client.model import SongModel
    from song2vec_client.store import ModelStore

Answer = dict[str, Any]


def extract(options: argparse.Namespace, settings: Settings) -> Answer:
    """Stream playlists out of a database."""
    from song2vec.extract import extract, open_engine

    return extract(open_engine(options.url, settings.extract), options.out, settings.extract)


def collect(options: argparse.Namespace, settings: Settings) -> Answer:
    """Read collected CSV files."""
    from song2vec.collect import collect, find_csvs

    here = settings.collect.model_copy(update={"folder": str(options.folder)})
    files = [collect(path, options.out, here) for path in find_csvs(here)]
    return {"out": str(options.out), "files": files}


def prepare(options: argparse.Namespace, settings: Settings) -> "Funnel":
    """Make playlists of raw rows."""
    from song2vec.prepare import prepare

    return prepare(options.raw, options.out, settings)


def check(options: argparse.Namespace, settings: Settings) -> "DataDecision":
    """Decide whether prepared data may be trained on; say what changed since the live version."""
    from song2vec.gates import check_data
    from song2vec.versions import live_data, live_version

    models = _store(options)
    live = live_data(models, live_version(models, settings.publish.channel))
    return check_data(options.prepared, options.out, live, settings)


def quarantine(options: argparse.Namespace, _: Settings) -> Answer:
    """The rows that were left out, by reason, with examples."""
    from song2vec.prepare import read_quarantine

    return read_quarantine(options.where, reason=options.reason, examples=options.examples)


def train(options: argparse.Namespace, settings: Settings) -> Answer:
    """Train a model on playlists."""
    from song2vec.train import train

    parent = _model_to_align_to(options.align_to, settings) if options.align_to else None
    return train(options.playlists, options.out, settings, heldout=options.heldout, parent=parent)


def evaluate(options: argparse.Namespace, settings: Settings) -> "Metrics":
    """Measure a model on held-out playlists."""
    from song2vec.evaluate import evaluate

    live = _live(options.live, settings) if options.live else None
    return evaluate(options.model, options.heldout, settings, playlists=options.playlists, live=live, out=options.out)


def gate(options: argparse.Namespace, settings: Settings) -> "Decision":
    """Decide whether a model may go live, from its metrics."""
    from song2vec.gates import gate

    return gate(options.metrics, options.out, settings.gate)


def publish(options: argparse.Namespace, settings: Settings) -> Answer:
    """Publish a model as a version."""
    from song2vec.publish import publish_folders
    from song2vec.versions import live_version

    models = _store(options)
    parent = live_version(models, settings.publish.channel).version
    key = signing_key(options)
    return publish_folders(models, [options.model, *options.records], settings, parent=parent, key=key)


def verify(options: argparse.Namespace, _: Settings) -> Answer:
    """Pull a version as a service would, and ask it for similar songs."""
    from song2vec.verify import verify

    return verify(_store(options), options.version, options.model)


def promote(options: argparse.Namespace, settings: Settings) -> Answer:
    """Move a channel to a version; one that the gate rejected, or a pinned channel, only with --force."""
    from song2vec.channels import promote

    return promote(version=options.version, force=options.force, **_move(options, settings)).to_json()


def rollback(options: argparse.Namespace, settings: Settings) -> Answer:
    """Move a channel back to the version before, or to one that was live at some time."""
    from song2vec.channels import rollback

    return rollback(to=options.version, force=options.force, **_move(options, settings)).to_json()


def pin(options: argparse.Namespace, settings: Settings) -> Answer:
    """Keep a channel where it is, or move it to a version and keep it there, until it is unpinned."""
    from song2vec.channels import pin

    return pin(to=options.version, force=options.force, **_move(options, settings)).to_json()


def unpin(options: argparse.Namespace, settings: Settings) -> Answer:
    """Let a pinned channel move again."""
    from song2vec.channels import unpin

    return unpin(**_move(options, settings)).to_json()


def versions(options: argparse.Namespace, _: Settings) -> Answer:
    """The published versions, newest first."""
    from song2vec.versions.listing import version_table

    return {"versions": version_table(store(options))}


def history(options: argparse.Namespace, _: Settings) -> Answer:
    """Every move of every channel: who, when and why."""
    from song2vec.versions.listing import read_history

    return read_history(store(options))


def diff(options: argparse.Namespace, settings: Settings) -> "Diff":
    """What differs between two versions: settings, data, metrics, neighbours of songs."""
    from song2vec.versions.diff import diff

    return diff(store(options), options.old, options.new, settings.evaluate.stability_sample)


def prune(options: argparse.Namespace, settings: Settings) -> Answer:
    """Show which versions need not stay, and delete them with --delete."""
    from song2vec.prune import prune

    return prune(store(options), settings.retention, delete=options.delete)


def similar(options: argparse.Namespace, settings: Settings) -> Answer:
    """The songs most similar to a song."""
    from song2vec_client.model import SongModel
    from song2vec_client.store import ModelStore

    where = options.store
    if where.startswith("gs://"):
        model = ModelStore(where).load(options.version or settings.publish.channel)
    else:
        model = SongModel.open(Path(where))
    songs, scores = model.similar(options.song, options.k)
    found = [{"song": int(song), "score": float(score)} for song, score in zip(songs, scores, strict=True)]
    return {"song": options.song, "similar": found}


def run(options: argparse.Namespace, settings: Settings) -> Answer:
    """The whole pipeline, without Airflow."""
    from song2vec import stages
    from song2vec.workspace import end_run, new_run, unfinished_run

    workspace, values = str(options.workspace), settings.model_dump(mode="json")
    name, files = (options.resume and unfinished_run(workspace, values)) or new_run(workspace, values)
    deployment = CommandLine(options.url, options.store, options.sign_with)
    record = stages.run(stages.Run(settings, files, deployment, f"song2vec_run/{name}", options.who))
    end_run(files)
    return record


def keygen(options: argparse.Namespace, _: Settings) -> Answer:
    """Make a pair of keys: the private one signs what is published, the public one is for those who pull."""
    from song2vec.publish import make_key

    public = options.private.with_suffix(".pub.pem")
    make_key(options.private, public)
    return {"private": str(options.private), "public": str(public)}


def show_settings(options: argparse.Namespace, settings: Settings) -> Answer:
    """Every setting: its value now, default and bounds."""
    from song2vec.settings.table import markdown, rows

    return {"markdown": markdown(settings)} if options.markdown else {"settings": list(rows(settings))}


def _move(options: argparse.Namespace, settings: Settings) -> dict[str, Any]:
    """What every move takes."""
    channel = options.channel or settings.publish.channel
    return {"bucket": store(options), "channel": channel, "who": options.who, "why": options.why}


def _model_to_align_to(where: str, settings: Settings) -> "SongModel | None":
    """The model in a folder, or the live one of a store, if there is one."""
    from song2vec.versions import live_version, pull_live
    from song2vec_client.model import SongModel
    from song2vec_client.store import ModelStore

    if where.startswith("gs://"):
        models = ModelStore(where)
        return pull_live(models, live_version(models, settings.publish.channel))
    return SongModel.open(Path(where))


def _live(where: str, settings: Settings) -> "LiveModel | None":
    """The model in a folder, or the live one of a store, if there is one."""
    from song2vec.versions import live_model, live_version, model_in
    from song2vec_client.store import ModelStore

    if where.startswith("gs://"):
        models = ModelStore(where)
        return live_model(models, live_version(models, settings.publish.channel))
    return model_in(Path(where))


def _store(options: argparse.Namespace) -> "ModelStore":
    from song2vec_client.store import ModelStore

    return ModelStore(options.store)


def store(options: argparse.Namespace) -> Bucket:
    """The model store that the command line names."""
    return Bucket.open(options.store)


def signing_key(options: argparse.Namespace) -> "SigningKey | None":
    """The key that the command line names, or None: what is published is not signed."""
    if not options.sign_with:
        return None
    from song2vec.publish import SigningKey

    return SigningKey.read(options.sign_with)


# How each record is shown to people.


def pairs(answer: Answer) -> str:
    """One line a figure; lists and nested records are for ``--json``."""
    small = {key: value for key, value in answer.items() if not isinstance(value, (list, dict))}
    return tabulate([[key, value] for key, value in small.items()], tablefmt="plain", disable_numparse=True)


def rows(key: str) -> Callable[[Answer], str]:
    """A table of the list that the record holds under `key`."""
    return lambda answer: tabulate(answer[key], headers="keys", floatfmt=".3f") if answer[key] else f"no {key} yet"


def show_history(answer: Answer) -> str:
    """The moves as a table, newest first, and below it what is wrong."""
    from song2vec.versions.listing import move_rows

    return "\n".join([rows("moves")({"moves": move_rows(answer["moves"])}), *answer["problems"]])


def show_diff(answer: "Diff") -> str:
    """The differences, section by section."""
    from song2vec.versions.diff import diff_page

    return diff_page(answer)


def show_prepare(answer: "Funnel") -> str:
    """The funnel, then the figures."""
    from song2vec.records import funnel_table

    return f"{funnel_table(answer)}\n\n{pairs(answer.to_json())}"


def show_check(answer: "DataDecision") -> str:
    """The verdict, then what changed."""
    from song2vec.playlists.changes import in_words

    changed = f"since {answer.live_version}: {in_words(answer.changes)}" if answer.changes else ""
    return f"{answer.sentence}\n{changed}".rstrip()


def show_gate(answer: "Decision") -> str:
    """The verdict, then every rule."""
    marks = {True: "met", False: "not met", None: "abstained"}
    table = [[marks[rule.passed], rule.sentence] for rule in answer.rules]
    return f"{answer.sentence}\n\n{tabulate(table, tablefmt='plain', disable_numparse=True)}"


def show_quarantine(answer: Answer) -> str:
    """The counts, then the examples."""
    from song2vec.prepare import quarantine_table

    return quarantine_table(answer)


def show_metrics(answer: "Metrics") -> str:
    """The model beside the baselines and the live version, as a whole and by slices."""
    from song2vec.metrics.text import metrics_page

    return metrics_page(answer)


def show_prune(answer: Answer) -> str:
    """Every version with its fate, then the sum."""
    gone = sum(row["fate"] == "goes" for row in answer["versions"])
    said = "deleted" if answer["deleted"] else "nothing was deleted; with --delete would go"
    return f"{rows('versions')(answer)}\n\n{said}: {gone} versions, {answer['bytes'] / 1e6:,.1f} MB"


def show_setting_table(answer: Answer) -> str:
    """Markdown as it is, or a table."""
    if "markdown" in answer:
        return str(answer["markdown"]).rstrip("\n")
    table = [[row["setting"], row["value"], row["allowed"], row["description"]] for row in answer["settings"]]
    return tabulate(table, ["setting", "value", "allowed", ""], disable_numparse=True)
