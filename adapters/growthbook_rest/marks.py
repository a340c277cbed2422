"""What we keep in descriptions: which write of an entry came last, who owns an environment, which default is ours."""

from __future__ import annotations

from pydantic import Field, JsonValue, ValidationError

from ...core.documents import JsonObject
from ..descriptions import WriteMark, section_in

DEFAULT = "default"
"""In the description of a feature that we made: the default that the last of our entries set."""


class GateMark(WriteMark):
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


def set_default(feature: JsonObject | None) -> tuple[bool, JsonValue]:
    """(whether we made a feature, so that its default is ours to set; the default that we set last)."""
    section = section_in(feature)
    return section is not None and DEFAULT in section, (section or {}).get(DEFAULT)
