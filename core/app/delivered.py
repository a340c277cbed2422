"""The assignment that an experiment was delivered with, whatever the catalogue has become since."""

from __future__ import annotations

from ..model.delivery import Assignment
from ..model.experiment import Change, Record
from ..planning.compile import ASSIGNMENT
from ..ports.store import Reader

OPENING: frozenset[Change] = frozenset({"launch", "ramp", "resume"})


def delivered(view: Reader, record: Record, changes: frozenset[Change] = OPENING) -> Assignment | None:
    """What the last of some changes delivered, with the buckets and the test units of now."""
    plan = view.applied_plan(record.key, changes)
    if plan is None or ASSIGNMENT not in plan.covered:
        return None
    assignment = Assignment.model_validate(plan.covered[ASSIGNMENT])
    previews = {name: units for name, units in view.previews(record.key).items() if name in assignment.variants}
    return assignment.model_copy(update={"ranges": view.ranges_of(record.key), "previews": previews})
