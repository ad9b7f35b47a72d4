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
from functools import partial
from pathlib import Path
from typing import Any

from song2vec import __version__
from song2vec.cli import commands
from song2vec.errors import RefusedError, SettingsError
from song2vec.plumbing.logs import log_to_stderr
from song2vec.records import RULES, Part
from song2vec.settings import Settings, load_settings, sections
from song2vec_client.errors import Song2VecError

Command = Callable[[argparse.Namespace, Settings], commands.Answer | Part]
Show = Callable[[Any], str]
DONE, FAILED, USAGE, REFUSED = 0, 1, 2, 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = parser().parse_args(arguments)
    if "store" in options and not options.store:
        options.no_store()
    log_to_stderr(quiet=options.quiet)
    try:
        settings = _settings(options)
    except SettingsError as error:
        return _fail(error, USAGE)
    try:
        answer = options.command(options, settings)
    except RefusedError as error:
        return _fail(error, REFUSED)
    except Song2VecError as error:
        return _fail(error, FAILED)
    record = answer.to_json() if isinstance(answer, Part) else answer
    _print(json.dumps(record, ensure_ascii=False, default=str) if options.json else options.show(answer))
    return REFUSED if record.get("accepted") is False and not record.get("forced") else DONE


def _print(text: str) -> None:
    """To stdout; quietly where nobody reads on, as with ``| head``."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python fails again as it closes stdout


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


def parser() -> argparse.ArgumentParser:
    """What every command takes; each documents its settings below its options."""
    top = argparse.ArgumentParser(prog="song2vec", description="From playlists to a published song-embedding model.")
    top.add_argument("--version", action="version", version=f"song2vec {__version__}")
    subparsers = top.add_subparsers(metavar="COMMAND", required=True)
    _add_stages(subparsers)
    _add_store_commands(subparsers)
    _add_whole(subparsers)
    return top


def _add_stages(subparsers: Any) -> None:
    sub = _command(subparsers, "extract", commands.extract, commands.pairs, "extract")
    _add_url(sub)
    sub.add_argument("--out", type=Path, required=True, metavar="RAW_DIR")

    sub = _command(subparsers, "collect", commands.collect, commands.rows("files"), "collect")
    sub.add_argument("folder", type=Path, metavar="CSV_DIR")
    sub.add_argument("--out", type=Path, required=True, metavar="RAW_DIR")

    sub = _command(subparsers, "prepare", commands.prepare, commands.show_prepare, "prepare", "holdout")
    sub.add_argument("raw", type=Path, nargs="+", metavar="RAW_DIR")
    sub.add_argument("--out", type=Path, required=True, metavar="DIR")

    sub = _command(subparsers, "quarantine", commands.quarantine, commands.show_quarantine)
    sub.add_argument("where", metavar="DIR|QUARANTINE.parquet", help="what prepare wrote; a path or gs://…")
    sub.add_argument("--reason", choices=list(RULES), help="only the rows that this rule left out")
    sub.add_argument("--examples", type=_count, default=3, metavar="N", help="how many of each reason (default 3)")

    sub = _command(subparsers, "check", commands.check, commands.show_check, "data", "publish")
    sub.add_argument("prepared", type=Path, metavar="DIR", help="what prepare wrote")
    sub.add_argument("--out", type=Path, required=True, metavar="DIR", help="gets check_data.json, data_index.npz")
    _add_store(sub, "--to")

    sub = _command(subparsers, "train", commands.train, commands.pairs, "train", "publish")
    sub.add_argument("playlists", type=Path, metavar="PLAYLISTS.parquet")
    sub.add_argument("--out", type=Path, required=True, metavar="MODEL_DIR")
    sub.add_argument("--heldout", type=Path, metavar="HELDOUT.parquet", help="playlists not to train on")
    sub.add_argument(
        "--align-to",
        metavar="gs://BUCKET/PREFIX|MODEL_DIR",
        help="turn the vectors onto those of this model, or of the live one of this store",
    )

    sub = _command(subparsers, "evaluate", commands.evaluate, commands.show_metrics, "evaluate", "publish")
    sub.add_argument("model", type=Path, metavar="MODEL_DIR")
    sub.add_argument("--heldout", type=Path, required=True, metavar="HELDOUT.parquet")
    sub.add_argument("--playlists", type=Path, metavar="PLAYLISTS.parquet", help="adds item-kNN, which needs them")
    sub.add_argument(
        "--live",
        metavar="gs://BUCKET/PREFIX|MODEL_DIR",
        help="measure this model beside it, or the live one of this store",
    )
    sub.add_argument("--out", type=Path, metavar="DIR", help="also write metrics.json there")

    sub = _command(subparsers, "gate", commands.gate, commands.show_gate, "gate")
    sub.add_argument("metrics", type=Path, metavar="METRICS.json", help="what evaluate wrote")
    sub.add_argument("--out", type=Path, required=True, metavar="DIR", help="gets decision.json")


def _add_store_commands(subparsers: Any) -> None:
    sub = _command(subparsers, "publish", commands.publish, commands.pairs, "publish")
    sub.add_argument("model", type=Path, metavar="MODEL_DIR")
    sub.add_argument("records", type=Path, nargs="*", metavar="DIR", help="folders with metrics.json, funnel.json, …")
    _add_store(sub, "--to")
    _add_signing(sub)

    sub = _command(subparsers, "verify", commands.verify, lambda answer: answer["sentence"])
    sub.add_argument("version", metavar="VERSION", help="or a channel")
    sub.add_argument("--model", type=Path, metavar="MODEL_DIR", help="what train wrote: the answers must be the same")
    _add_store(sub, "--to", "--from")

    sub = _command(subparsers, "promote", commands.promote, commands.pairs, "publish")
    sub.add_argument("version", metavar="VERSION")
    _add_move(sub, force="also to a version that the gate rejected, and although the channel is pinned")

    sub = _command(subparsers, "rollback", commands.rollback, commands.pairs, "publish")
    sub.add_argument("version", nargs="?", metavar="VERSION", help="or to this one")
    _add_move(sub, force="although the channel is pinned")

    sub = _command(subparsers, "pin", commands.pin, commands.pairs, "publish")
    sub.add_argument("version", nargs="?", metavar="VERSION", help="move to this one first")
    _add_move(sub, force="also to a version that the gate rejected, and although it is pinned elsewhere")

    sub = _command(subparsers, "unpin", commands.unpin, commands.pairs, "publish")
    _add_move(sub)

    sub = _command(subparsers, "versions", commands.versions, commands.rows("versions"))
    _add_store(sub, "--to", "--from")

    sub = _command(subparsers, "history", commands.history, commands.show_history)
    _add_store(sub, "--to", "--from")

    sub = _command(subparsers, "diff", commands.diff, commands.show_diff, "evaluate")
    sub.add_argument("old", metavar="OLD", help="a version or a channel")
    sub.add_argument("new", metavar="NEW", help="a version or a channel")
    _add_store(sub, "--to", "--from")

    sub = _command(subparsers, "prune", commands.prune, commands.show_prune, "retention")
    sub.add_argument("--delete", action="store_true", help="delete what goes, for good; without: only show it")
    _add_store(sub, "--to")

    sub = _command(subparsers, "similar", commands.similar, commands.rows("similar"), "publish")
    sub.add_argument("song", metavar="SONG")
    _add_store(sub, "--from", metavar="gs://BUCKET/PREFIX|MODEL_DIR")
    sub.add_argument("--model-version", dest="version", metavar="VERSION", help="default: the channel's")
    sub.add_argument("-k", type=int, default=10, help="how many (default 10)")


def _add_whole(subparsers: Any) -> None:
    sub = _command(subparsers, "run", commands.run, lambda answer: answer["summary"], *sections())
    _add_url(sub)
    _add_store(sub, "--to")
    _add_signing(sub)
    sub.add_argument(
        "--workspace",
        metavar="FOLDER|gs://BUCKET/PREFIX",
        default=os.environ.get("SONG2VEC_WORKSPACE", ".data/workspace"),
    )
    sub.add_argument("--resume", action="store_true", help="go on with the newest run where it stopped, if it did")
    sub.add_argument("--who", default=getpass.getuser(), help="recorded in the history (default: you)")

    sub = _command(subparsers, "keygen", commands.keygen, commands.pairs)
    sub.add_argument("private", type=Path, metavar="KEY.pem", help="the public key is written beside it, KEY.pub.pem")

    sub = _command(subparsers, "settings", commands.show_settings, commands.show_setting_table)
    sub.add_argument("--markdown", action="store_true", help="as docs/configuration.md")


def _command(subparsers: Any, name: str, function: Command, show: Show, *settings: str) -> argparse.ArgumentParser:
    sub: argparse.ArgumentParser = subparsers.add_parser(
        name,
        help=function.__doc__,
        description=function.__doc__,
        epilog=_settings_help(settings),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    sub.set_defaults(command=function, show=show)
    sub.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    sub.add_argument("--quiet", action="store_true", help="log warnings only")
    sub.add_argument("--config", type=Path, metavar="FILE.toml", help="settings file")
    sub.add_argument("--set", action="append", default=[], metavar="SECTION.NAME=VALUE", help="change a setting")
    return sub


def _add_url(parser: argparse.ArgumentParser) -> None:
    default = os.environ.get("SONG2VEC_DATABASE_URL")
    parser.add_argument(
        "--url",
        default=default,
        required=default is None,
        metavar="SQLALCHEMY_URL",
        help="mariadb+pymysql://… or sqlite:///…; or SONG2VEC_DATABASE_URL, which hides the password from `ps`",
    )


def _add_store(parser: argparse.ArgumentParser, *flags: str, metavar: str = "gs://BUCKET/PREFIX") -> None:
    parser.add_argument(
        *flags,
        dest="store",
        default=os.environ.get("SONG2VEC_STORE"),
        metavar=metavar,
        help="the model store; or SONG2VEC_STORE",
    )
    missing = f"the model store is not given: name it with {' or '.join(flags)}, or in SONG2VEC_STORE"
    parser.set_defaults(no_store=partial(parser.error, missing))


def _add_signing(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--sign-with",
        default=os.environ.get("SONG2VEC_SIGNING_KEY"),
        metavar="KEY.pem",
        help="sign the version with this private key; or SONG2VEC_SIGNING_KEY, which names the file too",
    )


def _add_move(parser: argparse.ArgumentParser, force: str = "") -> None:
    _add_store(parser, "--to")
    parser.add_argument("--channel", help="default: publish.channel")
    parser.add_argument("--who", default=getpass.getuser(), help="recorded in the history (default: you)")
    parser.add_argument("--why", required=True, help="recorded in the history")
    if force:
        parser.add_argument("--force", action="store_true", help=force)


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 up")
    return int(text)


def _settings_help(names: Sequence[str]) -> str:
    lines = []
    for name in names:
        model = sections()[name]
        lines += ["", f"settings of {name}: {model.__doc__}"]
        for field, info in model.model_fields.items():
            lines += [f"  {name}.{field} = {info.default!r}", f"      {info.description}"]
    return "\n".join(lines)
