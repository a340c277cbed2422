"""A rate that calls stay below, with room for what closes traffic."""

from __future__ import annotations

import math
import threading
import time
from collections import deque

from ...core.errors import BackendFailed
from ...core.urgency import CLOSING

MOST_WAIT = 5.0
"""Seconds that a call waits for its turn before it is refused: a person waits for it."""
KEPT = 4
"""One call in so many is kept for what closes traffic: a kill switch must not wait for launches."""


class Limiter:
    """At most so many calls in any minute, of all threads of this process together."""

    def __init__(self, calls_a_minute: int) -> None:
        self._most = calls_a_minute
        self._made: deque[float] = deque()
        self._lock = threading.Lock()

    def take(self, system: str) -> None:
        """Wait for a turn.

        Raises:
            BackendFailed: none comes soon.
        """
        deadline = time.monotonic() + MOST_WAIT
        most = self._most if CLOSING.get() else self._most - self._most // KEPT
        while (wait := self._wait(most)) > 0:
            if time.monotonic() + wait > deadline:
                raise BackendFailed(
                    f"{system} allows {self._most} calls a minute, and {most} are made.",
                    next=f"Wait {math.ceil(wait)} seconds, then repeat the call.",
                    retryable=True,
                    retry_after=wait,
                )
            time.sleep(wait)

    def _wait(self, most: int) -> float:
        """Seconds until fewer than so many calls were made in the last minute; 0 makes one more."""
        with self._lock:
            now = time.monotonic()
            while self._made and self._made[0] <= now - 60:
                self._made.popleft()
            if len(self._made) < most:
                self._made.append(now)
                return 0.0
            return self._made[len(self._made) - most] + 60 - now
