"""What hangs is given up, and what it would still do is not done."""

from __future__ import annotations

import threading

import pytest

from crossfade.core.deadline import AT_ONCE, require_awaited, side_by_side, within


def fail(what: str) -> None:
    raise LookupError(what)


def test_what_ends_in_time_gives_what_it_gives_and_raises_what_it_raises() -> None:
    assert within(10, lambda: 5) == 5
    with pytest.raises(LookupError):
        within(10, lambda: fail("x"))


def test_what_does_not_end_in_time_learns_that_nobody_waits_for_it() -> None:
    go_on, refused = threading.Event(), threading.Event()

    def work() -> None:
        require_awaited()
        go_on.wait(10)
        try:
            require_awaited()
        except TimeoutError:
            refused.set()

    with pytest.raises(TimeoutError):
        within(0.05, work)
    go_on.set()
    assert refused.wait(10)


def test_works_come_back_in_their_order_however_many_they_are() -> None:
    works = [(lambda number=number: number) for number in range(3 * AT_ONCE)]
    assert side_by_side(10, works) == [*range(3 * AT_ONCE)]
    assert side_by_side(10, []) == []


def test_one_that_hangs_is_none_and_the_others_are_there() -> None:
    for_ever = threading.Event()
    found = side_by_side(0.2, [lambda: for_ever.wait(10), lambda: True])
    for_ever.set()
    assert found == [None, True]


def test_what_one_of_them_raises_is_raised() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        side_by_side(10, [lambda: 1, lambda: int("x")])
