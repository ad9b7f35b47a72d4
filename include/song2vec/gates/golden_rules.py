"""Golden songs as rules of the gate: each entry of the file is one, and its sentence names the songs.

A rule's figure is the place of the song that is furthest from what was wanted, its limit the last place that counts,
its margin how many places lie between, below 0 where the rule is missed.
"""

from collections.abc import Sequence

from song2vec.gates.verdict import abstain
from song2vec.records import GoldenAnswer, GoldenSongs, GoldenWish, Rule

NAME = "golden_songs"
NAMED = 5
"""How many songs a sentence names of those that are missed, or of a playlist."""


def golden_rules(golden: GoldenSongs) -> list[Rule]:
    """A rule for each entry of the file, named after the setting; those that were missed first."""
    return sorted((_rule(wish, golden.min_count) for wish in golden.wishes), key=lambda rule: rule.passed is not False)


def not_asked() -> Rule:
    """The rule that refuses a model that was never asked, though somebody keeps golden songs for it."""
    why = "golden songs: not asked, as there were none when the model was measured; run `evaluate` again"
    return Rule(rule=NAME, passed=False, sentence=why)


def _rule(wish: GoldenWish, min_count: int | None) -> Rule:
    answers = sorted((answer for answer in wish.answers if answer.met is not None), key=lambda one: _margin(wish, one))
    of = f"{wish.kind} {wish.number}: {wish.why}"
    if not answers:
        why = _clause(wish.answers[0], wish, min_count) if wish.answers else "there is nothing to ask"
        return abstain(Rule(rule=NAME, of=of, limit=wish.within), f"{why} ({wish.why})")
    missed = [answer for answer in answers if not answer.met]
    found, worst = _found(answers, missed, wish, min_count), answers[0]
    silent = len(wish.answers) - len(answers)
    rest = f"; {silent:,} could not be asked, for want of vectors" if silent else ""
    sentence = f"golden songs: {found}, expected {_expected(wish, worst)} ({wish.why}){rest}"
    return Rule(
        rule=NAME,
        of=of,
        figure=worst.place,
        limit=wish.within,
        margin=_margin(wish, worst),
        passed=not missed,
        sentence=sentence,
    )


def _margin(wish: GoldenWish, answer: GoldenAnswer) -> float:
    """How many places the song lies on the good side; below 0 where that is missed, without end where it has none."""
    place = float("inf") if answer.place is None else answer.place
    return wish.within - place if wish.kind == "must" else place - wish.within - 1


def _found(
    answers: Sequence[GoldenAnswer], missed: Sequence[GoldenAnswer], wish: GoldenWish, min_count: int | None
) -> str:
    """What the model says: the songs that were missed, or the one that came closest to it."""
    told = [_clause(answer, wish, min_count) for answer in (missed or answers)[: NAMED if missed else 1]]
    if len(answers) == 1:
        return told[0]
    if not missed:
        return f"{len(answers):,} of {len(answers):,} as expected, at worst {told[0]}"
    more = f", and {len(missed) - NAMED:,} more" if len(missed) > NAMED else ""
    return f"{len(missed):,} of {len(answers):,} missed: {', '.join(told)}{more}"


def _clause(answer: GoldenAnswer, wish: GoldenWish, min_count: int | None) -> str:
    if answer.unknown:
        return _without_vector(answer, wish, f"fewer than {min_count:,} times" if min_count else "too rarely")
    place = f"at place {answer.place:,}" if answer.place else "nowhere"
    rank = "first" if wish.playlist else "nearest"
    nearest = f", the {rank} of {answer.nearest_of:,}," if answer.nearest_of > 1 else ""
    return f"{_asked(answer, wish)} {'goes on with' if wish.playlist else 'has'} {answer.song}{nearest} {place}"


def _without_vector(answer: GoldenAnswer, wish: GoldenWish, times: str) -> str:
    """Which songs have no vector, and why: those that were asked about, or those that were looked for."""
    why = f"it was seen {times}" if answer.unknown == 1 else f"they were seen {times}"
    asked = _asked(answer, wish)
    if answer.song in answer.asked:
        return f"no song of {asked} has a vector: {why}" if wish.playlist else f"{asked} has no vector: {why}"
    if answer.unknown > 1:
        return f"{asked} can bring neither {answer.song} nor {answer.unknown - 1:,} more, which have no vector: {why}"
    return f"{asked} cannot bring {answer.song}, which has no vector: {why}"


def _asked(answer: GoldenAnswer, wish: GoldenWish) -> str:
    songs = ", ".join(map(str, answer.asked[:NAMED])) + (", …" if len(answer.asked) > NAMED else "")
    return f"the playlist {songs}" if wish.playlist else songs


def _expected(wish: GoldenWish, worst: GoldenAnswer) -> str:
    answers = f"the first {wish.within:,}" if wish.playlist else f"the {wish.within:,} nearest"
    songs = "songs " if worst.unknown and worst.song in worst.asked else ""
    return f"{songs}among {answers}" if wish.kind == "must" else f"not among {answers}"
