"""A no stands as long as the plan that it was said to: nobody is asked again about another plan that does the same."""

from __future__ import annotations

from dataclasses import dataclass

from ..model.plan import Approval, Plan
from ..planning.compile import essence
from ..ports.store import Reader
from . import calls
from .cases import require
from .dependencies import Dependencies
from .refusing import note


@dataclass(frozen=True)
class EarlierNo:
    """What a person said to a plan that did the same, and how to go on."""

    approval: Approval
    reason: str
    next: str


def earlier_no(deps: Dependencies, view: Reader, found: Plan) -> EarlierNo | None:
    """The no to an unexpired plan of the same change of the same spec, whichever buckets it proposed; None when there
    is none, or the plan has an answer of its own."""
    if found.narrows or view.approval(found.handle) is not None:
        return None
    same = essence(found.covered)
    for each in view.declined(found.key, found.change, deps.clock.now()):
        approval = view.approval(each.handle) if essence(each.covered) == same else None
        if approval is not None:
            when = f"{approval.at:%Y-%m-%d %H:%M} UTC"
            reason = f"{approval.by} said no to the same change on {when} (plan {each.handle}): nobody is asked again."
            return EarlierNo(approval, reason, _go_on(deps, view, found))
    return None


def _go_on(deps: Dependencies, view: Reader, found: Plan) -> str:
    record = require(view, found.key)
    person = f"a person runs `{deps.command} approve {found.handle}` in a terminal; then {calls.apply(found.handle)}"
    if record.state != "draft":
        return person
    return f"{calls.update(record.key, record.version, changes='{...}')} makes it another question; or {person}"


def note_again(deps: Dependencies, found: Plan, no: EarlierNo) -> None:
    """Keep in the audit that an agent came again with what was declined."""
    note(deps, "apply_plan", found.key, [found.handle, f"declined {no.approval.handle}"])
