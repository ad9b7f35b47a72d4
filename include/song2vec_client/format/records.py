"""The published format: where everything lies in a bucket, and what the JSON records hold.

::

    versions/<version>/…              the files of one model; written once
    versions/<version>/manifest.json  written last; names every file with its size and checksums
    channels/<name>.json              a pointer: which version the channel names now
    promotions/<sequence>.json        every move of every channel, in order

A record that was read is untrusted: every field is checked for type, form and bounds, here, once. Fields
that this format does not know are ignored, so that a later release may add some; a change that a reader
must not ignore gets a new format number.
"""

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from song2vec_client.errors import CorruptModelError, UnsupportedFormatError
from song2vec_client.format.alignment import Alignment
from song2vec_client.format.fields import Fields, check, time_text
from song2vec_client.format.layout import MANIFEST, MODEL_FILES, ONE_WAY, SCORINGS, is_channel, is_safe_path, is_version

FORMAT = 1
SCORED = 2  # the format of a manifest whose version a reader of format 1 would score wrongly

KINDS = ("promote", "rollback", "pin", "unpin")

MAX_FILE_BYTES = 2**63 - 1

_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_CRC32C = re.compile(r"[A-Za-z0-9+/]{6}==", re.ASCII)


class Record(ABC):
    """A JSON object of the published format."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """The record as JSON values."""

    def to_bytes(self) -> bytes:
        """The record as it is stored: the same bytes for equal records."""
        return json.dumps(self.to_json(), indent=2, ensure_ascii=False, allow_nan=False).encode() + b"\n"


@dataclass(frozen=True)
class FileEntry(Record):
    """One file of a version.

    Attributes:
        path: relative POSIX path inside the version.
        size: number of bytes.
        sha256: 64 hex digits.
        crc32c: base64, as Cloud Storage writes it.
    """

    path: str
    size: int
    sha256: str
    crc32c: str

    def __post_init__(self) -> None:
        check(is_safe_path(self.path), "path", self.path, "a relative POSIX path without . and ..")
        check(0 <= self.size <= MAX_FILE_BYTES, "size", self.size, "a number of bytes")
        check(_SHA256.fullmatch(self.sha256), "sha256", self.sha256, "64 hex digits")
        check(_CRC32C.fullmatch(self.crc32c), "crc32c", self.crc32c, "4 bytes in base64")

    @classmethod
    def from_json(cls, record: object) -> "FileEntry":
        """Read one entry of a manifest.

        Raises:
            CorruptModelError: a field is missing, of another type or out of bounds.
        """
        fields = Fields(record)
        return cls(fields.text("path"), fields.number("size"), fields.text("sha256"), fields.text("crc32c"))

    def to_json(self) -> dict[str, Any]:
        """The entry as JSON values."""
        return {"path": self.path, "size": self.size, "sha256": self.sha256, "crc32c": self.crc32c}


@dataclass(frozen=True)
class Manifest(Record):
    """What a version is: its files and where they come from.

    Attributes:
        version: ``<UTC time>-<8 hex>``.
        parent: the version that was live when this one was made, or None.
        created: when it was published; UTC, whole seconds.
        accepted: whether the gate let it through.
        status: the same for people, "accepted" or "rejected".
        settings: all settings of the run.
        data_fingerprint: digest of the playlists it was trained on; may be empty.
        code_version: release or commit of song2vec.
        files: every file of the version but the manifest itself, by path.
        alignment: to which version its vectors were turned, and how far songs moved; None: to none.
        scoring: how the model is scored, one of `SCORINGS`. Absent in what was written before there were two.
    """

    version: str
    parent: str | None
    created: datetime
    accepted: bool
    status: str
    settings: Mapping[str, Any]
    data_fingerprint: str
    code_version: str
    files: tuple[FileEntry, ...]
    alignment: Alignment | None = None
    scoring: str = ONE_WAY

    def __post_init__(self) -> None:
        _check_version(self.version)
        if self.parent is not None:
            _check_version(self.parent)
        _check_time("created", self.created)
        paths = [entry.path for entry in self.files]
        check(len(set(paths)) == len(paths), "files", paths, "each path once")
        check(MANIFEST not in paths, "files", MANIFEST, "no entry for the manifest itself")
        check(self.scoring in SCORINGS, "scoring", self.scoring, " or ".join(SCORINGS))

    @property
    def model_files(self) -> tuple[FileEntry, ...]:
        """The files that a client needs to answer questions; errors as for `entry`."""
        return tuple(self.entry(path) for path in MODEL_FILES[self.scoring])

    def entry(self, path: str) -> FileEntry:
        """The entry of the file `path`.

        Raises:
            CorruptModelError: the version has no such file.
        """
        for entry in self.files:
            if entry.path == path:
                return entry
        raise CorruptModelError(f"version {self.version} has no {path}: its manifest names {len(self.files)} files")

    @classmethod
    def from_json(cls, record: object) -> "Manifest":
        """Read a manifest.

        Raises:
            CorruptModelError: a field is missing, of another type or out of bounds.
            UnsupportedFormatError: the format number is not one this client knows.
        """
        fields = Fields(record)
        _check_format(fields, SCORED)
        return cls(
            version=fields.text("version"),
            parent=fields.text_or_none("parent"),
            created=fields.time("created"),
            accepted=fields.flag("accepted"),
            status=fields.text("status"),
            settings=fields.mapping("settings"),
            data_fingerprint=fields.text("data_fingerprint"),
            code_version=fields.text("code_version"),
            files=tuple(FileEntry.from_json(entry) for entry in fields.items("files")),
            alignment=None if (found := fields.mapping_or_none("alignment")) is None else Alignment.from_json(found),
            scoring=fields.text("scoring", absent=ONE_WAY),
        )

    def to_json(self) -> dict[str, Any]:
        """The manifest as JSON values."""
        return {
            "format": FORMAT if self.scoring == ONE_WAY else SCORED,
            "version": self.version,
            "parent": self.parent,
            "created": time_text(self.created),
            "accepted": self.accepted,
            "status": self.status,
            "settings": dict(self.settings),
            "data_fingerprint": self.data_fingerprint,
            "code_version": self.code_version,
            "files": [entry.to_json() for entry in self.files],
            "alignment": self.alignment.to_json() if self.alignment else None,
            "scoring": self.scoring,
        }


@dataclass(frozen=True)
class Pointer(Record):
    """Which version a channel names, and since when and why.

    Attributes:
        sequence: number of the move that set it; the first move of a store is 1.
        channel: the channel.
        version: the version it names.
        manifest_sha256: digest of that version's manifest.
        previous: the version that the channel named before, or None.
        who: who moved it.
        when: when; UTC, whole seconds.
        why: the reason given.
        pinned: whether it is to stay there: the one who moved it last, `who`, pinned it, and `why` says what for.
            Tools that move channels heed it; readers need not. Absent in what was written before there were pins.
    """

    sequence: int
    channel: str
    version: str
    manifest_sha256: str
    previous: str | None
    who: str
    when: datetime
    why: str
    pinned: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        check(1 <= self.sequence < 10**8, "sequence", self.sequence, "a number from 1 to 99,999,999")
        check(is_channel(self.channel), "channel", self.channel, "lower-case letters, digits and hyphens")
        _check_version(self.version)
        check(_SHA256.fullmatch(self.manifest_sha256), "manifest_sha256", self.manifest_sha256, "64 hex digits")
        if self.previous is not None:
            _check_version(self.previous)
        _check_time("when", self.when)

    @classmethod
    def from_json(cls, record: object) -> "Pointer":
        """Read a pointer; errors as for `Manifest.from_json`."""
        fields = Fields(record)
        return Pointer(**_move_fields(fields), pinned=fields.flag("pinned", absent=False))

    def to_json(self) -> dict[str, Any]:
        """The pointer as JSON values."""
        return {
            "format": FORMAT,
            "sequence": self.sequence,
            "channel": self.channel,
            "version": self.version,
            "manifest_sha256": self.manifest_sha256,
            "previous": self.previous,
            "who": self.who,
            "when": time_text(self.when),
            "why": self.why,
            "pinned": self.pinned,
        }


@dataclass(frozen=True)
class Move(Pointer):
    """One line of the history: a pointer as it was set, and how.

    Attributes:
        kind: one of `KINDS`. To be pinned or unpinned a channel need not go to another version.
        forced: whether it went against the gate, which had rejected the version, or against a pin.
        run: the run of an orchestrator that asked for it, so that its second try does not move again; may be empty.
    """

    kind: str = field(default="promote", kw_only=True)
    forced: bool = field(default=False, kw_only=True)
    run: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        check(self.kind in KINDS, "kind", self.kind, " or ".join(KINDS))
        check(self.pinned == (self.kind == "pin"), "pinned", self.pinned, "true where the kind is pin, else false")

    def pointer(self) -> Pointer:
        """What the channel holds after this move."""
        return Pointer(**{name: getattr(self, name) for name in Pointer.__dataclass_fields__})

    @classmethod
    def from_json(cls, record: object) -> "Move":
        """Read a move; errors as for `Manifest.from_json`."""
        fields = Fields(record)
        return cls(
            **_move_fields(fields),
            pinned=fields.flag("pinned", absent=False),
            kind=fields.text("kind"),
            forced=fields.flag("forced"),
            run=fields.text("run", absent=""),
        )

    def to_json(self) -> dict[str, Any]:
        """The move as JSON values."""
        return super().to_json() | {"kind": self.kind, "forced": self.forced, "run": self.run}


def _move_fields(fields: Fields) -> dict[str, Any]:
    _check_format(fields)
    return {
        "sequence": fields.number("sequence"),
        "channel": fields.text("channel"),
        "version": fields.text("version"),
        "manifest_sha256": fields.text("manifest_sha256"),
        "previous": fields.text_or_none("previous"),
        "who": fields.text("who"),
        "when": fields.time("when"),
        "why": fields.text("why"),
    }


def _check_version(version: str) -> None:
    check(is_version(version), "version", version, "<UTC time>-<8 hex>, such as 20260131T040000Z-0123abcd")


def _check_time(name: str, time: datetime) -> None:
    whole = time.utcoffset() == timedelta(0) and time.microsecond == 0
    check(whole, name, time, "a time in UTC, in whole seconds")


def _check_format(fields: Fields, newest: int = FORMAT) -> None:
    number = fields.number("format")
    if number > newest:
        raise UnsupportedFormatError(
            f"the record has format {number}; this client knows formats up to {newest}: upgrade song2vec-client"
        )
    check(number >= FORMAT, "format", number, f"a number from {FORMAT} to {newest}")
