"""What we keep in descriptions: which write of an entry came last, who owns an environment, which default is ours."""

from __future__ import annotations

from pydantic import Field, JsonValue, ValidationError

from ...core.documents import JsonObject, digest
from ..descriptions import WriteMark, section_in, section_text
from .values import decoded

DEFAULT = "default"
"""In the description of a feature that we made: the default that the last of our entries set."""
DIGEST = "default_digest"
"""Its digest in place of one that is long: GrowthBook ends a description at 10,000 characters."""
LONGEST = 9_000


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


def default_text(value: JsonValue) -> str:
    """The description of a feature that we make, with this default."""
    told = section_text({DEFAULT: value})
    return told if len(told) <= LONGEST else section_text({DIGEST: digest(value)})


def set_default(feature: JsonObject | None, like: JsonValue = None) -> tuple[bool, JsonValue]:
    """(whether we made a feature, so that its default is ours to set; the default that we set last).

    Args:
        like: what it may be, where the description holds its digest alone and the feature has another by now.
    """
    section = section_in(feature)
    if feature is None or section is None:
        return False, None
    if DIGEST in section:
        now = decoded(feature.get("defaultValue"), feature.get("valueType"))
        return True, like if digest(like) == section[DIGEST] else now
    return DEFAULT in section, section.get(DEFAULT)
