"""The highest fence under which each entry of a document was written. It outlives the entry, so that a writer that
slept while others went on cannot bring back what they took out."""

from __future__ import annotations

from ..core.documents import JsonObject

FENCES = "fences"


def fence_of(section: JsonObject, entry: str) -> int:
    """The fence of the last write; 0 for an entry never written, and where the mark is damaged: that must not keep
    a stop out."""
    marks = section.get(FENCES)
    mark = marks.get(entry) if isinstance(marks, dict) else None
    return mark if isinstance(mark, int) else 0


def with_fence(section: JsonObject, entry: str, fence: int) -> JsonObject:
    """The section with the entry's fence set."""
    marks = section.get(FENCES)
    kept = marks if isinstance(marks, dict) else {}
    return {**section, FENCES: dict(sorted({**kept, entry: fence}.items()))}
