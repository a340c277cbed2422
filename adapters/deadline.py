"""An end to what can hang in more ways than its own limits know: names that nobody resolves, answers that come in
pieces too small to count."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import ContextVar, copy_context
from typing import TypeVar

Outcome = TypeVar("Outcome")
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
