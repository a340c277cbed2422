"""What we keep about a flag in its description."""

from __future__ import annotations

from pydantic import Field, ValidationError

from ..descriptions import WriteMark, section_of

SPARE = "spare"
"""In place of a title: a segment that never got units, which Confidence neither archives nor deletes; the next launch
makes its own of it."""


class Mark(WriteMark):
    """Of an experiment's flag."""

    place: str = ""
    """Of the settings under which it was written; "" where that is lost."""
    segments: dict[str, str] = Field(default_factory=dict[str, str])
    """Title -> name in Confidence, of those that the last write which ended has left."""

    @property
    def holds_units(self) -> bool:
        return any(title != SPARE for title in self.segments)

    def ended(self, segments: dict[str, str]) -> Mark:
        return Mark(fence=self.fence, place=self.place, segments=segments)


def mark_of(description: object) -> Mark | None:
    """The mark in a description; None where there is none."""
    section = section_of(description)
    try:
        return None if section is None else Mark.model_validate(section)
    except ValidationError:
        return Mark(done=False)
