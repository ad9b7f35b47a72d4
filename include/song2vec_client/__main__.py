"""``python -m song2vec_client``: models for shells and for other languages. Answers are JSON on stdout.

``pull gs://BUCKET/PREFIX``          download and verify; says in which folder the .npy files lie
``info gs://BUCKET/PREFIX``          what the channel or version is
``similar gs://BUCKET/PREFIX SONG``  the most similar songs

Exit code 0: done, 1: failed, 2: wrong usage.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

from song2vec_client.errors import Song2VecError
from song2vec_client.model import SongModel
from song2vec_client.store import ModelStore


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        answer = options.command(ModelStore(options.store, cache=options.cache, public_key=options.public_key), options)
    except (Song2VecError, OSError) as error:
        sys.stderr.write(f"song2vec_client: {error}\n")
        return 1
    sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")
    return 0


def _pull(store: ModelStore, options: argparse.Namespace) -> dict[str, Any]:
    folder = store.pull(options.name)
    return {"version": SongModel.open(folder).version, "folder": str(folder)}


def _info(store: ModelStore, options: argparse.Namespace) -> dict[str, Any]:
    return store.version(options.name).manifest.to_json()


def _similar(store: ModelStore, options: argparse.Namespace) -> dict[str, Any]:
    model = store.load(options.name)
    songs, scores = model.similar(options.song, options.k)
    return {
        "version": model.version,
        "song": options.song,
        "similar": [{"song": int(song), "score": float(score)} for song, score in zip(songs, scores, strict=True)],
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m song2vec_client", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, command in (("pull", _pull), ("info", _info), ("similar", _similar)):
        sub = commands.add_parser(name)
        sub.set_defaults(command=command)
        sub.add_argument("store", metavar="gs://BUCKET/PREFIX")
        if command is _similar:
            sub.add_argument("song", metavar="SONG")
            sub.add_argument("-k", type=_count, default=10, help="how many (default 10)")
        sub.add_argument("--name", default="production", help="a channel or a version (default: production)")
        sub.add_argument("--cache", help="folder for pulled models (default: ~/.cache/song2vec)")
        sub.add_argument("--public-key", metavar="FILE", help="PEM; refuse every version that it did not sign")
    return parser


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


if __name__ == "__main__":
    sys.exit(main())
