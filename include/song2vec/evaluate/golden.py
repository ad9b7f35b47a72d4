"""Asks a model for the golden songs that people keep, as services ask it."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from song2vec.evaluate.golden_file import KINDS, Kind, Wish, read_golden_file
from song2vec.records import GoldenAnswer, GoldenSongs, GoldenWish, Training
from song2vec_client.model import SongModel


def ask_golden_songs(file: Path, model: SongModel, training: Training | None) -> GoldenSongs:
    """Ask `model` everything that the file of golden songs asks.

    Args:
        file: what people want; docs/gate.md says how it is written.
        model: the model, as services ask it.
        training: how it was trained, to say why a song has no vector; None: that is not known.

    Raises:
        SettingsError: the file is not as it should be.
    """
    golden, times = read_golden_file(file), training.settings.get("min_count") if training else None
    return GoldenSongs(
        sha256=golden.sha256,
        min_count=times if type(times) is int and 0 <= times < 2**63 else None,
        wishes=tuple(
            _asked(kind, number, wish, model)
            for kind in KINDS
            for number, wish in enumerate(golden.wishes[kind], start=1)
        ),
    )


def _asked(kind: Kind, number: int, wish: Wish, model: SongModel) -> GoldenWish:
    return GoldenWish(
        kind=kind,
        number=number,
        playlist=bool(wish.playlist),
        within=wish.within,
        why=wish.why,
        answers=tuple(answer for question in wish.questions for answer in _answers(kind, question, wish, model)),
    )


def _answers(kind: Kind, question: tuple[int, ...], wish: Wish, model: SongModel) -> Iterator[GoldenAnswer]:
    """The answers to one question: one for each song that must come, or one for all where the nearest decides."""
    wanted = wish.wanted(question)
    if wanted and not any(song in model for song in question):
        yield _without_vector(kind, question, question)
        return
    places = _places(question, wish, model)
    for group in [(song,) for song in wanted] if kind == "must" and wish.bring else [wanted] if wanted else []:
        known = [song for song in group if song in model]
        if not known:
            yield _without_vector(kind, question, group)
            continue
        song = min(known, key=lambda song: places.get(song, math.inf))
        place = places.get(song)
        within = place is not None and place <= wish.within
        met = within == (kind == "must")
        yield GoldenAnswer(asked=question, song=song, nearest_of=len(group), place=place, met=met)


def _without_vector(kind: Kind, question: tuple[int, ...], songs: Sequence[int]) -> GoldenAnswer:
    """No answer, as none of `songs` has a vector. What must come does not come; of what must not, nothing is known."""
    met = False if kind == "must" else None
    return GoldenAnswer(asked=question, song=songs[0], unknown=len(songs), met=met)


def _places(question: tuple[int, ...], wish: Wish, model: SongModel) -> dict[int, int]:
    """The place of each wanted song among all that the model answers, from 1."""
    if wish.playlist:
        answers, _ = model.continue_playlist(question, len(model))
    else:
        answers, _ = model.similar(question[0], len(model))
    rows = np.flatnonzero(np.isin(answers, wish.wanted(question)))
    return dict(zip(answers[rows].tolist(), (rows + 1).tolist(), strict=True))
