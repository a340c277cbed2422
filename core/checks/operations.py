"""Operations: whether the surface can carry one more."""

from __future__ import annotations

from collections.abc import Iterator

from ..documents import nest
from .engine import Case, Check, Cure, Fault


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


CHECKS = (
    Check("unit.surface", "block", unit_is_the_surfaces),
    Check("surface.cap", "block_unless_overridden", surface_has_room),
)


def start_has_come(case: Case) -> Iterator[Fault]:
    """A launch opens traffic at once, so it waits for the planned start."""
    start = case.spec.schedule.start
    if start is not None and start > case.today:
        cure = Cure("start on launch", nest("/schedule/start", None))
        message = f"The experiment starts on {start}; plan the launch on that day."
        yield Fault("/schedule/start", message, got=start.isoformat(), cures=[cure])


LAUNCH_CHECKS = (Check("schedule.start_reached", "block", start_has_come),)
"""Asked only of a launch: a draft may well be planned for later."""
