"""Every check, in the order in which equals are reported. A new topic is one file and one line here."""

from __future__ import annotations

from ..model.experiment import Change
from ..model.finding import Finding
from . import (
    audience,
    baselines,
    content,
    coordination,
    delivery,
    eligibility,
    expressible,
    flight,
    intent,
    memory,
    metrics,
    operations,
    ramp,
    schedule,
    sequential,
    shape,
    statistics,
    trial,
    units,
    variants,
)
from .engine import Case, Check, findings_of

CASE_CHECKS: tuple[Check, ...] = (
    *variants.CHECKS,
    *content.CHECKS,
    *delivery.CHECKS,
    *audience.CHECKS,
    *eligibility.CHECKS,
    *units.CHECKS,
    *coordination.CHECKS,
    *schedule.CHECKS,
    *ramp.CHECKS,
    *expressible.CHECKS,
    *metrics.CHECKS,
    *baselines.CHECKS,
    *sequential.CHECKS,
    *statistics.CHECKS,
    *intent.CHECKS,
    *operations.CHECKS,
    *memory.CHECKS,
)
_OF_ROOM = frozenset(
    {"allocation.share", "allocation.available", "allocation.rested", "surface.cap", "assigner.allocation"}
)
DELIVERY_CHECKS = (
    *variants.CHECKS,
    *content.CHECKS,
    *delivery.CHECKS,
    *audience.CHECKS,
    *units.CHECKS,
    *(
        check
        for check in (*eligibility.CHECKS, *coordination.CHECKS, *expressible.CHECKS)
        if check.code not in _OF_ROOM
    ),
)
"""What has to hold for whatever is delivered: an audience that cannot be read any more would let everybody in."""
LAUNCH_CHECKS: tuple[Check, ...] = (*schedule.LAUNCH_CHECKS, *intent.LAUNCH_CHECKS, *delivery.LAUNCH_CHECKS)
"""Asked only of a plan that opens traffic, once nothing else blocks it."""
CHECKS: dict[str, Check] = {
    check.code: check
    for check in (
        *shape.CHECKS,
        *CASE_CHECKS,
        *LAUNCH_CHECKS,
        *trial.TRIAL_CHECKS,
        *delivery.RUN_CHECKS,
        *flight.FLIGHT_CHECKS,
    )
}


def checks_of(change: Change) -> tuple[Check, ...]:
    """The checks that a plan of a change is held to. Test units need no power and no room. What was launched holds its
    buckets, and whether it was worth a launch is settled; only the days are still to be asked about."""
    if change == "preview":
        return DELIVERY_CHECKS
    return (*DELIVERY_CHECKS, *schedule.CHECKS) if change == "resume" else CASE_CHECKS


def opening_checks_of(change: Change) -> tuple[Check, ...]:
    """The further checks of a plan that opens traffic. A resume starts on no planned day."""
    return {"launch": LAUNCH_CHECKS, "resume": (*schedule.LAUNCH_CHECKS, *delivery.LAUNCH_CHECKS)}.get(change, ())


def run_checks(case: Case, checks: tuple[Check, ...] = CASE_CHECKS) -> list[Finding]:
    """All findings of a case, worst first."""
    return findings_of(checks, case)
