"""Choose the allocation and the duration that the caller left open: the shortest run, then the fewest units."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from .. import audience as audiences
from ..assignment import BUCKETS
from ..checks.shape import read_spec
from ..documents import JsonObject, nest, patch_object
from ..model.catalogue import Catalogue, Surface
from ..model.delivery import Condition
from ..model.experiment import Spec
from ..wording import percent
from .size import allocation_needed, days_needed

ALLOCATION = "/allocation"
DAYS = "/design/days"


def choose_size(
    document: JsonObject, catalogue: Catalogue, free: Mapping[str, int], today: date, open_places: frozenset[str]
) -> tuple[JsonObject, dict[str, str]]:
    """(the document with its size, pointer -> why), which differ from what came only in the open places.

    Args:
        free: layer -> buckets that nobody else holds.
        open_places: those of `ALLOCATION` and `DAYS` that nobody has set.
    """
    spec = read_spec(document)
    if not isinstance(spec, Spec) or spec.surface not in catalogue.surfaces:
        return document, _unsized(document, open_places, "spec")
    audience, problems = audiences.parse(spec.audience, catalogue.attributes)
    if problems:
        return document, _unsized(document, open_places, "audience")
    policy = catalogue.surfaces[spec.surface].policy
    most = min(free.get(spec.layer, 0) / BUCKETS, max(policy.max_allocation, policy.allocation))
    reasons: dict[str, str] = {}
    if DAYS in open_places:
        share = max(most, 0.01) if ALLOCATION in open_places else spec.allocation
        days, why = _days(spec.model_copy(update={"allocation": share}), catalogue, audience, today)
        spec = spec.model_copy(update={"design": spec.design.model_copy(update={"days": days})})
        document = patch_object(document, nest(DAYS, days))
        reasons[DAYS] = why
    if ALLOCATION in open_places:
        needed = allocation_needed(spec, catalogue, audience, today)
        chosen = _share(policy.allocation, needed, most)
        document = patch_object(document, {"allocation": chosen})
        reasons[ALLOCATION] = _why(chosen, needed, free.get(spec.layer, 0) / BUCKETS)
    return document, reasons


def _unsized(document: JsonObject, places: frozenset[str], unread: str) -> dict[str, str]:
    """Why the values stay that the surface usually has: nothing can be sized yet."""
    design, share = document.get("design"), document.get("allocation")
    days = design.get("days") if isinstance(design, dict) else None
    values = {ALLOCATION: percent(share) if isinstance(share, float) else share, DAYS: f"{days} days"}
    return {at: f"{values[at]}: the surface's usual, until the {unread} can be read" for at in sorted(places)}


def _days(spec: Spec, catalogue: Catalogue, audience: list[Condition], today: date) -> tuple[int, str]:
    surface = catalogue.surfaces[spec.surface]
    usual = days_needed(spec, catalogue, audience, surface.policy.max_days, today)
    if usual is None:
        most = surface.policy.max_days
        return most, f"{most} days: the longest that is chosen unasked"
    days = _clear_of_blackouts(surface, spec.schedule.start or today, usual, surface.policy.days)
    return days, f"{days} days: whole weeks that every metric can be resolved in"


def _share(usual: float, needed: float | None, most: float) -> float:
    wanted = max(usual, needed) if needed is not None else most
    return round(min(wanted, most) if most > 0 else usual, 4)


def _why(chosen: float, needed: float | None, free: float) -> str:
    if needed is not None and needed <= chosen:
        return f"{percent(chosen)}: enough for every metric"
    if chosen >= free:
        return f"{percent(chosen)}: all that is free, and not enough"
    enough = f"{percent(needed)} would be enough" if needed is not None else "all of it would not be enough"
    return f"{percent(chosen)}: the most that is taken unasked; {enough}"


def _clear_of_blackouts(surface: Surface, start: date, least: int, usual: int) -> int:
    """The usual days or more, if need be; fewer, in whole weeks down to `least`, when only those end before a
    blackout."""
    choices = range(max(least, usual), least - 1, -7)
    return next((days for days in choices if surface.blackout_of(start, days) is None), choices[0])
