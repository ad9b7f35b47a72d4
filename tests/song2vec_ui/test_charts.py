"""The geometry of the charts holds for any figures."""

import math

from hypothesis import given
from hypothesis import strategies as st

from song2vec_ui.charts import BOTTOM, HEIGHT, LEFT, MOST_POINTS, RIGHT, TOP, WIDTH, line_chart

figures = st.floats(-1e15, 1e15, allow_nan=False)


def coordinates(points):
    return [tuple(map(float, pair.split(","))) for pair in points.split()]


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
