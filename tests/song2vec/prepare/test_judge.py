from collections.abc import Sequence

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from song2vec.playlists.songs import BLANKS, read_song
from song2vec.prepare.judge import KEPT, STAGE, Judged, judge
from song2vec.raw.writing import numbers_and_texts

LOOKALIKES = st.text("0123456789.+-eE_,?nNaA０９． \t\n\u00a0\u3000\ufeff", max_size=24)
SONGS = st.none() | LOOKALIKES | st.text() | st.integers().map(str) | st.floats().map(str) | st.sampled_from(["7", "?"])
CATEGORIES = st.none() | st.text(BLANKS) | st.text(max_size=3) | st.sampled_from(["7", "8", "007", "a"])
PROBLEMS = st.none() | st.none() | st.just("ragged")


def judged(rows: Sequence[tuple[str | None, str | None, str | None]], unknown: str = "?") -> Judged:
    """Rows (category, song, problem) as they come back from Parquet."""
    categories, songs, problems = (pa.array(column, pa.string()) for column in zip(*rows, strict=True))
    category_number, category = numbers_and_texts(categories)
    song_number, song = numbers_and_texts(songs)
    columns = {
        "category_number": category_number,
        "category": category.dictionary_encode(),
        "song_number": song_number,
        "song": song.dictionary_encode(),
        "problem": problems,
    }
    return judge(pa.RecordBatch.from_pydict(columns), unknown)


@settings(deadline=None)
@given(
    st.lists(st.tuples(CATEGORIES, SONGS, PROBLEMS), min_size=1, max_size=50),
    st.sampled_from(["?", "99", "7", "07", ""]),
)
def test_columns_are_judged_as_one_row_after_the_other(rows, unknown):
    batch = judged(rows, unknown)
    names = batch.names.to_pylist()
    for place, (category, raw, problem) in enumerate(rows):
        song, rule = read_song(raw, unknown)
        named = category is not None and category.strip(BLANKS) != ""
        if not named:
            rule = "no_playlist"
        if problem is not None:
            rule = "unreadable"
        assert batch.stages[place] == (KEPT if rule is None else STAGE[rule])
        assert names[batch.playlists[place]] == (category if named else None)
        if rule is None:
            assert batch.songs[place] == song


def test_the_order_of_the_rules_is_the_order_of_the_stages():
    rows = [("", "?", "ragged"), ("", "?", None), ("a", "?", None), ("a", "", None), ("a", "x", None), ("a", "1", None)]
    assert judged(rows).stages.tolist() == [*range(5), KEPT]
