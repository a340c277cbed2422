"""Turns of the threads of a process: whoever has waited longest is next.

A `threading.Lock` keeps no order. Of many writers the one that has just ended takes it again before the others are
awake, and some of them wait for hundreds of transactions.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager

from ..core.errors import BackendFailed


class Turns:
    """A lock that is handed to whoever has waited longest."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._taken = False
        self._waiting: deque[threading.Lock] = deque()

    @property
    def waiting(self) -> int:
        """Threads that wait now."""
        return len(self._waiting)

    def acquire(self, timeout: float) -> bool:
        """Whether the turn is ours now; False when it did not come within `timeout` seconds."""
        with self._guard:
            if not self._taken:
                self._taken = True
                return True
            mine = threading.Lock()
            mine.acquire()
            self._waiting.append(mine)
        try:
            came = mine.acquire(timeout=timeout)
        except BaseException:  # an interrupt, after which nobody would end the turn
            if not self._left(mine):
                self.release()
            raise
        return came or not self._left(mine)

    def _left(self, mine: threading.Lock) -> bool:
        """Whether we stopped to wait before the turn came."""
        with self._guard:
            waiting = mine in self._waiting
            if waiting:
                self._waiting.remove(mine)
        return waiting

    def release(self) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False


_NAMED: dict[str, Turns] = {}


def turns_of(name: str) -> Turns:
    """Those of whatever the name stands for, the same for all threads of this process."""
    return _NAMED.setdefault(name, Turns())


@contextmanager
def alone(location: str, told: str, seconds: float) -> Generator[None]:
    """In our turn at a system that takes every write, so that at least those of this process come one after another.

    Args:
        told: what the location is, for people.
        seconds: how long to wait.

    Raises:
        BackendFailed: the turn did not come.
    """
    guard = turns_of(location)
    if not guard.acquire(seconds):
        raise BackendFailed(
            f"Another write to {told} took more than {seconds:.0f} seconds.", next="Repeat the call.", retryable=True
        )
    try:
        yield
    finally:
        guard.release()
