import threading

import pytest

from song2vec.ahead import ahead


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

    found = ahead(items())
    assert next(found) == 1
    with pytest.raises(ValueError, match="two"):
        next(found)


def test_leaving_early_ends_the_thread_and_closes_the_source():
    closed = threading.Event()

    def items():
        try:
            yield from range(100)
        finally:
            closed.set()

    before = threading.active_count()
    found = ahead(items())
    next(found)
    found.close()
    assert threading.active_count() == before
    assert closed.is_set()
