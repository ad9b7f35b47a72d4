"""What the two gates decide: rules with figures and limits, and a verdict in plain words."""

from typing import Annotated, ClassVar

from song2vec.playlists.changes import Changes
from song2vec.records.record import Figure, Many, Part, Record


class Rule(Part):
    """One rule of a gate.

    Attributes:
        rule: the setting that gives the limit.
        of: what is looked at, where rules of the same name differ in that; empty: everything.
        figure: what was measured; None where that is no number.
        limit: what it is held against.
        margin: how far it lies on the good side of the limit, negative where it was missed; the gate on data has none.
        passed: None where the rule abstains.
        sentence: all of it in words.
    """

    rule: str
    of: str = ""
    figure: Figure = None
    limit: Figure = None
    margin: Figure = None
    passed: bool | None = None
    sentence: str = ""


class Decision(Record):
    """The verdict of the gate on a model.

    Attributes:
        accepted: whether no rule failed.
        forced: whether the model may go live against the verdict, for the reason `force`.
        force: the reason, whether it was needed or not.
        live_version: the version it was compared with; None: with none.
        sentence: the verdict in words.
        rules: everything that was asked.
    """

    FILE: ClassVar[str] = "decision.json"

    accepted: bool
    forced: bool = False
    force: str = ""
    live_version: str | None = None
    sentence: str
    rules: Annotated[tuple[Rule, ...], Many] = ()


class DataDecision(Record):
    """The verdict of the gate on data.

    Attributes:
        accepted: whether a model may be trained on it.
        overridden: whether that is against the rules, for the reason `override`.
        override: the reason, whether it was needed or not.
        sentence: the verdict in words.
        rules: everything that was asked.
        live_version: the version whose data it was compared with; None: none was live.
        changes: what changed since then; None where nothing is known of its playlists.
    """

    FILE: ClassVar[str] = "check_data.json"

    accepted: bool
    overridden: bool = False
    override: str = ""
    sentence: str
    rules: Annotated[tuple[Rule, ...], Many] = ()
    live_version: str | None = None
    changes: Changes | None = None
