"""The commands that move a channel, and keep it where it is."""

from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from song2vec.cli import options
from song2vec.cli.command import Record, command
from song2vec.cli.deployment import open_store

if TYPE_CHECKING:
    from song2vec.settings import Settings


@command("publish")
def promote(
    settings: "Settings",
    *,
    version: Annotated[str, Argument(metavar="VERSION", help="Where to.")],
    who: options.Who,
    why: options.Why,
    uri: options.StoreToWrite = "",
    channel: options.Channel = None,
    force: Annotated[
        bool, Option("--force", help="Also to a version that the gate rejected, and although the channel is pinned.")
    ] = False,
) -> Record:
    """Move a channel to a version; one that the gate rejected, or a pinned channel, only with --force."""
    from song2vec.channels import promote

    return promote(version=version, force=force, who=who, why=why, **_channel(uri, channel, settings)).to_json()


@command("publish")
def rollback(
    settings: "Settings",
    *,
    who: options.Who,
    why: options.Why,
    version: Annotated[
        str | None, Argument(metavar="VERSION", help="Where to; without: to the version that was live before.")
    ] = None,
    uri: options.StoreToWrite = "",
    channel: options.Channel = None,
    force: Annotated[bool, Option("--force", help="Although the channel is pinned.")] = False,
) -> Record:
    """Move a channel back to the version before, or to one that was live at some time."""
    from song2vec.channels import rollback

    return rollback(to=version, force=force, who=who, why=why, **_channel(uri, channel, settings)).to_json()


@command("publish")
def pin(
    settings: "Settings",
    *,
    who: options.Who,
    why: options.Why,
    version: Annotated[str | None, Argument(metavar="VERSION", help="Move to this one first.")] = None,
    uri: options.StoreToWrite = "",
    channel: options.Channel = None,
    force: Annotated[
        bool, Option("--force", help="Also to a version that the gate rejected, and although it is pinned elsewhere.")
    ] = False,
) -> Record:
    """Keep a channel where it is, or move it to a version and keep it there, until it is unpinned."""
    from song2vec.channels import pin

    return pin(to=version, force=force, who=who, why=why, **_channel(uri, channel, settings)).to_json()


@command("publish")
def unpin(
    settings: "Settings",
    *,
    who: options.Who,
    why: options.Why,
    uri: options.StoreToWrite = "",
    channel: options.Channel = None,
) -> Record:
    """Let a pinned channel move again."""
    from song2vec.channels import unpin

    return unpin(who=who, why=why, **_channel(uri, channel, settings)).to_json()


def _channel(uri: str, channel: str | None, settings: "Settings") -> dict[str, Any]:
    """The channel, as every move takes it."""
    return {"bucket": open_store(uri).bucket, "channel": channel or settings.publish.channel}
