"""Threads get their turns in the order in which they asked."""

from __future__ import annotations

import threading

from crossfade.adapters.turns import Turns

LONG = 30.0
"""Seconds that no test takes."""


def ask(turns: Turns, name: str, order: list[str]) -> threading.Thread:
    """A thread that waits for its turn already, notes its name when it comes, and ends it."""

    def take() -> None:
        if turns.acquire(LONG):
            order.append(name)
            turns.release()

    before = turns.waiting
    thread = threading.Thread(target=take, daemon=True)
    thread.start()
    while turns.waiting == before:
        thread.join(0.001)
    return thread


def test_whoever_has_waited_longest_is_next_and_whoever_ends_a_turn_goes_to_the_back() -> None:
    turns, order = Turns(), list[str]()
    assert turns.acquire(LONG)
    threads = [ask(turns, name, order) for name in ("first", "second", "third")]
    turns.release()
    assert turns.acquire(LONG)  # asked for at once, and yet after all who wait
    order.append("again")
    turns.release()
    for thread in threads:
        thread.join(LONG)
    assert order == ["first", "second", "third", "again"]


def test_a_thread_that_gave_up_waiting_gets_no_turn() -> None:
    turns, order = Turns(), list[str]()
    assert turns.acquire(LONG)
    assert not turns.acquire(0.0)
    assert turns.waiting == 0
    last = ask(turns, "last", order)
    turns.release()
    last.join(LONG)
    assert order == ["last"]
    assert turns.acquire(0.0)
