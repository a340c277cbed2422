"""What we keep about a flag in its description, which is the one text of ours that Unleash keeps of archived flags."""

from __future__ import annotations

from pydantic import ValidationError

from ..descriptions import WriteMark, section_of


class Mark(WriteMark):
    """Of an experiment's flag."""

    environment: str = ""
    """Unleash's environment in which the experiment is; "" of a mark that does not say so. A flag exists once for all
    environments, and what it depends on holds in each: of two experiments of one name only one can have it."""

    def is_of(self, environment: str) -> bool:
        return self.environment in ("", environment)

    @property
    def ended(self) -> Mark:
        return Mark(fence=self.fence, environment=self.environment)


def mark_of(description: object) -> Mark | None:
    """The mark in a description; None where there is none."""
    section = section_of(description)
    try:
        return None if section is None else Mark.model_validate(section)
    except ValidationError:
        return Mark()
