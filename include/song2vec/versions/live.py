"""The live version of a run: what the channel named when the run first looked at it.

Whatever people do to the channel meanwhile, a run checks its data, aligns, evaluates and names as parent the same
version. If somebody has moved the channel by the time it comes to `promote`, the model is measured again, against the
version that is live then.
"""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, cast

from song2vec_client.errors import NotFoundError
from song2vec_client.format.fields import Fields, check, parse_json
from song2vec_client.format.layout import is_channel, is_version
from song2vec_client.store import ModelStore
from song2vec_client.version import Version

LIVE_FILE = "live.json"


@dataclass(frozen=True)
class LiveVersion:
    """What a channel named at one moment.

    Attributes:
        channel: its name.
        version: the version; None: the channel named none.
        manifest_sha256: the digest of that version's manifest, which the channel vouches for; None likewise.
        sequence: number of the move that had set the channel; 0: it was never moved.
        looked_at: the moment; UTC.
    """

    channel: str
    version: str | None
    manifest_sha256: str | None
    sequence: int
    looked_at: datetime

    def __post_init__(self) -> None:
        check(is_channel(self.channel), "channel", self.channel, "lower-case letters, digits and hyphens")
        check(self.version is None or is_version(self.version), "version", self.version, "a version, or null")
        check(self.sequence >= 0, "sequence", self.sequence, "a number from 0 up")

    def open(self, store: ModelStore) -> Version | None:
        """The version, believed only with the manifest that the channel vouched for; None: there is none."""
        return store.version(self.version, self.manifest_sha256) if self.version else None

    def to_json(self) -> dict[str, Any]:
        """As it stands in ``live.json``."""
        return asdict(self) | {"looked_at": self.looked_at.isoformat()}

    @classmethod
    def from_json(cls, record: object) -> "LiveVersion":
        """Read one; CorruptModelError where a field is missing, of another type or out of bounds."""
        fields = Fields(record)
        return cls(
            fields.text("channel"),
            fields.text_or_none("version"),
            fields.text_or_none("manifest_sha256"),
            fields.number("sequence"),
            _time(fields.text("looked_at")),
        )


def live_version(store: ModelStore, channel: str) -> LiveVersion:
    """Look at `channel` now.

    Raises:
        CorruptModelError: what lies there is no pointer of this channel.
    """
    now = datetime.now(UTC)
    try:
        pointer = store.resolve(channel)
    except NotFoundError:
        return LiveVersion(channel, None, None, 0, now)
    return LiveVersion(channel, pointer.version, pointer.manifest_sha256, pointer.sequence, now)


def time_of_run(store: ModelStore, live: LiveVersion) -> datetime:
    """When the run that made the live version looked at the channel: of two runs, the later one has the newer data.

    Of a version that no run made, but a person by hand: when it was published.

    Raises:
        NotFoundError: no version is live, or it was deleted.
        CorruptModelError: its ``live.json`` is damaged.
    """
    version = live.open(store)
    if version is None:
        raise NotFoundError(f"channel {live.channel} names no version")
    if LIVE_FILE not in version:
        return version.manifest.created
    return LiveVersion.from_json(parse_json(version.read(LIVE_FILE))).looked_at


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        time = None
    check(time is not None and time.tzinfo is not None, "looked_at", text, "a time with its zone")
    return cast(datetime, time)
