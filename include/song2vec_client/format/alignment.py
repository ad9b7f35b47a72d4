"""How far songs moved from one version to the next: a part of the manifest."""

from dataclasses import asdict, dataclass
from typing import Any

from song2vec_client.format.fields import Fields, check
from song2vec_client.format.layout import is_version


@dataclass(frozen=True)
class Distances:
    """Cosine distances (1 - cosine: 0 the same direction, 2 the opposite one) of many songs, in three figures."""

    mean: float
    median: float
    p95: float

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            check(0 <= value <= 2, name, value, "a cosine distance from 0 to 2")

    @classmethod
    def from_json(cls, record: object) -> "Distances":
        """Read one; CorruptModelError where a field is missing, of another type or out of bounds."""
        fields = Fields(record)
        return cls(fields.real("mean"), fields.real("median"), fields.real("p95"))


@dataclass(frozen=True)
class Alignment:
    """To which version a model was turned, so that vectors of both can be compared.

    Attributes:
        to: the version; None: a model that was never published.
        shared_songs: how many songs both know.
        before: for each of them, between its vector as it came out of the training and that of the version `to`.
        after: the same, with the vector as it was turned and published.
    """

    to: str | None
    shared_songs: int
    before: Distances
    after: Distances

    def __post_init__(self) -> None:
        check(self.to is None or is_version(self.to), "to", self.to, "a version such as 20260131T040000Z-0123abcd")
        check(self.shared_songs >= 1, "shared_songs", self.shared_songs, "a number from 1 up")

    @classmethod
    def from_json(cls, record: object) -> "Alignment":
        """Read one; errors as for `Distances.from_json`."""
        fields = Fields(record)
        return cls(
            to=fields.text_or_none("to"),
            shared_songs=fields.number("shared_songs"),
            before=Distances.from_json(fields.mapping("before")),
            after=Distances.from_json(fields.mapping("after")),
        )

    def to_json(self) -> dict[str, Any]:
        """The alignment as JSON values."""
        return asdict(self)
