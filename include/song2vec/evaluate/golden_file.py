"""The file of golden songs: what people want every model to answer, in TOML, read strictly.

::

    [[must]]
    songs = [53651]                # each of them by itself
    bring = [4742, 11873]          # all of these
    within = 50                    # among so many nearest songs
    why = "same singer, same album"

    [[must]]
    playlist = [53651, 4742]       # these together, as one playlist
    bring_one_of = [11873, 20413]  # at least one of these
    within = 10                    # among the first that continue it
    why = "whoever sings these two sings one of those"

    [[never]]
    songs = [53651, 4742]
    bring = [90210, 90211]         # none of these
    within = 20
    why = "no children's song beside a ballad"

People write the file by hand, and nobody checks it before it is used: every mistake is refused, with the entry it is
in. One that has no effect would be a rule that people believe in and that nobody checks.
"""

import reprlib
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from song2vec.errors import SettingsError

MOST_BYTES = 2**18
MOST_DOTS = 50
"""In a line. A dotted key of n parts takes tomllib (CPython 3.11) memory in n²; this may go when it no longer does."""
MOST_CHECKS = 1_000
"""For each, all songs may have to be ranked: where there are 150,000, in 0.2 s for a song, 0.3 s for a playlist."""

Song = Annotated[int, Field(ge=1, lt=2**63)]
Songs = Annotated[tuple[Song, ...], Field(min_length=1, strict=False)]  # TOML has lists only; songs stay strict


class Wish(BaseModel):
    """One entry of the file; `songs` or `playlist` is given, and `bring` or `bring_one_of`.

    Attributes:
        songs: asked about one by one: which songs are nearest to it.
        playlist: asked about together: which songs continue it.
        bring: songs that all must be among the answers, or of which none may be.
        bring_one_of: songs of which at least one must be.
        within: how many answers count.
        why: the reason, for people.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    songs: Songs = ()
    playlist: Annotated[Songs, Field(max_length=100)] = ()
    bring: Songs = ()
    bring_one_of: Songs = ()
    within: Annotated[int, Field(ge=1, le=1_000)]
    why: Annotated[str, Field(min_length=1, max_length=200)]

    @field_validator("songs", "playlist", "bring", "bring_one_of")
    @classmethod
    def _each_once(cls, songs: tuple[int, ...]) -> tuple[int, ...]:
        song, times = Counter(songs).most_common(1)[0]
        if times > 1:
            raise ValueError(f"found {song} {times} times, expected every song once")
        return songs

    @field_validator("why")
    @classmethod
    def _one_line(cls, why: str) -> str:
        if not (why.strip() and why.isprintable()):
            raise ValueError("expected a reason, on one line")
        return why

    @model_validator(mode="after")
    def _one_question_one_answer(self) -> "Wish":
        for one, other in (("songs", "playlist"), ("bring", "bring_one_of")):
            if bool(getattr(self, one)) == bool(getattr(self, other)):
                found = "both" if getattr(self, one) else "neither"
                raise ValueError(f"found {found}, expected either {one} or {other}")
        own = [*self.playlist, *(self.songs if len(self.songs) == 1 else ())]
        if both := sorted(set(own) & {*self.bring, *self.bring_one_of}):
            raise ValueError(f"found {both[0]} among what is asked and what is to come: take it out of one of them")
        return self

    @property
    def questions(self) -> tuple[tuple[int, ...], ...]:
        """What the model is asked: the playlist, or each song."""
        return (self.playlist,) if self.playlist else tuple((song,) for song in self.songs)

    def wanted(self, question: tuple[int, ...]) -> tuple[int, ...]:
        """The songs that are looked for among the answers to a question: never those of the question."""
        return tuple(song for song in self.bring or self.bring_one_of if song not in question)


Kind = Literal["must", "never"]
KINDS: tuple[Kind, ...] = ("must", "never")


@dataclass(frozen=True)
class GoldenFile:
    """What the file holds.

    Attributes:
        sha256: of its bytes.
        wishes: its entries by kind, as they follow each other.
    """

    sha256: str
    wishes: dict[Kind, tuple[Wish, ...]]


def read_golden_file(path: Path) -> GoldenFile:
    """Read the file.

    Raises:
        SettingsError: it is missing, too large, no TOML, or an entry is not as it should be; says which.
    """
    if not path.is_file():
        raise SettingsError(
            f"there is no file of golden songs {path}: write it, or name another (gate.golden_songs; empty: none)"
        )
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise SettingsError(f"the golden songs {path} cannot be read: {error.strerror}") from None
    try:
        return GoldenFile(sha256(content).hexdigest(), _wishes(content))
    except _MistakeError as mistake:
        raise SettingsError(f"the golden songs {path}: {mistake}") from None


class _MistakeError(ValueError):
    """What is wrong with the file."""


def _wishes(content: bytes) -> dict[Kind, tuple[Wish, ...]]:
    tables = _toml(content)
    if strange := sorted(set(tables) - set(KINDS)):
        raise _MistakeError(f"found {reprlib.repr(strange[0])}, expected nothing but [[must]] and [[never]]")
    wishes: dict[Kind, tuple[Wish, ...]] = {kind: tuple(_of_kind(kind, tables.get(kind, []))) for kind in KINDS}
    if not any(wishes.values()):
        raise _MistakeError("found no [[must]] and no [[never]]: write one, or leave gate.golden_songs empty")
    checks = sum(_checks(kind, wish) for kind in KINDS for wish in wishes[kind])
    if checks > MOST_CHECKS:
        raise _MistakeError(f"found {checks:,} checks, expected at most {MOST_CHECKS:,}: keep those that matter most")
    return wishes


def _checks(kind: Kind, wish: Wish) -> int:
    """One a question; where all songs must come, one a question and song."""
    return len(wish.questions) * (len(wish.bring) if kind == "must" and wish.bring else 1)


def _toml(content: bytes) -> dict[str, Any]:
    if len(content) > MOST_BYTES:
        raise _MistakeError(f"found more than {MOST_BYTES:,} bytes, expected a small file: keep what matters most")
    if any(line.count(b".") > MOST_DOTS for line in content.splitlines()):
        raise _MistakeError(f"found a line with more than {MOST_DOTS} dots: write keys such as songs and bring")
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise _MistakeError("found other text than UTF-8: save it as UTF-8") from None
    except (ValueError, RecursionError) as error:
        hint = 'A song is written without leading zeros and a reason in quotes: songs = [53651], why = "…"'
        raise _MistakeError(f"found what is no TOML: {str(error)[:200]}. {hint}") from None


def _of_kind(kind: Kind, entries: Any) -> Iterator[Wish]:
    if not isinstance(entries, list):
        raise _MistakeError(f"found {kind} as something else than an entry: write [[{kind}]], in two brackets")
    for number, entry in enumerate(entries, start=1):
        try:
            wish = Wish.model_validate(entry)
        except ValidationError as error:
            raise _MistakeError(f"{kind} {number}{_explain(error)}") from None
        if kind == "never" and wish.bring_one_of:
            raise _MistakeError(f"never {number}: found bring_one_of, expected bring: none of these is to be an answer")
        yield wish


def _explain(error: ValidationError) -> str:
    """The first mistake in an entry: in which key, what was found, what was expected."""
    first = error.errors(include_url=False)[0]
    key, said, found = str(first["loc"][0])[:80] if first["loc"] else "", first["msg"], reprlib.repr(first["input"])
    mistakes = {
        "extra_forbidden": f"found the key {key!r}, expected {', '.join(Wish.model_fields)}",
        "missing": "found nothing: write it",
        "model_type": f"found {found}, expected keys with their values",
        "tuple_type": f"found {found}, expected songs in brackets, such as [53651]",
        "too_short": "found it empty: fill it in, or take the entry out",
        "string_too_short": "found it empty: say why a model is to be refused for it",
        "value_error": said.removeprefix("Value error, "),
    }
    number = ", as a song is a number without quotes" if len(first["loc"]) > 1 else ""
    wanted = said.replace("Input should be", "expected").replace("String should have", "expected")
    return f"{f', {key}' * bool(key)}: {mistakes.get(first['type'], f'found {found}, {wanted}{number}')}"
