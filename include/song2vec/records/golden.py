"""What a model answers to the golden songs that people keep."""

from typing import Annotated, Literal

from song2vec.records.record import Count, Many, Part


class GoldenAnswer(Part):
    """The model's answer to one question, as far as it decides.

    Attributes:
        asked: the song that was asked about, or the songs of the playlist.
        song: the song that decides: the one that must come; the nearest, where one of several is enough or none may
            come; or the first of those that have no vector.
        nearest_of: of how many songs it is the nearest, where the nearest decides; else 1.
        place: its place among all answers, from 1; None: it has none.
        unknown: how many songs have no vector, so that there is no answer.
        met: whether the answer is as it should be; None: there is none, and nothing speaks against the model.
    """

    asked: Annotated[tuple[Count, ...], Many]
    song: Count
    nearest_of: Count = 1
    place: Count | None = None
    unknown: Count = 0
    met: bool | None = None


class GoldenWish(Part):
    """An entry of the file, with the answers.

    Attributes:
        kind: whether songs must or must never be among the answers.
        number: which of its kind it is in the file, from 1.
        playlist: whether a playlist is continued; else the nearest songs are asked for.
        within: how many answers count.
        why: the reason that is given for it.
        answers: what the model says.
    """

    kind: Literal["must", "never"]
    number: Count
    playlist: bool
    within: Count
    why: str
    answers: Annotated[tuple[GoldenAnswer, ...], Many]


class GoldenSongs(Part):
    """All of it.

    Attributes:
        sha256: of the file.
        min_count: a song that was seen fewer times has no vector; None: that is not known.
        wishes: the entries in their order, what must be first.
    """

    sha256: str
    min_count: Count | None = None
    wishes: Annotated[tuple[GoldenWish, ...], Many]
