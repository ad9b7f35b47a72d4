"""What all records have in common: how they are read, written and bounded.

Whoever may write to a bucket may write anything into a record. So every field has a type and bounds, a name that no
field has is passed over, and a record that does not fit is refused as a whole. No bound can be met by what the
pipeline writes itself: texts are as long as they are, and so many entries of ours as `Many` allows would fill
`MAX_RECORD_BYTES`, which neither reading nor writing exceeds.

What was not given is not written: where a model has no rival, its figures are left out, while a figure that could not
be worked out is null.
"""

import json
import math
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo

from song2vec.errors import DataError
from song2vec.plumbing.files import whole_file
from song2vec_client.format.layout import MAX_RECORD_BYTES

MOST = 100_000


def _finite(value: Any, info: ValidationInfo) -> Any:
    """None for NaN and infinity that we worked out; in a file they are refused."""
    unknown = info.mode == "python" and isinstance(value, float) and not math.isfinite(value)
    return None if unknown else value


Count = Annotated[int, Field(ge=0, lt=2**63)]
Number = Annotated[int, Field(ge=-(2**63), lt=2**63)] | float
Figure = Annotated[Number | None, BeforeValidator(_finite)]
"""A number, or None where there is none; what is worked out as NaN or infinity is none."""
Real = Annotated[float | None, BeforeValidator(_finite)]
"""The same, always with a decimal point."""
Many = Field(max_length=MOST, fail_fast=True)
"""How many entries a list may have: of ours, of 170 bytes or more, as many do not fit into a record."""


class Part(BaseModel):
    """A JSON object in a record: frozen, its fields of exactly the types they say, never NaN or infinity."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", allow_inf_nan=False)

    def given(self) -> dict[str, Any]:
        """The fields that were given, by name, to make another part with."""
        return {name: getattr(self, name) for name in type(self).model_fields if name in self.model_fields_set}

    def to_json(self) -> dict[str, Any]:
        """The fields that were given as JSON values, in the order of the class."""
        return self.model_dump(mode="json", exclude_unset=True)


class Record(Part):
    """A JSON object that is a file.

    Attributes:
        FILE: its name, in the folder of the stage that writes it and in a published version.
    """

    FILE: ClassVar[str]

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """The record that `content` holds.

        Raises:
            DataError: it holds none; the message says in which field, and not in which file.
        """
        _insist_small(content)
        try:
            return cls.model_validate_json(content)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            place = ".".join(map(str, first["loc"]))
            raise DataError(f"{place[:200]}: {first['msg'][:200]}".removeprefix(": ")) from None

    @classmethod
    def read(cls, path: Path) -> Self:
        """The record in the file `path`, which a stage wrote.

        Raises:
            DataError: the file holds no such record.
        """
        try:
            return cls.parse(path.read_bytes())
        except DataError as error:
            raise DataError(f"{path} is no {cls.FILE}: {error}. Run the stage that writes it again.") from None

    def to_bytes(self) -> bytes:
        """The record as it is stored.

        Raises:
            DataError: it would be larger than what is ever read.
        """
        content = json.dumps(self.to_json(), indent=2, ensure_ascii=False, allow_nan=False).encode() + b"\n"
        _insist_small(content)
        return content

    def write(self, path: Path) -> None:
        """Write the file `path`, whole."""
        with whole_file(path) as temporary:
            temporary.write_bytes(self.to_bytes())


def _insist_small(content: bytes) -> None:
    if len(content) > MAX_RECORD_BYTES:
        raise DataError(f"found {len(content):,} bytes, expected at most {MAX_RECORD_BYTES:,}")
