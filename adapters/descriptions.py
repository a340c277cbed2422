"""What we keep of an entry in a system that keeps no documents: an object behind a sentence, in the description of a
flag or whatever else has one."""

from __future__ import annotations

from typing import Self

from pydantic import TypeAdapter

from ..core.documents import JsonObject, canonical, digest
from ..core.model.strict import StrictModel

_JSON: TypeAdapter[JsonObject] = TypeAdapter(JsonObject)
_SAYS = "Crossfade keeps this flag; what it does is changed there. "


class WriteMark(StrictModel):
    """Which write of an entry came last, and whether it came to its end."""

    fence: int = 0
    """The highest fence under which it was written; 0 where the mark is lost: that must not keep a stop out."""
    done: bool = True
    before: str = ""
    """The digest of the entry from which the last write began."""
    after: str = ""
    """The digest of what the last write is to leave."""

    @classmethod
    def begun(cls, before: JsonObject | None, after: JsonObject | None, fence: int, **more: object) -> Self:
        """Of a write that begins."""
        known = {"fence": fence, "done": False, "before": digest(before), "after": digest(after)}
        return cls.model_validate({**known, **more})

    def covers(self, before: JsonObject | None, after: JsonObject | None) -> bool:
        """Whether the last write was left half done between these two: then a repeat or an undo may go on."""
        return not self.done and {digest(before), digest(after)} == {self.before, self.after}

    @property
    def text(self) -> str:
        """As a description."""
        return section_text(self.model_dump(mode="json", exclude_defaults=True))


def section_text(section: JsonObject) -> str:
    return _SAYS + canonical(section)


def section_of(description: object) -> JsonObject | None:
    """The object behind our words; {} where it is damaged, None where they are missing."""
    if not isinstance(description, str) or not description.startswith(_SAYS.split(";")[0]):
        return None
    try:
        return _JSON.validate_json(description[description.index("{") :])
    except ValueError:
        return {}


def section_in(thing: JsonObject | None) -> JsonObject | None:
    """The same of what has a description."""
    return section_of(thing.get("description")) if thing is not None else None
