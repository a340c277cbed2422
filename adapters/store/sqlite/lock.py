"""One writer at a time, across threads and processes.

SQLite polls for its lock and so starves some writers for seconds; in this queue nobody waits for long. It is for
fairness only: BEGIN IMMEDIATE alone keeps writers apart.
"""

from __future__ import annotations

import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from ....core.errors import StoreUnavailable
from ...file_lock import try_lock
from ...turns import Turns

_LONGEST_PAUSE = 0.004  # seconds between two tries; a write transaction takes about one millisecond


class WriteLock:
    """A thread lock, then a lock on the file at `path`; `wait` is the longest wait for both, in seconds."""

    def __init__(self, path: Path, wait: float) -> None:
        self._path = path
        self._wait = wait
        self._threads = Turns()

    @contextmanager
    def held(self) -> Generator[None]:
        """
        Raises:
            StoreUnavailable: somebody else kept the lock for too long, or the lock file cannot be opened.
        """
        deadline = time.monotonic() + self._wait
        if not self._threads.acquire(timeout=self._wait):
            raise self._too_long()
        try:
            fd = self._open()
            try:
                self._lock_file(fd, deadline)
                yield
            finally:
                os.close(fd)  # which also unlocks
        finally:
            self._threads.release()

    def _open(self) -> int:
        # Opened anew each time: a file that was removed or a process that was forked cannot confuse the lock.
        try:
            return os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise StoreUnavailable(
                f"The lock file {self._path} cannot be written.",
                next="Make the directory of the database writable, then repeat the call.",
            ) from error

    def _lock_file(self, fd: int, deadline: float) -> None:
        pause = _LONGEST_PAUSE / 16
        while True:
            try:
                if try_lock(fd):
                    return
            except OSError as error:
                raise StoreUnavailable(
                    f"The lock file {self._path} cannot be locked.",
                    next="Keep the database on a local disk: this file system has no file locks.",
                ) from error
            if time.monotonic() >= deadline:
                raise self._too_long()
            time.sleep(pause)
            pause = min(_LONGEST_PAUSE, pause * 2)

    def _too_long(self) -> StoreUnavailable:
        return StoreUnavailable(
            f"Another writer has kept the database locked for {self._wait:g} seconds.",
            next="Repeat the call; if it stays so, end the process that holds the lock.",
            retryable=True,
        )
