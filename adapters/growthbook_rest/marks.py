"""What we keep in descriptions: which write of an entry came last, who owns an environment, which default is ours."""

from __future__ import annotations

from pydantic import Field, JsonValue, ValidationError

from ...core.documents import JsonObject
from ..unleash.marks import Mark, section_of, section_text

DEFAULT = "default"
"""In the description of a feature that we made: the default that the last of our entries set."""


class GateMark(Mark):
    """Of an experiment's gate."""

    features: list[str] = Field(default_factory=list[str])
    """Those in which the experiment has rules, or had some when the last write began."""

    @property
    def knows(self) -> bool:
        """Whether it was read; a damaged one is as good as none."""
        return self.fence > 0


def mark_of(gate: JsonObject | None) -> GateMark | None:
    """The mark of the last write; None without a gate, and one that knows nothing where it is damaged: that must not
    keep a stop out."""
    if gate is None:
        return None
    try:
        return GateMark.model_validate(section_in(gate) or {})
    except ValidationError:
        return GateMark()


def mark_text(mark: GateMark) -> str:
    return section_text(mark.model_dump(mode="json", exclude_defaults=True))


def section_in(thing: JsonObject | None) -> JsonObject | None:
    """What the description of a feature or an experiment holds of ours; None where it has not our words."""
    description = thing.get("description") if thing is not None else None
    return section_of(description) if isinstance(description, str) else None


def set_default(feature: JsonObject | None) -> tuple[bool, JsonValue]:
    """(whether we made a feature, so that its default is ours to set; the default that we set last)."""
    section = section_in(feature)
    return section is not None and DEFAULT in section, (section or {}).get(DEFAULT)
