"""The schedule: when the experiment starts, and which days it runs on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from ..documents import nest
from ..model.catalogue import Blackout, last_day
from ..planning.size import size
from .engine import Case, Check, Cure, Fault


def run_meets_no_blackout(case: Case) -> Iterator[Fault]:
    """No day of the run is in a blackout of the surface: days whose traffic is like no other's, or when nothing
    may move.

    The whole run is checked, from the planned start (or today) to its last day, and not the launch alone; of a run that
    has begun, what is left.
    """
    start, end = _run(case)
    blackout = case.surface.blackout_of(start, (end - start).days + 1)
    if blackout is not None:
        about = f"the blackout {blackout.start}..{blackout.end}: {blackout.why.rstrip('.')}."
        message = f"{start}..{end} meets {about}"
        yield Fault("/schedule", message, cures=_around(case, start, blackout), about=about)


def _run(case: Case) -> tuple[date, date]:
    """The first and the last day that the run still has; one that is past its end has today."""
    first = case.started or case.spec.schedule.start or case.today
    last = last_day(first, case.spec.design.days)
    return (max(first, case.today), max(last, case.today)) if case.started else (first, last)


def _around(case: Case, start: date, blackout: Blackout) -> list[Cure]:
    cures: list[Cure] = []
    weeks = (blackout.start - start).days // 7 * 7
    if weeks >= case.surface.policy.min_days and _is_enough(case, weeks):
        cures.append(Cure(f"{case.running(weeks)}, to end before it", nest("/design/days", weeks)))
    after = case.surface.clear_start(blackout.end + timedelta(days=1), case.spec.design.days)
    cures.append(Cure(_starting(case, after), nest("/schedule/start", after.isoformat())))
    return cures


def _is_enough(case: Case, days: int) -> bool:
    """Whether a run of so many days has the power that the planned one has."""
    if case.size is None or not case.size.sufficient:
        return True  # what it lacks is told of anyway
    design = case.spec.design.model_copy(update={"days": days})
    shorter = size(case.spec.model_copy(update={"design": design}), case.catalogue, case.audience, case.today)
    return shorter is not None and shorter.sufficient


def _starting(case: Case, day: date) -> str:
    planned = case.spec.schedule.start
    return f"start {day}" + (f" {case.instead_of('/schedule/start', str(planned))}" if planned else "")


def start_is_not_past(case: Case) -> Iterator[Fault]:
    """A planned start lies today or later, unless the experiment has started."""
    start = case.spec.schedule.start
    started = any(part.key == case.key for part in case.held)
    if start is not None and start < case.today and not started:
        cure = Cure("start on launch", nest("/schedule/start", None))
        yield Fault("/schedule/start", f"Today is {case.today}.", got=start.isoformat(), cures=[cure])


def start_has_come(case: Case) -> Iterator[Fault]:
    """A launch opens traffic at once, so it waits for the planned start."""
    start = case.spec.schedule.start
    if start is not None and start > case.today:
        cure = Cure("start on launch", nest("/schedule/start", None))
        message = f"The experiment starts on {start}; plan the launch on that day."
        yield Fault("/schedule/start", message, got=start.isoformat(), cures=[cure])


CHECKS = (
    Check("schedule.start_not_past", "block", start_is_not_past),
    Check("blackout.window", "block_unless_overridden", run_meets_no_blackout),
)
LAUNCH_CHECKS = (Check("schedule.start_reached", "block", start_has_come),)
"""Asked only of a launch: a draft may well be planned for later."""
