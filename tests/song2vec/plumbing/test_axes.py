"""The marks on the axes of charts are round, and span what they mark."""

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from song2vec.plumbing.axes import ticks

figures = st.floats(-1e15, 1e15, allow_nan=False)


@given(st.tuples(figures, figures).map(sorted))
@example([0.0, 5e-324])
def test_ticks_span_what_they_mark_in_even_steps(bounds):
    low, high = bounds

    marks = ticks(low, high)

    slack = 1e-6 * max(1, abs(low), abs(high))
    assert 2 <= len(marks) <= 12
    assert marks[0] <= low + slack
    assert marks[-1] >= high - slack
    assert all(b > a for a, b in itertools.pairwise(marks))


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 10, [0, 2, 4, 6, 8, 10]),
        (1, 100, [0, 20, 40, 60, 80, 100]),
        (0.31, 0.74, [0.3, 0.4, 0.5, 0.6, 0.7, 0.8]),
    ],
)
def test_ticks_are_round_numbers(low, high, expected):
    assert ticks(low, high) == pytest.approx(expected)


def test_one_figure_alone_gets_a_scale_too():
    marks = ticks(5, 5)

    assert len(marks) >= 2
    assert marks[0] <= 5 <= marks[-1]
