"""Coordination: how much of the surface the experiment takes, and who is there already."""

from __future__ import annotations

from collections.abc import Iterator

from .. import audience as audiences
from ..documents import nest
from ..names import listed
from ..planning.buckets import BUCKETS, buckets_for, next_free
from ..ports.store import LiveGroup
from ..wording import percent
from .engine import Case, Check, Cure, Fault

SHARE_HINT = "0.2 means 20 % of the eligible units."


def allocation_is_a_share(case: Case) -> Iterator[Fault]:
    """The allocation is above 0 and at most 1."""
    given = case.spec.allocation
    if 0 < given <= 1:
        return
    cures: list[Cure] = []
    if 1 < given <= 100:
        cures.append(Cure(f"read it as {given:g} %", nest("/allocation", round(given / 100, 4))))
    elif given > 100:
        cures.append(Cure("enter 100 % of units", nest("/allocation", 1.0)))
    else:
        usual = case.surface.policy.allocation
        cures.append(Cure(f"enter {percent(usual)} of units, the surface's usual", nest("/allocation", usual)))
    message = f"The allocation is a share above 0 and at most 1; {SHARE_HINT}"
    yield Fault("/allocation", message, got=given, cures=cures)


def allocation_is_available(case: Case) -> Iterator[Fault]:
    """The layer has that many free buckets. No two experiments of a layer hold one bucket, whatever their audiences."""
    if not 0 < case.spec.allocation <= 1 or case.spec.layer not in case.surface.layers:
        return
    wanted = buckets_for(case.spec.allocation)
    if wanted <= case.free:
        return
    others = [held for held in case.held if held.key != case.key]
    holders = listed(sorted({held.key for held in others}), 4)
    when = next_free(others, wanted)
    later = f" Enough should be free on {when}, if planned ends hold." if when else ""
    free = case.free / BUCKETS
    hold = "holds" if len({held.key for held in others}) == 1 else "hold"
    message = f"The layer {case.spec.layer} has {percent(free)} free; {holders} {hold} the rest.{later}"
    cures: list[Cure] = []
    if case.free > 0:
        cures.append(Cure(f"{case.entering(free)}, all that is free", nest("/allocation", free)))
    yield Fault("/allocation", message, got=case.spec.allocation, cures=cures)


def surface_has_room(case: Case) -> Iterator[Fault]:
    """The surface carries no more live experiments than its owner allows."""
    others = sum(group.count for group in case.live)
    if others >= case.surface.max_live:
        message = f"{others} experiments are live on {case.spec.surface}; its cap is {case.surface.max_live}."
        yield Fault("/surface", message, got=others)


def unit_is_the_surfaces(case: Case) -> Iterator[Fault]:
    """The experiment randomises what the surface's layers hash: another unit would break their exclusion."""
    if case.spec.unit != case.surface.unit:
        cure = Cure(f"use {case.surface.unit}", nest("/unit", case.surface.unit))
        message = f"{case.spec.surface} randomises by {case.surface.unit}."
        yield Fault("/unit", message, got=case.spec.unit, allowed=[case.surface.unit], cures=[cure])


def _meets(case: Case, group: LiveGroup) -> bool:
    """Whether a unit can be in both audiences; two that ask for different attributes always share units."""
    attributes = case.catalogue.attributes
    return audiences.overlap(case.audience, audiences.parse(group.audience, attributes)[0], attributes)


def neighbours_are_told(case: Case) -> Iterator[Fault]:
    """Experiments in other layers that meet the same units are told of: their treatments can interact."""
    meeting = [group for group in case.live if group.layer != case.spec.layer and _meets(case, group)]
    if meeting:
        count = sum(group.count for group in meeting)
        examples = listed((group.example for group in meeting), 3)
        what = "1 experiment runs" if count == 1 else f"{count} experiments run"
        yield Fault("/layer", f"{what} in other layers here and can meet the same units, such as {examples}.")


CHECKS = (
    Check("allocation.share", "block", allocation_is_a_share),
    Check("allocation.available", "block", allocation_is_available),
    Check("unit.surface", "block", unit_is_the_surfaces),
    Check("surface.cap", "block_unless_overridden", surface_has_room, curable=False),
    Check("layer.neighbours", "info", neighbours_are_told, curable=False),
)
