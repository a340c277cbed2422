"""Documents in systems without a lock: read with a version, and written only where that version still stands."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from typing import Protocol

from ...core.documents import JsonObject, canonical
from ...core.errors import BackendFailed
from ..turns import turns_of
from .document import Edit
from .text import parsed, written

TRIES = 50
"""Attempts of one update. Each that fails is one in which somebody else's write came through."""
LONGEST_PAUSE = 0.2
"""Seconds."""
TURN_SECONDS = 2.0
"""How long a thread waits for its turn before it goes on without one."""


class Versioned(Protocol):
    """One value in such a system."""

    def get(self) -> tuple[bytes, str] | None:
        """The value and its version; None when there is none.

        Raises:
            BackendFailed: the system cannot be reached or refuses.
        """
        ...

    def put(self, value: bytes, version: str | None) -> bool:
        """Write the value where the version still stands, None for no value; whether it was written. One whose answer
        was lost may have been written all the same, and the next one then fails on its version.

        Raises:
            BackendFailed: the system cannot be reached or refuses.
        """
        ...


class VersionedDocument:
    """A JSON object as one such value."""

    def __init__(self, value: Versioned, where: JsonObject) -> None:
        """
        Args:
            where: names the document in errors.
        """
        self._value = value
        self._where = where

    def read(self) -> JsonObject | None:
        found = self._value.get()
        return None if found is None else parsed(found[0], self._where)

    def update(self, edit: Edit) -> None:
        """As in `Document`. Whoever finds the version gone looks again at what is there, so that an own write whose
        answer was lost is found and not refused."""
        # Threads of one process need not find out by failing that they are in each other's way.
        turn = turns_of(canonical(self._where))
        taken = turn.acquire(TURN_SECONDS)
        try:
            self._update(edit)
        finally:
            if taken:
                turn.release()

    def _update(self, edit: Edit) -> None:
        for pause in _pauses():
            found = self._value.get()
            changed = edit(None if found is None else parsed(found[0], self._where))
            if changed is None or self._value.put(written(changed), None if found is None else found[1]):
                return
            time.sleep(pause)
        raise BackendFailed(
            f"Others changed the document {TRIES} times while this write waited for its turn.",
            next="Repeat the call; if it stays so, find out who writes to it all the time.",
            got=self._where,
            retryable=True,
        )


def _pauses() -> Iterator[float]:
    """Of random length, so that those who met once do not meet again."""
    for attempt in range(TRIES):
        yield random.uniform(0, min(LONGEST_PAUSE, 0.02 * 2**attempt))  # noqa: S311 - no secret
