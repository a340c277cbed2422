"""Steps that give a running experiment other test units and leave all else of it as it was delivered: nothing that the
catalogue or production says today goes live with them."""

from __future__ import annotations

from ..documents import JsonObject, same
from ..errors import NotAllowed
from ..model.experiment import Record
from ..model.plan import Step
from ..ports.store import Placement
from . import calls
from .delivered import opening_entries, rewriting
from .dependencies import Dependencies


def retesting_steps(
    deps: Dependencies, record: Record, placements: list[Placement], previews: dict[str, list[str]]
) -> list[Step]:
    """
    Args:
        previews: variant -> its test units afterwards.

    Raises:
        NotAllowed: the entry that was delivered is gone or changed: what others made of it must not pass for ours.
        BackendFailed: the backend cannot be read.
    """
    steps: list[Step] = []
    for placement, backend in opening_entries(deps, placements):
        place = placement.place
        standing = backend.standing(place.settings, place.document, record.key, placement.entry)
        now = standing.actual
        if (now is not None or previews) and not same(now, standing.due):
            raise _drifted(record, placement, now)
        after = None if now is None else backend.with_previews(now, previews)
        if not same(now, after):
            tests = [f"test units of {variant}: {', '.join(units)}" for variant, units in previews.items()]
            steps.append(rewriting(placement, now, after, tests))
    return steps


def _drifted(record: Record, placement: Placement, now: JsonObject | None) -> NotAllowed:
    target = f"{placement.place.backend}/{placement.place.document}"
    what = f"its entry is gone from {target}" if now is None else f"its entry in {target} is not as it was delivered"
    return NotAllowed(f"{record.key} is running, and {what}.", next=calls.plan(record.key, "reconcile"))
