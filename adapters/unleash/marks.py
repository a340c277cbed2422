"""What we keep about a flag in its description, which is the one text of ours that Unleash keeps of archived flags."""

from __future__ import annotations

from pydantic import TypeAdapter, ValidationError

from ...core.documents import JsonObject, canonical, digest
from ...core.model.strict import StrictModel

_JSON: TypeAdapter[JsonObject] = TypeAdapter(JsonObject)
_SAYS = "Crossfade keeps this flag; what it does is changed there. "


class Mark(StrictModel):
    """Of an experiment's flag: who wrote it last, and whether that write came to its end."""

    fence: int = 0
    """The highest fence under which it was written; 0 where the mark is lost: that must not keep a stop out."""
    environment: str = ""
    """Unleash's environment in which the experiment is; "" of a mark that does not say so. A flag exists once for all
    environments, and what it depends on holds in each: of two experiments of one name only one can have it."""
    done: bool = True
    before: str = ""
    """The digest of the entry from which the last write began."""
    after: str = ""
    """The digest of what the last write is to leave."""

    def is_of(self, environment: str) -> bool:
        return self.environment in ("", environment)

    def covers(self, before: JsonObject | None, after: JsonObject | None) -> bool:
        """Whether the last write was left half done between these two: then a repeat or an undo may go on."""
        return not self.done and {digest(before), digest(after)} == {self.before, self.after}


def begun(before: JsonObject | None, after: JsonObject | None, fence: int, environment: str) -> Mark:
    return Mark(fence=fence, environment=environment, done=False, before=digest(before), after=digest(after))


def ended(mark: Mark) -> Mark:
    return Mark(fence=mark.fence, environment=mark.environment)


def text_of(mark: Mark) -> str:
    return section_text(mark.model_dump(mode="json", exclude_defaults=True))


def mark_of(description: str | None) -> Mark | None:
    """The mark in a description; None where there is none."""
    section = section_of(description)
    try:
        return None if section is None else Mark.model_validate(section)
    except ValidationError:
        return Mark()


def section_text(section: JsonObject) -> str:
    return _SAYS + canonical(section)


def section_of(description: str | None) -> JsonObject | None:
    """The object behind our words; {} where it is damaged, None where they are missing."""
    if description is None or not description.startswith(_SAYS.split(";")[0]):
        return None
    try:
        return _JSON.validate_json(description[description.index("{") :])
    except ValueError:
        return {}
