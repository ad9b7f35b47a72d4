"""The rule that playlists were held out by; it stays with the model that was trained without them.

It tells which playlists of a later day that model cannot have been trained on.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

KEY = "song2vec.holdout"
"""Where the rule is in the metadata of ``heldout.parquet``."""


@dataclass(frozen=True)
class HoldoutRule:
    """Every playlist whose digest is at most `up_to` was held out.

    Attributes:
        seed: what the digests depend on besides the playlist.
        up_to: the highest digest that was chosen, 64 hexadecimal digits.
    """

    seed: int
    up_to: str

    def holds_out(self, source: str, category: str) -> bool:
        """Whether the playlist was not trained on, even if it was there."""
        return _digest(self.seed, source, category) <= self.up_to

    def to_json(self) -> dict[str, Any]:
        """As it stands in the file."""
        return asdict(self)

    @classmethod
    def from_json(cls, record: Any) -> "HoldoutRule | None":
        """The rule in a record; None where it has none."""
        match record:
            case {"seed": int(seed), "up_to": str(up_to)}:
                return cls(seed, up_to)
        return None


def read_rule(path: Path) -> HoldoutRule | None:
    """The rule that the playlists of the file `path` were chosen by; None where it does not say."""
    metadata: Mapping[bytes, bytes] = pq.read_metadata(path).metadata or {}
    return HoldoutRule.from_json(json.loads(metadata.get(KEY.encode(), b"null")))


def _digest(seed: int, source: str, category: str) -> str:
    """What the query of `prepare.holdout.hold_out` orders by."""
    return sha256(f"{seed}/{source}/{category}".encode()).hexdigest()
