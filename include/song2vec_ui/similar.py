"""The question "which songs are similar to this one", put to a model as services put it."""

from collections.abc import Callable
from dataclasses import dataclass

from song2vec.playlists.songs import read_song
from song2vec_client.model import SongModel

ANSWERS = 10
LONGEST_QUESTION = 40


@dataclass(frozen=True)
class SimilarSong:
    """A neighbour; `percent` is the length of its bar."""

    number: int
    cosine: float
    percent: float


@dataclass(frozen=True)
class Similar:
    """What became of the question: songs, or a message, or neither where there was none."""

    question: str = ""
    songs: tuple[SimilarSong, ...] = ()
    message: str = ""


def similar_songs(question: str, load: Callable[[], SongModel]) -> Similar:
    """The songs most similar to the one that `question` names; `load` is called only if it makes sense."""
    question = question.strip()
    if not question:
        return Similar()
    if len(question) > LONGEST_QUESTION:
        return Similar(message="That is too long for a song number: write its digits, such as 53651.")
    number, _ = read_song(question)
    if number is None:
        return Similar(question, message=f"“{question}” is not a song number: write its digits, such as 53651.")
    model = load()
    if number not in model:
        return Similar(
            question,
            message=f"Song {number} is not in this version: it stands in no playlist, "
            "or was seen fewer than train.min_count times.",
        )
    songs, cosines = model.similar(number, ANSWERS)
    nearest = tuple(
        SimilarSong(int(song), float(cosine), percent=round(min(max(float(cosine), 0.0), 1.0) * 100, 1))
        for song, cosine in zip(songs, cosines, strict=True)
    )
    return Similar(str(number), nearest, message="" if nearest else "This version has no other song.")
