"""The commands about the pipeline as a whole: running it, its settings, its keys."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from song2vec.cli import frames, options, show
from song2vec.cli.command import Record, command
from song2vec.cli.deployment import CommandLine
from song2vec_client.errors import TransientError

if TYPE_CHECKING:
    from song2vec.settings import Settings


@command("*", show=show.summary)
def run(
    settings: "Settings",
    *,
    url: options.Url,
    who: options.Who,
    uri: options.StoreToWrite = "",
    sign_with: options.SignWith = None,
    workspace: Annotated[
        str,
        Option(
            envvar="SONG2VEC_WORKSPACE", metavar="FOLDER|gs://BUCKET/PREFIX", help="Where the files of runs are kept."
        ),
    ] = ".data/workspace",
    resume: Annotated[bool, Option("--resume", help="Go on with the newest run where it stopped, if it did.")] = False,
) -> Record:
    """Run the whole pipeline, without Airflow."""
    import structlog

    from song2vec import stages
    from song2vec.workspace import end_run, new_run, unfinished_run

    values = settings.model_dump(mode="json") | {"store": {"uri": uri}}  # a run belongs to one store
    name, files = (resume and unfinished_run(workspace, values)) or new_run(workspace, values)
    deployment = CommandLine(url, uri, sign_with)
    try:
        record = stages.run_all(stages.Run(settings, files, deployment, f"song2vec_run/{name}", who))
    except (TransientError, KeyboardInterrupt):
        structlog.get_logger(__name__).warning(
            "the run was stopped: `song2vec run --resume` with the same settings goes on from there",
            run=name,
        )
        raise
    end_run(files)
    return record


@command(show=show.settings, frame=frames.settings)
def settings(
    settings: "Settings",
    markdown: Annotated[bool, Option("--markdown", help="As docs/configuration.md.")] = False,
) -> Record:
    """List every setting: its value now, default and bounds."""
    from song2vec.settings import table

    record: Record = {"settings": list(table.rows(settings))}
    return record | {"markdown": table.markdown()} if markdown else record


@command()
def keygen(
    _: "Settings",
    private: Annotated[Path, Argument(metavar="KEY.pem", help="The public key is written beside it, as KEY.pub.pem.")],
) -> Record:
    """Make a pair of keys: the private one signs what is published, the public one is for those who pull."""
    from song2vec.publish import make_key

    public = private.with_suffix(".pub.pem")
    make_key(private, public)
    return {"private": str(private), "public": str(public)}
