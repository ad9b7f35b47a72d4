import pytest
from hypothesis import given
from hypothesis import strategies as st

from song2vec.playlists.songs import read_song

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
