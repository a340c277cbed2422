"""What an experiment was delivered with, whatever the catalogue has become since: its assignment, and the entries that
let units in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..documents import JsonObject
from ..model.delivery import Assignment
from ..model.experiment import Change, Record
from ..model.plan import Step
from ..planning.compile import ASSIGNMENT
from ..ports.backend import Assigner, assigns
from ..ports.store import Placement, Reader
from .dependencies import Dependencies

OPENING: frozenset[Change] = frozenset({"launch", "ramp", "resume"})


def delivered(view: Reader, record: Record, changes: frozenset[Change] = OPENING) -> Assignment | None:
    """What the last of some changes delivered, with the buckets and the test units of now."""
    plan = view.applied_plan(record.key, changes)
    if plan is None or ASSIGNMENT not in plan.covered:
        return None
    assignment = Assignment.model_validate(plan.covered[ASSIGNMENT])
    previews = {name: units for name, units in view.previews(record.key).items() if name in assignment.variants}
    return assignment.model_copy(update={"ranges": view.ranges_of(record.key), "previews": previews})


def opening_entries(deps: Dependencies, placements: Iterable[Placement]) -> Iterator[tuple[Placement, Assigner]]:
    """Those of some placements that let units in, each with its backend."""
    for placement in placements:
        backend = deps.backend(placement.place.kind)
        if placement.opens_traffic and assigns(backend):
            yield placement, backend


def rewriting(placement: Placement, before: JsonObject | None, after: JsonObject | None, summary: list[str]) -> Step:
    """The step that changes an entry which lets units in."""
    return Step(
        place=placement.place,
        action="put",
        entry=placement.key,
        before=before,
        after=after,
        opens_traffic=True,
        summary=summary,
    )
