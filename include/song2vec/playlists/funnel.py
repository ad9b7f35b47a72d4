"""The funnel: how many rows and playlists went into each rule and how many came out.

For every rule, always: in = out + left out; and what comes out of one rule goes into the next.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

RULES = {
    "unreadable": "the line or file could not be read",
    "no_playlist": "the playlist's id is missing",
    "unknown_song": "the collector did not know the song",
    "no_song": "the song's number is missing",
    "bad_song": "the song is not a whole number from 1 to 2^63 - 1",
    "short_playlist": "the playlist has too few songs",
}
"""The rules by name, in the order they are applied, with what each leaves out."""


@dataclass(frozen=True)
class Rule:
    """What one rule did."""

    rule: str
    rows_in: int
    rows_out: int
    playlists_in: int
    playlists_out: int

    @property
    def rows_left_out(self) -> int:
        """Rows that this rule sent to the quarantine."""
        return self.rows_in - self.rows_out

    @property
    def playlists_left_out(self) -> int:
        """Playlists that lost their last row to this rule."""
        return self.playlists_in - self.playlists_out

    def to_record(self) -> dict[str, Any]:
        """The rule as it stands in ``funnel.json``."""
        return {
            "rule": self.rule,
            "rows_in": self.rows_in,
            "rows_out": self.rows_out,
            "rows_left_out": self.rows_left_out,
            "playlists_in": self.playlists_in,
            "playlists_out": self.playlists_out,
            "playlists_left_out": self.playlists_left_out,
        }


@dataclass(frozen=True)
class Funnel:
    """What all rules did."""

    rules: tuple[Rule, ...]

    @classmethod
    def of(cls, rows: Sequence[int], playlists: Sequence[int]) -> "Funnel":
        """Build from the counts before the first rule and after each: ``len(RULES) + 1`` numbers each."""
        steps = zip(RULES, pairwise(rows), pairwise(playlists), strict=True)
        return cls(tuple(Rule(rule, *in_out_rows, *in_out_playlists) for rule, in_out_rows, in_out_playlists in steps))

    @property
    def raw_rows(self) -> int:
        """Rows that went into the first rule."""
        return self.rules[0].rows_in

    @property
    def rows(self) -> int:
        """Rows that came out of the last rule: songs in playlists, repeats counted."""
        return self.rules[-1].rows_out

    @property
    def playlists(self) -> int:
        """Playlists that came out of the last rule."""
        return self.rules[-1].playlists_out

    def to_record(self) -> dict[str, Any]:
        """The funnel as it stands in ``funnel.json``."""
        return {
            "rules": [rule.to_record() for rule in self.rules],
            "raw_rows": self.raw_rows,
            "rows": self.rows,
            "playlists": self.playlists,
        }


def funnel_table(record: Mapping[str, Any]) -> str:
    """The funnel of ``funnel.json`` as text for people, one line a rule."""
    from tabulate import tabulate

    columns = ("rule", "rows_in", "rows_left_out", "playlists_in", "playlists_left_out")
    lines: list[list[Any]] = [[*(rule[key] for key in columns), RULES[rule["rule"]]] for rule in record["rules"]]
    lines.append(["(kept)", record["rows"], None, record["playlists"]])
    headers = ("rule", "rows in", "left out", "playlists in", "left out", "leaves out rows where")
    return tabulate(lines, headers, intfmt=",")
