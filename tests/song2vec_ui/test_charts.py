"""The geometry of the charts holds for any figures."""

import itertools
import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from song2vec_ui.charts import BOTTOM, HEIGHT, LEFT, MOST_POINTS, RIGHT, TOP, WIDTH, line_chart, ticks

figures = st.floats(-1e15, 1e15, allow_nan=False)


def coordinates(points):
    return [tuple(map(float, pair.split(","))) for pair in points.split()]


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


@given(st.lists(figures, min_size=1, max_size=40))
def test_every_point_of_a_line_lies_inside_the_axes(losses):
    chart = line_chart(list(enumerate(losses, start=1)))

    for x, y in coordinates(chart.points):
        assert math.isfinite(x)
        assert LEFT <= x <= WIDTH - RIGHT
        assert TOP <= y <= HEIGHT - BOTTOM


def test_a_falling_loss_falls_on_the_page_from_left_to_right():
    chart = line_chart([(1, 4.0), (2, 2.0), (3, 1.0)])

    places = coordinates(chart.points)
    assert [x for x, _ in places] == sorted(x for x, _ in places)
    assert [y for _, y in places] == sorted(y for _, y in places)  # SVG counts downwards
    assert (chart.first, chart.last) == (places[0], places[-1])


def test_a_long_line_is_thinned_and_keeps_both_ends():
    chart = line_chart([(epoch, 1 / epoch) for epoch in range(1, 10_000)])

    places = coordinates(chart.points)
    assert len(places) <= MOST_POINTS + 1
    assert places[0][0] == LEFT
    assert places[-1][0] == WIDTH - RIGHT


def test_nothing_is_drawn_without_points():
    assert line_chart([]) is None
