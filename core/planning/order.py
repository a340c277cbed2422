"""The order of a change's steps: whatever happens half way, nobody is let in who has nothing to see."""

from __future__ import annotations

from collections.abc import Iterable

from ..model.plan import Step


def in_order(steps: Iterable[Step]) -> list[Step]:
    """What closes traffic comes first, then what else goes, then content, and last what opens traffic. Steps of one
    kind stay as they are."""
    return sorted(steps, key=_place)


def _place(step: Step) -> int:
    if step.closes_traffic:
        return 0
    if step.after is None:
        return 1
    return 3 if step.opens_traffic else 2
