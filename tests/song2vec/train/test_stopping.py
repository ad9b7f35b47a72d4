"""When it is enough, against the rule in other words; which epoch counts."""

from hypothesis import given
from hypothesis import strategies as st

from song2vec.train.stopping import EarlyStopping

RANKINGS = st.lists(st.none() | st.sampled_from([0.1, 0.2, 0.3, 0.4]), max_size=12)


@given(rankings=RANKINGS, epochs=st.integers(1, 12), patience=st.integers(0, 4))
def test_it_is_enough_once_so_many_measurements_did_not_beat_the_best_of_before(
    rankings: list[float | None], epochs: int, patience: int
) -> None:
    measured = [ranking for ranking in rankings if ranking is not None]
    split = max(0, len(measured) - patience)
    before, since = measured[:split], measured[split:]
    stuck = bool(patience and before and since and max(since) <= max(before))
    assert EarlyStopping(epochs, patience).enough(rankings) == (stuck or len(rankings) >= epochs)


@given(rankings=RANKINGS, epochs=st.integers(12, 20), patience=st.integers(1, 4))
def test_the_first_of_the_best_epochs_counts(rankings: list[float | None], epochs: int, patience: int) -> None:
    best = EarlyStopping(epochs, patience).best(rankings)
    if best is None:
        assert rankings == [None] * len(rankings) or len(rankings) == epochs
    else:
        rank = rankings[best - 1]
        assert rank is not None
        assert all(other is None or other < rank for other in rankings[: best - 1])
        assert all(other is None or other <= rank for other in rankings[best:])


def test_without_patience_no_epoch_but_the_last_may_count() -> None:
    assert EarlyStopping(epochs=9, patience=0).best([0.5, 0.1, 0.1]) is None


def test_the_last_epoch_of_all_need_not_be_kept_apart() -> None:
    assert EarlyStopping(epochs=3, patience=2).best([0.1, 0.2, 0.3]) is None
