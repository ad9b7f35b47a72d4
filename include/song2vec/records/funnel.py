"""The funnel: how many rows and playlists went into each rule and how many came out.

For every rule, always: in = out + left out; and what comes out of one rule goes into the next.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, ClassVar, Self

from pydantic import model_validator

from song2vec.playlists.rules import RULES
from song2vec.records.record import Count, Many, Part, Record


class FunnelRule(Part):
    """What one rule did.

    Attributes:
        rule: its name.
        rows_left_out: rows that it sent to the quarantine.
        playlists_left_out: playlists that lost their last row to it.
    """

    rule: str
    rows_in: Count
    rows_out: Count
    rows_left_out: Count
    playlists_in: Count
    playlists_out: Count
    playlists_left_out: Count

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        for what, came, stayed, left in (
            ("rows", self.rows_in, self.rows_out, self.rows_left_out),
            ("playlists", self.playlists_in, self.playlists_out, self.playlists_left_out),
        ):
            if came != stayed + left:
                raise ValueError(
                    f"{came:,} {what} went in, and {stayed:,} out and {left:,} left out do not add up to it"
                )
        return self

    @classmethod
    def of(cls, rule: str, rows: tuple[int, int], playlists: tuple[int, int]) -> Self:
        """Build from how many went in and out."""
        (rows_in, rows_out), (playlists_in, playlists_out) = rows, playlists
        return cls(
            rule=rule,
            rows_in=rows_in,
            rows_out=rows_out,
            rows_left_out=rows_in - rows_out,
            playlists_in=playlists_in,
            playlists_out=playlists_out,
            playlists_left_out=playlists_in - playlists_out,
        )


class Funnel(Record):
    """What became of the rows.

    Attributes:
        rules: in the order they were applied.
        raw_rows: rows that went into the first rule.
        rows: rows that came out of the last one: songs in playlists, repeats counted.
        playlists: playlists that came out of the last one.
        songs: different songs in them; not given before they are counted.
        heldout: playlists of them that are held out; likewise.
        fingerprint: the digest of the playlists; likewise.
    """

    FILE: ClassVar[str] = "funnel.json"

    rules: Annotated[tuple[FunnelRule, ...], Many]
    raw_rows: Count
    rows: Count
    playlists: Count
    songs: Count = 0
    heldout: Count = 0
    fingerprint: str = ""

    @classmethod
    def of(cls, rows: Sequence[int], playlists: Sequence[int]) -> Self:
        """Build from the counts before the first rule and after each: ``len(RULES) + 1`` numbers each."""
        steps = zip(RULES, pairwise(rows), pairwise(playlists), strict=True)
        rules = tuple(FunnelRule.of(*step) for step in steps)
        return cls(rules=rules, raw_rows=rows[0], rows=rows[-1], playlists=playlists[-1])


def funnel_table(funnel: Funnel) -> str:
    """The funnel as text for people, one line a rule."""
    from tabulate import tabulate

    lines: list[list[str | int | None]] = [
        [
            rule.rule,
            rule.rows_in,
            rule.rows_left_out,
            rule.playlists_in,
            rule.playlists_left_out,
            RULES.get(rule.rule, ""),
        ]
        for rule in funnel.rules
    ]
    lines.append(["(kept)", funnel.rows, None, funnel.playlists])
    headers = ("rule", "rows in", "left out", "playlists in", "left out", "leaves out rows where")
    return tabulate(lines, headers, intfmt=",")
