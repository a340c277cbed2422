"""Choose the allocation, duration and looks that the caller left open: the shortest run, then the fewest units."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from pydantic import JsonValue

from .. import audience as audiences
from ..documents import JsonObject, nest, patch_object
from ..model.catalogue import Catalogue, Surface
from ..model.delivery import Audience
from ..model.experiment import Spec
from ..model.plan import BUCKETS
from ..statistics.group_sequential import inflation
from ..wording import percent
from .size import allocation_needed, days_needed, lasting, plan_of
from .slots import rounded_down, rounded_up

ALLOCATION = "/allocation"
DAYS = "/design/days"
LOOKS = "/design/looks"
PLACES = frozenset({ALLOCATION, DAYS, LOOKS})


def choose_size(
    document: JsonObject,
    catalogue: Catalogue,
    free: Mapping[str, int],
    today: date,
    open_places: frozenset[str],
    slots: int = BUCKETS,
) -> tuple[JsonObject, dict[str, str]]:
    """(the document with its size, pointer -> why), which differ from what came only in the open places.

    Args:
        free: layer -> buckets that nobody else holds.
        open_places: those of `PLACES` that nobody has set.
        slots: equal parts of a layer; an allocation that is chosen is a whole number of them.
    """
    spec = Spec.of(document)
    if spec is None or spec.surface not in catalogue.surfaces:
        return document, _unsized(document, open_places, "spec")
    audience, problems = audiences.parse(spec.audience, catalogue.attributes)
    if problems:
        return document, _unsized(document, open_places, "audience")
    policy = catalogue.surfaces[spec.surface].policy
    room = rounded_down(free.get(spec.layer, 0) / BUCKETS, slots)
    most = min(room, max(rounded_down(max(policy.max_allocation, policy.allocation), slots), 1 / slots))
    weekly = spec.design.kind == "group_sequential" and LOOKS in open_places
    reasons: dict[str, str] = {}
    days = spec.design.days
    if DAYS in open_places:
        share = max(most, 0.01) if ALLOCATION in open_places else spec.allocation
        widest = spec.model_copy(update={"allocation": share})
        days, reasons[DAYS] = _days(widest, catalogue, audience, today, weekly=weekly)
        document = patch_object(document, nest(DAYS, days))
    spec = lasting(spec, catalogue, days, weekly=weekly)
    if weekly and spec.design.looks:  # a duration that is no run has no weeks; a check says so
        document = patch_object(document, nest(LOOKS, list[JsonValue](spec.design.looks)))
        reasons[LOOKS] = _why_looks(spec)
    if ALLOCATION in open_places:
        needed = allocation_needed(spec, catalogue, audience, today)
        chosen = _share(policy.allocation, needed, most, slots)
        document = patch_object(document, {"allocation": chosen})
        reasons[ALLOCATION] = f"{percent(chosen)}: {_why_share(chosen, needed, free.get(spec.layer, 0) / BUCKETS)}"
    return document, reasons


def _unsized(document: JsonObject, places: frozenset[str], unread: str) -> dict[str, str]:
    """Why the values stay that the surface usually has: nothing can be sized yet."""
    design, share = document.get("design"), document.get("allocation")
    days = design.get("days") if isinstance(design, dict) else None
    values = {ALLOCATION: percent(share) if isinstance(share, float) else share, DAYS: f"{days} days"}
    return {at: f"{values[at]}: the surface's usual, until the {unread} can be read" for at in sorted(places - {LOOKS})}


def _days(spec: Spec, catalogue: Catalogue, audience: Audience, today: date, *, weekly: bool) -> tuple[int, str]:
    surface = catalogue.surfaces[spec.surface]
    least = days_needed(spec, catalogue, audience, surface.policy.max_days, today, weekly=weekly)
    if least is None:
        most = surface.policy.max_days
        return most, f"{most} days: the longest that is chosen unasked"
    days = _clear_of_blackouts(surface, spec.schedule.start or today, least, surface.policy.days)
    return days, f"{days} days: whole weeks that every metric can be resolved in"


def _why_looks(sized: Spec) -> str:
    """When the result is read, and what that costs: as many more units as the success metrics need."""
    plan, alpha, power = plan_of(sized.design), sized.design.alpha, sized.design.power
    several = len(sized.design.looks) > 1
    why = "at the end of each week" if several else "at the end alone: the first units are complete only then"
    if plan is not None and several and 0 < alpha < 1 and 0 < power < 1:
        why += f"; {inflation(plan, alpha / 2, power) - 1:.1%} more units than for one look"
    return why


def _share(usual: float, needed: float | None, most: float, slots: int) -> float:
    wanted = max(usual, needed) if needed is not None else most
    return rounded_up(min(wanted, most) if most > 0 else usual, slots)


def _why_share(chosen: float, needed: float | None, free: float) -> str:
    if free <= 0:
        return "the surface's usual, while nothing is free"
    if needed is not None and needed <= chosen:
        return "enough for every metric"
    if chosen >= free:
        return "all that is free, and not " + ("known to be enough" if needed is None else "enough")
    enough = f"{percent(needed)} would be enough" if needed is not None else "all of it would not be enough"
    return f"the most that is taken unasked; {enough}"


def _clear_of_blackouts(surface: Surface, start: date, least: int, usual: int) -> int:
    """The usual days or more, if need be; fewer, in whole weeks down to `least`, when only those end before a
    blackout."""
    choices = range(max(least, usual), least - 1, -7)
    return next((days for days in choices if surface.blackout_of(start, days) is None), choices[0])
