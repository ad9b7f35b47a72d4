import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from song2vec.metrics.bootstrap import intervals


def test_the_interval_is_that_of_scipy() -> None:
    from scipy.stats import bootstrap

    values = np.random.default_rng(0).exponential(size=200)
    theirs = bootstrap((values,), np.mean, n_resamples=20_000, method="percentile", rng=1).confidence_interval
    assert intervals(values[:, None], 20_000)[0] == pytest.approx([theirs.low, theirs.high], rel=0.01)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_the_interval_lies_within_the_values_and_holds_still(values: list[float]) -> None:
    column = np.array(values)[:, None]
    low, high = intervals(column, 100)[0]
    assert min(values) - 1e-9 <= low <= high <= max(values) + 1e-9
    assert intervals(column, 100).tolist() == [[low, high]]


def test_columns_are_resampled_together() -> None:
    """So two recommenders that differ by the same on every playlist surely differ by that."""
    first = np.random.default_rng(2).random(50)
    second = first + 0.1
    apart = intervals(np.column_stack([first, second, second - first]), 500)
    assert apart[2] == pytest.approx([0.1, 0.1])
    assert apart[0][1] > apart[1][0]  # each for itself, chance could explain it


def test_the_answer_does_not_depend_on_how_the_work_is_cut() -> None:
    values = np.random.default_rng(3).random((40, 3))
    np.testing.assert_allclose(intervals(values, 300, block=7 * 40), intervals(values, 300))
