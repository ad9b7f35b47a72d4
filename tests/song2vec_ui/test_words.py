"""Figures read as people write them."""

from datetime import UTC, datetime, timedelta

import pytest

from song2vec_ui import words

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (timedelta(seconds=-5), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(minutes=59, seconds=59), "59 minutes ago"),
        (timedelta(hours=23, minutes=59), "23 hours ago"),
        (timedelta(days=2), "2 days ago"),
        (timedelta(days=75), "2 months ago"),
        (timedelta(days=800), "2 years ago"),
    ],
)
def test_ages_are_told_in_their_largest_unit(before, expected):
    assert words.ago(NOW - before, NOW) == expected


@pytest.mark.parametrize(
    ("octets", "expected"), [(0, "0 B"), (999, "999 B"), (1_500, "1.5 KB"), (999_960, "1.0 MB"), (2**40, "1.1 TB")]
)
def test_sizes(octets, expected):
    assert words.size(octets) == expected


@pytest.mark.parametrize(("seconds", "expected"), [(3.21, "3.2 s"), (125, "2 min 05 s"), (3_900, "1 h 05 min")])
def test_durations(seconds, expected):
    assert words.duration(seconds) == expected


def test_a_small_share_is_not_shown_as_none():
    assert words.percent(1, 1_000_000) == "< 0.1 %"
    assert words.percent(0, 10) == "0.0 %"
    assert words.percent(1, 0) == "0.0 %"
    assert words.percent(1, 3) == "33.3 %"


def test_what_is_missing_is_a_dash():
    assert {words.count(None), words.score(None), words.figure(None)} == {"–"}


@pytest.mark.parametrize(("value", "expected"), [(20.0, "20"), (1234, "1,234"), (0.16934, "0.1693"), (3e14, "3e+14")])
def test_figures_are_short(value, expected):
    assert words.figure(value) == expected


def test_a_moment_is_in_utc():
    seoul = datetime.fromisoformat("2026-11-22T13:00:00+09:00")

    assert words.moment(seoul) == "2026-11-22 04:00 UTC"
