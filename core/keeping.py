"""Keep what is costly to make of a thing that seldom changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

S = TypeVar("S")
T = TypeVar("T")


class Latest(Generic[S, T]):
    """What was made of the latest source asked for, a catalogue above all: one lives until its files change."""

    def __init__(self, make: Callable[[S], T]) -> None:
        self._make = make
        self._kept: tuple[S, T] | None = None

    def of(self, source: S) -> T:
        """What `make` gives for this very object, made once for as long as no other is asked for."""
        kept = self._kept
        if kept is None or kept[0] is not source:
            # Two threads may both make it; one assignment of the pair keeps the source and its own together.
            kept = self._kept = (source, self._make(source))
        return kept[1]
