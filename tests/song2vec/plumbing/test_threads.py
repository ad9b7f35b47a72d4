import threading

import pytest

from song2vec.plumbing.threads import ahead, each


def test_gives_all_items_in_order():
    assert list(ahead(iter(range(1000)))) == list(range(1000))
    assert list(ahead([])) == []


def test_items_are_made_in_another_thread():
    makers = set(ahead(threading.get_ident() for _ in range(10)))
    assert len(makers) == 1
    assert threading.get_ident() not in makers


def test_no_more_than_the_most_are_made_ahead():
    made: list[int] = []

    def items():
        for number in range(100):
            made.append(number)
            yield number

    for number in ahead(items(), most=3):
        assert len(made) <= number + 1 + 3 + 1


def test_an_error_comes_in_its_place():
    def items():
        yield 1
        raise ValueError("two")

    items_ahead = ahead(items())
    assert next(items_ahead) == 1
    with pytest.raises(ValueError, match="two"):
        next(items_ahead)


def test_leaving_early_ends_the_thread_and_closes_the_source():
    closed = threading.Event()

    def items():
        try:
            yield from range(100)
        finally:
            closed.set()

    before = threading.active_count()
    items_ahead = ahead(items())
    next(items_ahead)
    items_ahead.close()
    assert threading.active_count() == before
    assert closed.is_set()


@pytest.mark.parametrize("threads", [1, 3])
def test_each_gives_results_in_order_whoever_is_ready_first(threads):
    gates = [threading.Event() for _ in range(20)]

    def result(number: int) -> int:
        if threads > 1 and number % 3 == 0:  # waits until the one after it is done
            assert gates[number + 1].wait(10)
        gates[number].set()
        return number * number

    assert list(each(result, range(20), threads)) == [number * number for number in range(20)]


def test_each_takes_few_items_ahead():
    taken: list[int] = []

    def items():
        for number in range(100):
            taken.append(number)
            yield number

    for number in each(abs, items(), threads=3):
        assert len(taken) <= number + 1 + 3


def test_each_raises_an_error_in_its_place():
    results = each(lambda number: 1 // number, [1, 0, 1], threads=2)
    assert next(results) == 1
    with pytest.raises(ZeroDivisionError):
        next(results)
