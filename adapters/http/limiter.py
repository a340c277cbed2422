"""A rate that calls stay below."""

from __future__ import annotations

import math
import threading
import time
from collections import deque

from ...core.errors import BackendFailed

MOST_WAIT = 5.0
"""Seconds that a call waits for its turn before it is refused: a person waits for it."""


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
        while (wait := self._wait()) > 0:
            if time.monotonic() + wait > deadline:
                raise BackendFailed(
                    f"{system} allows {self._most} calls a minute, and they are made.",
                    next=f"Wait {math.ceil(wait)} seconds, then repeat the call.",
                    retryable=True,
                    retry_after=wait,
                )
            time.sleep(wait)

    def _wait(self) -> float:
        """Seconds until a turn is free; 0 takes it."""
        with self._lock:
            now = time.monotonic()
            while self._made and self._made[0] <= now - 60:
                self._made.popleft()
            if len(self._made) < self._most:
                self._made.append(now)
                return 0.0
            return self._made[0] + 60 - now
