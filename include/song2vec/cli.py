"""The command line: everything a task does, by the same functions, without Airflow.

Answers go to stdout (one JSON object with ``--json``), logs and progress to stderr.
Exit 0: done. 1: failed. 2: wrong usage. 3: refused by a gate.
"""

import argparse
import getpass
import json
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tabulate import tabulate

from song2vec import __version__
from song2vec.config import Settings, load_settings, sections
from song2vec.errors import RefusedError, SettingsError, Song2VecError
from song2vec.logs import log_to_stderr
from song2vec_client.errors import ModelStoreError

Answer = dict[str, Any]
DONE, FAILED, USAGE, REFUSED = 0, 1, 2, 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = parser().parse_args(arguments)
    log_to_stderr(quiet=options.quiet)
    try:
        settings = _settings(options)
    except SettingsError as error:
        return _fail(error, USAGE)
    try:
        answer = options.command(options, settings)
    except RefusedError as error:
        return _fail(error, REFUSED)
    except (Song2VecError, ModelStoreError) as error:
        return _fail(error, FAILED)
    print(json.dumps(answer, ensure_ascii=False, default=str) if options.json else options.show(answer))
    return REFUSED if answer.get("accepted") is False else DONE


def _fail(error: Exception, code: int) -> int:
    print(f"song2vec: {error}", file=sys.stderr)
    return code


def _settings(options: argparse.Namespace) -> Settings:
    if options.config:
        os.environ["SONG2VEC_CONFIG"] = str(options.config)
    pairs = [text.partition("=") for text in options.set]
    for name, equals, _ in pairs:
        if not equals:
            raise SettingsError(f"--set {name}: expected section.name=value, such as train.epochs=5")
    return load_settings({name: value for name, _, value in pairs})


# The commands: each takes the options and the settings and returns a small record.


def _extract(options: argparse.Namespace, settings: Settings) -> Answer:
    from song2vec.extract import extract, open_engine

    return extract(open_engine(options.url, settings.extract), options.out, settings.extract)


def _collect(options: argparse.Namespace, settings: Settings) -> Answer:
    from song2vec.collect import collect, find_csvs

    here = settings.collect.model_copy(update={"folder": str(options.folder)})
    files = [collect(path, options.out, here) for path in find_csvs(here)]
    return {"out": str(options.out), "files": files}


def _prepare(options: argparse.Namespace, settings: Settings) -> Answer:
    from song2vec.prepare import prepare

    return prepare(options.raw, options.out, settings)


def _train(options: argparse.Namespace, settings: Settings) -> Answer:
    from song2vec.train import train

    return train(options.playlists, options.out, settings, heldout=options.heldout)


def _evaluate(options: argparse.Namespace, settings: Settings) -> Answer:
    from song2vec.evaluate import evaluate

    return evaluate(options.model, options.heldout, settings, playlists=options.playlists, out=options.out)


def _publish(options: argparse.Namespace, settings: Settings) -> Answer:
    from song2vec.pipeline import publish_run

    return publish_run(_store(options), [options.model, *options.records], settings)


def _promote(options: argparse.Namespace, settings: Settings) -> Answer:
    from song2vec.promote import promote

    channel = options.channel or settings.publish.channel
    return promote(_store(options), channel, options.version, who=options.who, why=options.why).to_json()


def _rollback(options: argparse.Namespace, settings: Settings) -> Answer:
    from song2vec.promote import rollback

    channel = options.channel or settings.publish.channel
    return rollback(_store(options), channel, to=options.version, who=options.who, why=options.why).to_json()


def _versions(options: argparse.Namespace, _: Settings) -> Answer:
    from song2vec.promote import version_table

    return {"versions": version_table(_store(options))}


def _history(options: argparse.Namespace, _: Settings) -> Answer:
    from song2vec.promote import history

    return {"moves": [move.to_json() for move in history(_store(options))]}


def _similar(options: argparse.Namespace, settings: Settings) -> Answer:
    from song2vec_client.model import SongModel
    from song2vec_client.store import ModelStore

    where = options.source
    if where.startswith("gs://"):
        model = ModelStore(where).load(options.version or settings.publish.channel)
    else:
        model = SongModel.open(Path(where))
    songs, scores = model.similar(options.song, options.k)
    pairs = [{"song": int(song), "score": float(score)} for song, score in zip(songs, scores, strict=True)]
    return {"song": options.song, "similar": pairs}


def _run(options: argparse.Namespace, settings: Settings) -> Answer:
    from song2vec.extract import open_engine
    from song2vec.pipeline import run

    engine = open_engine(options.url, settings.extract)
    folder = options.workspace / "song2vec_run" / datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    return run(engine, _store(options), folder, settings, who=options.who)


def _show_settings(options: argparse.Namespace, settings: Settings) -> Answer:
    from song2vec.settings_table import markdown, rows

    return {"markdown": markdown(settings)} if options.markdown else {"settings": list(rows(settings))}


def _store(options: argparse.Namespace) -> Any:
    from song2vec_client.bucket import Bucket

    return Bucket.open(options.store)


# How each record is shown to people.


def _pairs(answer: Answer) -> str:
    small = {key: value for key, value in answer.items() if not isinstance(value, (list, dict))}
    return tabulate([[key, value] for key, value in small.items()], tablefmt="plain", disable_numparse=True)


def _rows(key: str) -> Callable[[Answer], str]:
    return lambda answer: tabulate(answer[key], headers="keys", floatfmt=".3f") if answer[key] else f"no {key} yet"


def _show_prepare(answer: Answer) -> str:
    from song2vec.funnel import funnel_table

    return f"{funnel_table(answer)}\n\n{_pairs(answer)}"


def _show_metrics(answer: Answer) -> str:
    from song2vec.report import metrics_table

    return metrics_table(answer)


def _settings_text(answer: Answer) -> str:
    if "markdown" in answer:
        return str(answer["markdown"]).rstrip("\n")
    rows = [[row["setting"], row["value"], row["allowed"], row["description"]] for row in answer["settings"]]
    return tabulate(rows, ["setting", "value", "allowed", ""], disable_numparse=True)


# What each command takes.


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="song2vec", description="From playlists to a published song-embedding model.")
    parser.add_argument("--version", action="version", version=f"song2vec {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def command(name: str, function: Any, show: Any, about: str, *shown: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(
            name,
            help=about,
            description=about,
            epilog=_settings_help(shown),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        sub.set_defaults(command=function, show=show)
        sub.add_argument("--json", action="store_true", help="print one JSON object on stdout")
        sub.add_argument("--quiet", action="store_true", help="log warnings only")
        sub.add_argument("--config", type=Path, metavar="FILE.toml", help="settings file")
        sub.add_argument("--set", action="append", default=[], metavar="SECTION.NAME=VALUE", help="change a setting")
        return sub

    sub = command("extract", _extract, _pairs, "Stream playlists out of a database.", "extract")
    _add_url(sub)
    sub.add_argument("--out", type=Path, required=True, metavar="RAW_DIR")

    sub = command("collect", _collect, _rows("files"), "Read collected CSV files.", "collect")
    sub.add_argument("folder", type=Path, metavar="CSV_DIR")
    sub.add_argument("--out", type=Path, required=True, metavar="RAW_DIR")

    sub = command("prepare", _prepare, _show_prepare, "Make playlists of raw rows.", "prepare", "holdout")
    sub.add_argument("raw", type=Path, nargs="+", metavar="RAW_DIR")
    sub.add_argument("--out", type=Path, required=True, metavar="DIR")

    sub = command("train", _train, _pairs, "Train a model on playlists.", "train")
    sub.add_argument("playlists", type=Path, metavar="PLAYLISTS.parquet")
    sub.add_argument("--out", type=Path, required=True, metavar="MODEL_DIR")
    sub.add_argument("--heldout", type=Path, metavar="HELDOUT.parquet", help="playlists not to train on")

    sub = command("evaluate", _evaluate, _show_metrics, "Measure a model on held-out playlists.", "evaluate")
    sub.add_argument("model", type=Path, metavar="MODEL_DIR")
    sub.add_argument("--heldout", type=Path, required=True, metavar="HELDOUT.parquet")
    sub.add_argument("--playlists", type=Path, metavar="PLAYLISTS.parquet", help="adds item-kNN, which needs them")
    sub.add_argument("--out", type=Path, metavar="DIR", help="also write metrics.json there")

    sub = command("publish", _publish, _pairs, "Publish a model as a version.", "publish")
    sub.add_argument("model", type=Path, metavar="MODEL_DIR")
    sub.add_argument("records", type=Path, nargs="*", metavar="DIR", help="folders with metrics.json, funnel.json, …")
    _add_store(sub, "--to")

    sub = command("promote", _promote, _pairs, "Move a channel to a version.", "publish")
    sub.add_argument("version", metavar="VERSION")
    _add_move(sub)

    sub = command("rollback", _rollback, _pairs, "Move a channel back to the version before.", "publish")
    sub.add_argument("version", nargs="?", metavar="VERSION", help="or to this one")
    _add_move(sub)

    sub = command("versions", _versions, _rows("versions"), "The published versions, newest first.")
    _add_store(sub, "--to", "--from")

    sub = command("history", _history, _rows("moves"), "Every move of every channel.")
    _add_store(sub, "--to", "--from")

    sub = command("similar", _similar, _rows("similar"), "The songs most similar to a song.", "publish")
    sub.add_argument("song", metavar="SONG")
    sub.add_argument("--from", dest="source", required=True, metavar="gs://BUCKET/PREFIX|MODEL_DIR")
    sub.add_argument("--model-version", dest="version", metavar="VERSION", help="default: the channel's")
    sub.add_argument("-k", type=int, default=10, help="how many (default 10)")

    sub = command("run", _run, lambda answer: answer["summary"], "The whole pipeline, without Airflow.", *sections())
    _add_url(sub)
    _add_store(sub, "--to")
    sub.add_argument("--workspace", type=Path, default=os.environ.get("SONG2VEC_WORKSPACE", ".data/workspace"))
    sub.add_argument("--who", default=getpass.getuser(), help="recorded in the history (default: you)")

    sub = command("settings", _show_settings, _settings_text, "Every setting: its value now, default and bounds.")
    sub.add_argument("--markdown", action="store_true", help="as docs/configuration.md")
    return parser


def _add_url(parser: argparse.ArgumentParser) -> None:
    default = os.environ.get("SONG2VEC_DATABASE_URL")
    parser.add_argument(
        "--url",
        default=default,
        required=default is None,
        metavar="SQLALCHEMY_URL",
        help="mariadb+pymysql://… or sqlite:///…; or SONG2VEC_DATABASE_URL, which hides the password from `ps`",
    )


def _add_store(parser: argparse.ArgumentParser, *flags: str) -> None:
    default = os.environ.get("SONG2VEC_STORE")
    parser.add_argument(
        *flags,
        dest="store",
        default=default,
        required=default is None,
        metavar="gs://BUCKET/PREFIX",
        help="the model store; or SONG2VEC_STORE",
    )


def _add_move(parser: argparse.ArgumentParser) -> None:
    _add_store(parser, "--to")
    parser.add_argument("--channel", help="default: publish.channel")
    parser.add_argument("--who", default=getpass.getuser(), help="recorded in the history (default: you)")
    parser.add_argument("--why", required=True, help="recorded in the history")


def _settings_help(names: Sequence[str]) -> str:
    lines = []
    for name in names:
        model = sections()[name]
        lines += ["", f"settings of {name}: {model.__doc__}"]
        for field, info in model.model_fields.items():
            lines += [f"  {name}.{field} = {info.default!r}", f"      {info.description}"]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
