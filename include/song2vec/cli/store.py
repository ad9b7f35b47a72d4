"""The commands on the versions in a model store."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from song2vec.cli import frames, options, show
from song2vec.cli.command import Record, command
from song2vec.cli.deployment import open_key, open_store

if TYPE_CHECKING:
    from song2vec.settings import Settings
    from song2vec.versions import Diff

VersionOrChannel = Annotated[str, Argument(metavar="VERSION|CHANNEL", help="A version, or the one of a channel.")]


@command("publish")
def publish(
    settings: "Settings",
    model: Annotated[Path, Argument(metavar="MODEL_DIR", help="What train wrote.")],
    records: Annotated[
        list[Path] | None, Argument(metavar="DIR", help="Folders with metrics.json, funnel.json, …")
    ] = None,
    uri: options.StoreToWrite = "",
    sign_with: options.SignWith = None,
) -> Record:
    """Publish a model as a version."""
    from song2vec.publish import publish_folders
    from song2vec.versions import live_version

    store = open_store(uri)
    parent = live_version(store, settings.publish.channel).version
    key = open_key(sign_with)
    return publish_folders(store, [model, *(records or [])], settings, parent=parent, key=key)


@command(show=show.sentence)
def verify(
    _: "Settings",
    version: VersionOrChannel,
    model: Annotated[
        Path | None, Option(metavar="MODEL_DIR", help="What train wrote: the answers must be the same.")
    ] = None,
    uri: options.StoreToRead = "",
) -> Record:
    """Pull a version as a service would, and ask it for similar songs."""
    from song2vec.verify import verify

    return verify(open_store(uri), version, model)


@command(show=show.versions, frame=frames.versions)
def versions(_: "Settings", uri: options.StoreToRead = "") -> Record:
    """List the published versions, newest first."""
    from song2vec.versions import version_table

    return {"versions": version_table(open_store(uri).bucket)}


@command(show=show.history, frame=frames.history)
def history(_: "Settings", uri: options.StoreToRead = "") -> Record:
    """List every move of every channel: who, when and why."""
    from song2vec.versions import read_history

    return read_history(open_store(uri).bucket)


@command("evaluate", show=show.diff)
def diff(settings: "Settings", old: VersionOrChannel, new: VersionOrChannel, uri: options.StoreToRead = "") -> "Diff":
    """Show what differs between two versions: settings, data, metrics, neighbours of songs."""
    from song2vec.versions import diff

    return diff(open_store(uri).bucket, old, new, settings.evaluate.stability_sample)


@command("retention", show=show.prune, frame=frames.prune)
def prune(
    settings: "Settings",
    delete: Annotated[bool, Option("--delete", help="Delete what goes, for good; without: only show it.")] = False,
    uri: options.StoreToWrite = "",
) -> Record:
    """Show which versions need not stay, and delete them with --delete."""
    from song2vec.prune import prune

    return prune(open_store(uri).bucket, settings.retention, delete=delete)
