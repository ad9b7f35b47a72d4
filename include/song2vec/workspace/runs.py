"""The runs of ``song2vec run`` in a workspace: a new one, or the newest, to go on where it stopped."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

from song2vec.errors import SettingsError
from song2vec.workspace.run_folder import RunFolder, open_run_folder
from song2vec_client.gcs.bucket import Bucket

log = structlog.get_logger(__name__)

FOLDER = "song2vec_run"
_BEGUN, _ENDED = "begun.json", "ended.json"

Settings = Mapping[str, Any]


def new_run(workspace: str, settings: Settings) -> tuple[str, RunFolder]:
    """Begin a run with these settings: its name, which is the time, and its folder."""
    name = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    files = open_run_folder(workspace, FOLDER, name)
    files.keep(_BEGUN, {"settings": settings})
    log.info("a new run begins", run=name, workspace=workspace)
    return name, files


def unfinished_run(workspace: str, settings: Settings) -> tuple[str, RunFolder] | None:
    """The newest run of the workspace, if it did not finish.

    Raises:
        SettingsError: it was begun with other settings, so that its files are not what these would give.
    """
    names = _names(workspace)
    files = open_run_folder(workspace, FOLDER, max(names)) if names else None
    beginning = files.record(_BEGUN) if files else None
    if files is None or beginning is None or files.record(_ENDED) is not None:
        log.info("there is no unfinished run to go on with", workspace=workspace)
        return None
    if differing := _differing(beginning["settings"], settings):
        raise SettingsError(
            f"the run {max(names)} was begun with {', '.join(differing)}: go on with the same settings, or begin a new "
            "run without --resume"
        )
    log.info("going on with a run", run=max(names), workspace=workspace)
    return max(names), files


def end_run(files: RunFolder) -> None:
    """Record that the run finished."""
    files.keep(_ENDED, {"ended": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")})


def _names(workspace: str) -> set[str]:
    if workspace.startswith("gs://"):
        bucket = Bucket.open(f"{workspace.rstrip('/')}/{FOLDER}")
        return {name.partition("/")[0] for name in bucket.names()}
    folder = Path(workspace).expanduser() / FOLDER
    return {path.name for path in folder.iterdir() if path.is_dir()} if folder.is_dir() else set()


def _differing(before: Settings, now: Settings) -> list[str]:
    """What settings were before, of those that differ now, as ``section.name=value``."""
    return [
        f"{section}.{name}={value}"
        for section, values in before.items()
        for name, value in values.items()
        if now.get(section, {}).get(name) != value
    ]
