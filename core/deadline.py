"""An end to what can hang in more ways than its own limits know: names that nobody resolves, answers that come in
pieces too small to count."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextvars import ContextVar, copy_context
from typing import TypeVar

Outcome = TypeVar("Outcome")
AT_ONCE = 16
"""Works that are done side by side; the others wait for a place."""
_GIVEN_UP: ContextVar[threading.Event | None] = ContextVar("_GIVEN_UP", default=None)


def within(seconds: float, work: Callable[[], Outcome]) -> Outcome:
    """What `work` gives, or raises.

    Raises:
        TimeoutError: it did neither in time. A thread still waits with it, and ends when it does.
    """
    ended, given_up = threading.Event(), threading.Event()
    given: list[Outcome] = []
    raised: list[BaseException] = []

    def run() -> None:
        _GIVEN_UP.set(given_up)
        try:
            given.append(work())
        except BaseException as error:  # whoever waits raises it
            raised.append(error)
        ended.set()

    # Never one of a pool: those are waited for at the end of the process.
    threading.Thread(target=copy_context().run, args=(run,), daemon=True).start()
    try:
        in_time = ended.wait(seconds)
    except BaseException:  # an interrupt
        given_up.set()
        raise
    if not in_time:
        given_up.set()
        raise TimeoutError
    if raised:
        raise raised.pop()
    return given[0]


def require_awaited() -> None:
    """For work to ask before it does what cannot be taken back.

    Raises:
        TimeoutError: nobody waits for it any more.
    """
    given_up = _GIVEN_UP.get()
    if given_up is not None and given_up.is_set():
        raise TimeoutError


def side_by_side(seconds: float, works: Sequence[Callable[[], Outcome]]) -> list[Outcome | None]:
    """What each of some works gives, in their order; None of those that did not end in time, all together.

    Raises:
        Exception: what one of them raises.
    """
    end = time.monotonic() + seconds
    waiting = deque(enumerate(works))
    given: dict[int, Outcome] = {}
    raised: list[BaseException] = []

    def work() -> None:
        while waiting:
            try:
                number, each = waiting.popleft()
            except IndexError:  # another thread took the last one
                return
            try:
                given[number] = each()
            except BaseException as error:  # whoever waits raises it
                raised.append(error)

    threads = [
        threading.Thread(target=copy_context().run, args=(work,), daemon=True) for _ in range(min(AT_ONCE, len(works)))
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join(max(0.0, end - time.monotonic()))
    waiting.clear()
    if raised:
        raise raised[0]
    return [given.get(number) for number in range(len(works))]
