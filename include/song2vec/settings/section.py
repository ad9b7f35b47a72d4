"""What every section of settings is made of: a model that refuses unknown names, and a way to declare a setting."""

from dataclasses import asdict, dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]
Ratio = Annotated[float, Field(ge=0, le=1000)]


class Section(BaseModel):
    """A group of settings; unknown names are refused, so that a typing error is not silently ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


@dataclass(frozen=True)
class About:
    """What is known of a setting beside its type, its bounds and its default.

    Attributes:
        description: what it is, in sentences.
        unit: what its number counts: ``rows``, ``seconds``.
        zero: what 0 means, where it is no amount: ``not asked``.
        empty: what the empty text means; "": the text may not be empty.
        gensim: its default with gensim as the trainer; None: the same as with ours.
        affects_model: whether another value gives another model from the same database and files. What only says where
            they are, on how much of a machine, and what is done with the model, does not.
        form: whether it is on the trigger form. What belongs to a worker's machine is not.
    """

    description: str
    unit: str = ""
    zero: str = ""
    empty: str = ""
    gensim: int | float | None = None
    affects_model: bool = True
    form: bool = True

    @property
    def sentences(self) -> str:
        """The description, and what 0 and the empty text mean: ``Lowest nDCG on every slice. 0: not asked.``."""
        meanings = {"0": self.zero, "Empty": self.empty}
        return " ".join([self.description, *(f"{value}: {meaning}." for value, meaning in meanings.items() if meaning)])

    def in_words(self, value: object) -> str:
        """A value of the setting as people read it: ``50,000 rows``, ``0: not asked``, ``(empty)``."""
        if value == "":
            return "(empty)"
        if isinstance(value, bool) or not isinstance(value, int | float):
            return str(value)
        if value == 0 and self.zero:
            return f"0: {self.zero}"
        one = value == 1 and isinstance(value, int)
        return f"{value:,} {self.unit.removesuffix('s') if one else self.unit}".rstrip()


def setting(
    default: Any,
    description: str,
    *,
    unit: str = "",
    zero: str = "",
    empty: str = "",
    gensim: float | None = None,
    affects_model: bool = True,
    form: bool = True,
    **bounds: Any,
) -> Any:
    """Declare a setting, with all that `About` says of it; `bounds` are those of pydantic's ``Field``."""
    facts = About(description, unit, zero, empty, gensim, affects_model, form)
    return Field(default, description=description, json_schema_extra={"about": asdict(facts)}, **bounds)


def about(section: type[Section], name: str) -> About:
    """What `setting` was told of the setting `name`."""
    extra: Any = section.model_fields[name].json_schema_extra
    return About(**extra["about"])
