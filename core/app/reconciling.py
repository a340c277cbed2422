"""Steps that bring what is delivered back to what was delivered. They come from the journal, and not from the spec or
the catalogue: nothing that these say today goes live with them."""

from __future__ import annotations

from ..errors import BackendFailed, NotAllowed
from ..model.experiment import Record
from ..model.plan import Step
from ..planning.compile import assignment_summary
from ..planning.drift import Delivery, differences
from ..planning.order import in_order
from ..ports.backend import allocates
from ..ports.store import Reader
from . import calls
from .delivered import delivered
from .dependencies import Dependencies
from .drift import compared, desired
from .narrowing import removal


def reconciling_steps(deps: Dependencies, view: Reader, record: Record) -> list[Step]:
    """The steps from what is there to what was delivered; none when all is as delivered. What has to go goes first;
    then comes content, and last what opens traffic.

    Raises:
        NotAllowed: a change is stuck, so that nobody can say what has to be there.
        BackendFailed: there is nothing to mend in what can be read, and something cannot be.
    """
    last = view.last_operation(record.key)
    if last is not None and not last.settled:
        raise NotAllowed(
            f"The {last.change} of {record.key} is stuck, so what has to be there is not settled.",
            got="reconcile",
            next=f"{calls.apply(last.handle)} continues it",
        )
    found = compared(deps, record.key, desired(view, record.key))
    steps = [_step(deps, view, record, each) for each in found if each.drifted]
    unread = next((each for each in found if each.failure is not None), None)
    if unread is not None and not steps:
        raise BackendFailed(
            f"{unread.target} cannot be read, so nobody knows what is to be put back: {unread.failure}",
            next=f"mend it, then {calls.plan(record.key, 'reconcile')}",
        )
    return in_order(steps)


def _step(deps: Dependencies, view: Reader, record: Record, each: Delivery) -> Step:
    if each.desired is None:
        return removal(each.place, record.key, each.actual, each.opens_traffic)
    told = differences(each.actual, each.desired) if each.actual is not None else _whole(deps, view, record, each)
    return Step(
        place=each.place,
        action="put",
        entry=record.key,
        before=each.actual,
        after=each.desired,
        opens_traffic=each.opens_traffic,
        summary=told,
    )


def _whole(deps: Dependencies, view: Reader, record: Record, each: Delivery) -> list[str]:
    """What an entry means that is gone and put back: to users, where it lets them in."""
    found = delivered(view, record) if each.opens_traffic else None
    if found is None:
        return ["puts back all of it"]
    by_itself = allocates(deps.backend(each.place.kind))
    return ["puts back all of it", *assignment_summary(found, allocates=by_itself)]
