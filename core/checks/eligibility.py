"""Eligibility: which units the experiment takes, and how many."""

from __future__ import annotations

from collections.abc import Iterator

from ..documents import nest
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
        if -1 <= given < 0:
            cures.append(Cure(f"enter {percent(-given)} of units", nest("/allocation", -given)))
        else:
            cures.append(Cure(f"enter {percent(usual)} of units, the surface's usual", nest("/allocation", usual)))
    message = f"The allocation is a share above 0 and at most 1; {SHARE_HINT}"
    yield Fault("/allocation", message, got=given, cures=cures)


def unit_is_the_surfaces(case: Case) -> Iterator[Fault]:
    """The experiment randomises what the surface's layers hash: another unit would break their exclusion."""
    if case.spec.unit != case.surface.unit:
        cure = Cure(f"use {case.surface.unit}", nest("/unit", case.surface.unit))
        message = f"{case.spec.surface} randomises by {case.surface.unit}."
        yield Fault("/unit", message, got=case.spec.unit, allowed=[case.surface.unit], cures=[cure])


CHECKS = (
    Check("allocation.share", "block", allocation_is_a_share),
    Check("unit.surface", "block", unit_is_the_surfaces),
)
