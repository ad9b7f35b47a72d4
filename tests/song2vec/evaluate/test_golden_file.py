"""The file of golden songs: what people mean is what is read, and every mistake is named."""

from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rig.golden import entry, must, never, write_golden

from song2vec.errors import SettingsError
from song2vec.evaluate.golden_file import KINDS, MOST_BYTES, read_golden_file

SONGS = st.lists(st.integers(1, 2**63 - 1), min_size=1, max_size=5, unique=True)
WHY = st.text(min_size=1, max_size=200).filter(lambda why: why.strip() and why.isprintable())


@st.composite
def wishes(draw: Any) -> tuple[str, dict[str, Any]]:
    """A kind, and the keys of an entry of it."""
    kind = draw(st.sampled_from(KINDS))
    bring = draw(st.sampled_from(["bring", "bring_one_of"])) if kind == "must" else "bring"
    asked, wanted = draw(SONGS), draw(SONGS)
    if common := set(asked) & set(wanted):
        wanted = [song for song in wanted if song not in common] or [min(set(range(1, 20)) - set(asked))]
    question = draw(st.sampled_from(["songs", "playlist"]))
    return kind, {question: asked, bring: wanted, "within": draw(st.integers(1, 1_000)), "why": draw(WHY)}


@given(st.lists(wishes(), min_size=1, max_size=6))
def test_what_is_written_is_what_is_read(tmp_path_factory, written):
    path = write_golden(tmp_path_factory.mktemp("golden") / "golden.toml", *(entry(k, **keys) for k, keys in written))

    file = read_golden_file(path)

    for kind in KINDS:
        read = [wish.model_dump(exclude_unset=True) for wish in file.wishes[kind]]
        plain = [{key: list(v) if isinstance(v, tuple) else v for key, v in wish.items()} for wish in read]
        assert plain == [keys for written_kind, keys in written if written_kind == kind]
    assert file.sha256 == sha256(path.read_bytes()).hexdigest()


@given(st.binary(max_size=200) | st.text(alphabet='[]={}."#must\nsong1, ', max_size=80).map(str.encode))
def test_anything_else_is_refused_in_words_that_name_the_file(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("golden") / "golden.toml"
    path.write_bytes(content)

    with pytest.raises(SettingsError, match=r"golden\.toml: found"):
        read_golden_file(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            "# nothing yet\n",
            r"found no \[\[must\]\] and no \[\[never\]\]: write one, or leave gate\.golden_songs empty",
        ),
        ("[[must]]\nsongs = [00123]\n", r"found what is no TOML: .*line 2.* A song is written without leading zeros"),
        (must([1], [2], 5).replace("[[", "[").replace("]]", "]"), r"write \[\[must\]\], in two brackets"),
        (entry("maybe", songs=[1]), r"found 'maybe', expected nothing but \[\[must\]\] and \[\[never\]\]"),
        (must([1], [2], 5) + never([1], [], 5), "never 1, bring: found it empty"),
        (must([1], [2], 5) + must([], [2], 5), "must 2, songs: found it empty: fill it in"),
        (must(["53651"], [2], 5), "must 1, songs: found '53651', expected a valid integer, as a song is a number with"),
        (must([True], [2], 5), "must 1, songs: found True, expected a valid integer"),
        (must([53651.0], [2], 5), r"must 1, songs: found 53651\.0, expected a valid integer"),
        (must([0], [2], 5), "must 1, songs: found 0, expected greater than or equal to 1"),
        (must([2**63], [2], 5), "must 1, songs: found 9223372036854775808, expected less than"),
        (entry("must", songs=53651, bring=[2], within=5, why="x"), r"found 53651, expected songs in brackets, such as"),
        (must([1], [2, 3, 2], 5), "must 1, bring: found 2 2 times, expected every song once"),
        (must([1], [2, 1], 5), "must 1: found 1 among what is asked and what is to come"),
        (must([1], [2], 0), "must 1, within: found 0, expected greater than or equal to 1"),
        (must([1], [2], 1_001), "must 1, within: found 1001, expected less than or equal to 1000"),
        (must([1], [2], "5"), "must 1, within: found '5', expected a valid integer"),
        (must([1], [2], 5, why=" "), "must 1, why: expected a reason, on one line"),
        (must([1], [2], 5, why="\x1b[31m"), "must 1, why: expected a reason, on one line"),
        (must([1], [2], 5, why="x" * 201), "must 1, why: found 'x.*, expected at most 200 characters"),
        (
            must([1], [2], 5, song=3),
            "must 1, song: found the key 'song', expected songs, playlist, bring, bring_one_of",
        ),
        (must([1], [2], 5, playlist=[3]), "must 1: found both, expected either songs or playlist"),
        (entry("must", bring=[2], within=5, why="x"), "must 1: found neither, expected either songs or playlist"),
        (entry("must", songs=[1], bring=[2], within=5), "must 1, why: found nothing: write it"),
        (entry("never", songs=[1], bring_one_of=[2], within=5, why="x"), "never 1: found bring_one_of, expected bring"),
        ("must = [1]", "must 1: found 1, expected keys with their values"),
        (must([1], [2], 5) * 1_001, "found 1,001 checks, expected at most 1,000: keep those that matter most"),
        (must(list(range(1, 33)), list(range(1, 33)), 5), "found 1,024 checks"),
        (entry("must", playlist=[*range(1, 102)], bring=[999], within=5, why="x"), "playlist: found .* at most 100"),
        ("#" * (MOST_BYTES + 1), "found more than 262,144 bytes, expected a small file"),
        ("a=" + "[" * 50_000, "found what is no TOML: maximum recursion depth"),
        (".".join("a" * 100_000) + " = 1", "found a line with more than 50 dots"),
        ("[[must]]\nsongs = " + "[" * 40 + "]" * 40, r"must 1, songs: found \[\[\[\[.*\.\.\."),
    ],
)
def test_a_mistake_is_named_with_its_entry_and_what_to_do(tmp_path, content, words):
    path = write_golden(tmp_path / "golden.toml", content)

    with pytest.raises(SettingsError, match=words) as refused:
        read_golden_file(path)

    assert str(refused.value).startswith(f"the golden songs {path}: ")
    assert len(str(refused.value)) < 600


def test_text_is_utf_8_with_or_without_a_byte_order_mark(tmp_path):
    content = '[[must]]\nsongs = [1]\nbring = [2]\nwithin = 5\nwhy = "발라드"\n'
    for encoding in ("utf-8", "utf-8-sig", "cp949"):
        (tmp_path / encoding).write_text(content, encoding=encoding)

    for encoding in ("utf-8", "utf-8-sig"):
        assert read_golden_file(tmp_path / encoding).wishes["must"][0].why == "발라드"
    with pytest.raises(SettingsError, match="found other text than UTF-8: save it as UTF-8"):
        read_golden_file(tmp_path / "cp949")


@pytest.mark.parametrize("name", ["missing.toml", "."])
def test_a_file_that_is_not_there_says_which_setting_names_it(tmp_path, name):
    with pytest.raises(SettingsError, match=r"there is no file of golden songs .*gate\.golden_songs"):
        read_golden_file(tmp_path / name)


def test_songs_of_a_group_bring_each_other(tmp_path):
    path = write_golden(tmp_path / "golden.toml", must([1, 2, 3], [1, 2, 3], 5))

    (wish,) = read_golden_file(path).wishes["must"]

    assert [(question, wish.wanted(question)) for question in wish.questions] == [
        ((1,), (2, 3)),
        ((2,), (1, 3)),
        ((3,), (1, 2)),
    ]
