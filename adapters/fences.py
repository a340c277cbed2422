"""The highest fence under which each entry of a document was written. It outlives the entry, so that a writer that
slept while others went on cannot bring back what they took out."""

from __future__ import annotations

from collections.abc import Container

from pydantic import JsonValue

from ..core.documents import JsonObject

FENCES = "fences"
KEPT = 90 * 24 * 3_600_000
"""Milliseconds for which the fence of an entry that is gone is kept: longer than any process sleeps between the
question whether it is still in charge and its write. Fences grow at least with the time in milliseconds."""


def fence_of(section: JsonObject, entry: str) -> int:
    """The fence of the last write; 0 for an entry never written, and where the mark is damaged: that must not keep
    a stop out."""
    marks = section.get(FENCES)
    mark = marks.get(entry) if isinstance(marks, dict) else None
    return mark if isinstance(mark, int) else 0


def with_fence(section: JsonObject, entry: str, fence: int, present: Container[str]) -> JsonObject:
    """The section with the entry's fence set, and without those that no late writer can need any more.

    Args:
        present: the entries of the document, whose fences stay.
    """
    marks = section.get(FENCES)
    found = marks if isinstance(marks, dict) else {}
    kept = {name: mark for name, mark in found.items() if name in present or not _is_over(mark, fence)}
    return {**section, FENCES: dict(sorted({**kept, entry: fence}.items()))}


def _is_over(mark: JsonValue, now: int) -> bool:
    return isinstance(mark, int) and mark < now - KEPT
