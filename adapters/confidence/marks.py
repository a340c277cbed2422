"""What we keep about a flag in its description."""

from __future__ import annotations

from pydantic import Field, ValidationError

from ...core.documents import JsonObject, digest
from ...core.model.strict import StrictModel
from ..unleash.marks import section_of, section_text

SPARE = "spare"
"""In place of a title: a segment that never got units, which Confidence neither archives nor deletes; the next launch
makes its own of it."""


class Mark(StrictModel):
    """Of an experiment's flag: who wrote it last, whether that write came to its end, and which segments are its."""

    fence: int = 0
    """The highest fence under which it was written; 0 where the mark is lost: that must not keep a stop out."""
    place: str = ""
    """Of the settings under which it was written; "" where that is lost."""
    done: bool = True
    before: str = ""
    """The digest of the entry from which the last write began."""
    after: str = ""
    """The digest of what the last write is to leave."""
    segments: dict[str, str] = Field(default_factory=dict[str, str])
    """Title -> name in Confidence, of those that the last write which ended has left."""

    @property
    def holds_units(self) -> bool:
        return any(title != SPARE for title in self.segments)

    def covers(self, before: JsonObject | None, after: JsonObject | None) -> bool:
        """Whether the last write was left half done between these two: then a repeat or an undo may go on."""
        return not self.done and {digest(before), digest(after)} == {self.before, self.after}


def begun(known: Mark | None, before: JsonObject | None, after: JsonObject | None, fence: int, place: str) -> Mark:
    """A write begins; what the last one left is remembered."""
    segments = known.segments if known is not None else {}
    return Mark(
        fence=fence, place=place, done=False, before=digest(before), after=digest(after), segments=dict(segments)
    )


def ended(mark: Mark, segments: dict[str, str]) -> Mark:
    return Mark(fence=mark.fence, place=mark.place, segments=segments)


def text_of(mark: Mark) -> str:
    return section_text(mark.model_dump(mode="json", exclude_defaults=True))


def mark_of(description: str | None) -> Mark | None:
    """The mark in a description; None where there is none."""
    section = section_of(description)
    try:
        return None if section is None else Mark.model_validate(section)
    except ValidationError:
        return Mark(done=False)
