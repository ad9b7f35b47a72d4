"""The form by which a person moves a channel in Airflow's UI, and what is done with it."""

from collections.abc import Mapping
from typing import Any

from airflow.sdk import Param, get_current_context

from song2vec.errors import SettingsError
from song2vec.settings import load_settings
from song2vec_airflow.run import triggered_by
from song2vec_client.format.records import Pointer
from song2vec_client.gcs.bucket import Bucket

ACTIONS = {
    "promote": "Promote: move the channel to the version",
    "rollback": "Roll back: to the version before, or to the one named below",
    "pin": "Pin: keep the channel where it is, or at the version named below",
    "unpin": "Unpin: let the daily run move the channel again",
}


def move_form() -> dict[str, Param]:
    """The params of the DAG; Airflow's form and API refuse what does not fit them."""
    return {
        "action": Param(type="string", title="What to do", enum=list(ACTIONS), values_display=ACTIONS),
        "version": Param(
            None,
            type=["null", "string"],
            title="Version",
            pattern=r"^[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}$",
            description="As the page Models names it, such as 20260131T040000Z-0123abcd. To promote needs one. "
            "Empty: the version before (roll back), or the live one (pin). To unpin takes none.",
        ),
        "reason": Param(
            type="string",
            title="Why",
            minLength=3,
            maxLength=500,
            pattern=r"\S",
            description="Kept for ever in the history, beside your name.",
        ),
        "channel": Param(
            load_settings().publish.channel,
            type="string",
            title="Channel",
            pattern=r"^[a-z][a-z0-9-]{0,62}$",
            description="Services pull the version that this channel names.",
        ),
        "force": Param(
            False,
            type="boolean",
            title="Force",
            description="Also to a version that the gate rejected, and although the channel is pinned. "
            "The history shows it.",
        ),
    }


def move_channel_as_the_form_says() -> dict[str, Any]:
    """What the task of the DAG does: the pointer as the channel holds it now."""
    from song2vec_airflow.connections import Connections

    context = get_current_context()
    dag_run = context["dag_run"]
    name = f"{dag_run.dag_id}/{dag_run.run_id}"
    return move_channel(Connections().store().bucket, context["params"], triggered_by(dag_run), name).to_json()


def move_channel(bucket: Bucket, form: Mapping[str, Any], who: str, run: str) -> Pointer:
    """Do what the form says, once for each `run`.

    Returns:
        What the channel holds now.

    Raises:
        SettingsError: a version is missing, or given where none belongs.
        Song2VecError: what `song2vec.channels.moves` raises.
    """
    from song2vec import channels

    version, force = form["version"], form["force"]
    request: dict[str, Any] = {"channel": form["channel"], "who": who, "why": form["reason"], "run": run}
    match form["action"]:
        case "promote" if version:
            return channels.promote(bucket, version=version, force=force, **request)
        case "rollback":
            return channels.rollback(bucket, to=version, force=force, **request)
        case "pin":
            return channels.pin(bucket, to=version, force=force, **request)
        case "unpin" if not version:
            return channels.unpin(bucket, **request)
        case action:
            needs = "a version: copy its name from the page Models" if action == "promote" else "no version"
            raise SettingsError(f"to {action} needs {needs}; trigger the DAG once more")
