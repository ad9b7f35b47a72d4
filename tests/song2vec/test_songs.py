import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from song2vec.songs import BLANKS, blank_sql, number_sql, read_song, rule_sql, text_sql

NUMBERS = {
    "12345": 12345,
    "00123": 123,
    "+7": 7,
    "12345.0": 12345,
    "12345.": 12345,
    "7.000": 7,
    " 12345 ": 12345,
    "\t12345\r\n": 12345,
    "\u00a012345\u3000\ufeff": 12345,
    "１２３４５": 12345,
    "１２．０": 12,
    str(2**63 - 1): 2**63 - 1,
    "0" * 5000 + "5": 5,
}
LEFT_OUT = {
    "?": "unknown_song",
    " ? ": "unknown_song",
    "": "no_song",
    "  \t": "no_song",
    "nan": "no_song",
    "NaN": "no_song",
    "0": "bad_song",
    "0.0": "bad_song",
    "-3": "bad_song",
    "12345.5": "bad_song",
    "1e5": "bad_song",
    "1.23457E+11": "bad_song",
    str(2**63): "bad_song",
    "9" * 5000: "bad_song",
    "1,234": "bad_song",
    "1_000": "bad_song",
    "0x10": "bad_song",
    "abc": "bad_song",
    "12 34": "bad_song",
    "१२": "bad_song",
    "??": "bad_song",
    ".0": "bad_song",
}

LOOKALIKES = st.text("0123456789.+-eE_,?nNaA０９． \t\n\u00a0\u3000\ufeff", max_size=24)
RAW = st.none() | LOOKALIKES | st.text() | st.integers().map(str) | st.floats().map(str)


@pytest.mark.parametrize(("raw", "number"), NUMBERS.items())
def test_a_whole_number_is_a_song_however_it_is_written(raw, number):
    assert read_song(raw) == (number, None)


@pytest.mark.parametrize(("raw", "rule"), LEFT_OUT.items())
def test_everything_else_is_left_out_by_a_rule_with_a_name(raw, rule):
    assert read_song(raw) == (None, rule)


def test_null_is_no_song():
    assert read_song(None) == (None, "no_song")


def test_the_unknown_mark_wins_even_where_it_could_be_a_number():
    assert read_song("99999", unknown="99999") == (None, "unknown_song")
    assert read_song("?", unknown="99999") == (None, "bad_song")


@given(st.integers(1, 2**63 - 1))
def test_a_number_survives_being_written_as_text(number):
    assert read_song(str(number)) == read_song(f" {number}.0 ") == (number, None)


@settings(deadline=None)
@given(st.lists(RAW, min_size=1, max_size=50), st.sampled_from(["?", "99", "it's", ""]))
def test_the_sql_says_the_same(raws, unknown):
    assert by_sql(raws, unknown) == [read_song(raw, unknown) for raw in raws]


def test_the_sql_says_the_same_of_every_case_above():
    raws = [*NUMBERS, *LEFT_OUT, None]
    assert by_sql(raws, "?") == [read_song(raw) for raw in raws]


@settings(deadline=None)
@given(st.lists(st.none() | st.text(BLANKS) | st.text(), min_size=1, max_size=50))
def test_the_sql_knows_blanks(texts):
    rows = pa.table({"text": pa.array(texts, pa.string())})
    found = [blank for (blank,) in sql(f"SELECT {blank_sql('text')} FROM rows", rows)]
    assert found == [text is None or not text.strip(BLANKS) for text in texts]


def by_sql(raws: list[str | None], unknown: str) -> list[tuple[int | None, str | None]]:
    rows = pa.table({"place": range(len(raws)), "raw": pa.array(raws, pa.string())})
    query = f"""
        SELECT rule IS NULL AS is_song, number, rule FROM (
            SELECT place, number, {rule_sql("text", "number", unknown)} AS rule FROM (
                SELECT place, text, {number_sql("text")} AS number FROM (
                    SELECT place, {text_sql("raw")} AS text FROM rows))) ORDER BY place
    """
    found = sql(query, rows)
    return [(number if is_song else None, rule) for is_song, number, rule in found]


def sql(query: str, rows: pa.Table) -> list[tuple]:
    import duckdb

    with duckdb.connect() as database:
        return database.register("rows", rows).sql(query).fetchall()
