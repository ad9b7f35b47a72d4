"""Reading JSON that may be anything: every field is taken by name, with its type, or refused with a clear error."""

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from song2vec_client.errors import CorruptModelError

UTC = timezone.utc
TIME = "%Y-%m-%dT%H:%M:%SZ"


class Fields:
    """The fields of a JSON object; every method raises CorruptModelError where the field is not as asked for."""

    def __init__(self, record: object) -> None:
        check(isinstance(record, dict), "record", record, "a JSON object")
        self._fields: Mapping[str, Any] = record  # type: ignore[assignment]

    def text(self, name: str, absent: str | None = None) -> str:
        """A text, or `absent` where that is given and there is no such field.

        Half a surrogate pair, which JSON can spell, is no text.
        """
        text: str = self._take(name, str, "text", absent)
        check(not any("\ud800" <= letter <= "\udfff" for letter in text), name, "half a character", "text")
        return text

    def text_or_none(self, name: str) -> str | None:
        """A text, or null."""
        return None if self._fields.get(name, "") is None else self.text(name)

    def number(self, name: str) -> int:
        """A whole number; ``true`` is none."""
        number: int = self._take(name, int, "a whole number")
        return number

    def real(self, name: str) -> float:
        """A number, whole or not."""
        if type(self._fields.get(name)) is int:
            return self.number(name)
        number: float = self._take(name, float, "a number")
        return number

    def flag(self, name: str, absent: bool | None = None) -> bool:
        """True or false, or `absent` where that is given and there is no such field."""
        flag: bool = self._take(name, bool, "true or false", absent)
        return flag

    def items(self, name: str) -> list[object]:
        """A list of anything."""
        items: list[object] = self._take(name, list, "a list")
        return items

    def mapping(self, name: str) -> dict[str, Any]:
        """An object of anything."""
        mapping: dict[str, Any] = self._take(name, dict, "a JSON object")
        return mapping

    def mapping_or_none(self, name: str) -> dict[str, Any] | None:
        """An object of anything, or null, or nothing."""
        return None if self._fields.get(name) is None else self.mapping(name)

    def time(self, name: str) -> datetime:
        """A time in UTC, in whole seconds, written as `time_text` does."""
        text = self.text(name)
        time = parse_time(text, TIME)
        if time is None or time_text(time) != text:
            raise CorruptModelError(f"{name}: found {text[:80]!r}, expected a time such as 2026-01-31T04:00:00Z")
        return time

    def _take(self, name: str, kind: type, expected: str, absent: Any = None) -> Any:
        if absent is not None and name not in self._fields:
            return absent
        check(name in self._fields, name, "nothing", expected)
        check(type(self._fields[name]) is kind, name, self._fields[name], expected)
        return self._fields[name]


def check(good: object, name: str, found: object, expected: str) -> None:
    """Refuse the record unless `good`, saying what was found in `name` and what was expected.

    Raises:
        CorruptModelError: it is not good.
    """
    if not good:
        raise CorruptModelError(f"{name}: found {str(found)[:80]!r}, expected {expected}")


def parse_json(content: bytes) -> object:
    """JSON values of stored bytes.

    Raises:
        CorruptModelError: it is not JSON.
    """
    try:
        return json.loads(content.decode("utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise CorruptModelError(f"not a JSON record: {str(error)[:200]}") from None


def time_text(time: datetime) -> str:
    """``2026-01-31T04:00:00Z``."""
    return time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def parse_time(text: str, form: str) -> datetime | None:
    """The UTC time that `text` gives in `form`, or None."""
    try:
        return datetime.strptime(text, form).replace(tzinfo=UTC)
    except ValueError:
        return None


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is not a JSON value")
