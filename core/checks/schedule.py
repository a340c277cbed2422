"""The schedule: when the experiment starts, and which days it runs on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from ..documents import nest
from ..model.catalogue import Blackout, last_day
from ..names import listed
from ..planning.agenda import unasked
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
    last = max(last_day(first, case.spec.design.days), case.spec.schedule.end or first)
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
    if start is not None and start < case.today and not case.holds:
        cure = Cure("start on launch", nest("/schedule/start", None))
        yield Fault("/schedule/start", f"Today is {case.today}.", got=start.isoformat(), cures=[cure])


def end_is_after_the_run(case: Case) -> Iterator[Fault]:
    """A planned end leaves the run all of its days: one that is cut short has fewer units than it was sized for."""
    end, last = case.spec.schedule.end, last_day(case.started or case.start, case.spec.design.days)
    if end is not None and end < last:
        cures = [
            Cure(f"end {last}, {case.spec.design.days} days after the start", nest("/schedule/end", last.isoformat())),
            Cure("run until somebody stops it", nest("/schedule/end", None)),
        ]
        message = f"It stops on {end}, and {case.spec.design.days} days from its start end on {last}."
        yield Fault("/schedule/end", message, got=end.isoformat(), cures=cures)


def somebody_sweeps(case: Case) -> Iterator[Fault]:
    """Where a ramp, a start or an end comes unasked, a process shows life that carries it out.

    `crossfade serve` does so all the time, and `crossfade tick` each time cron calls it. Without either, units stay at
    the first stage, or in a run that should have ended, until somebody notices. The process has to have been seen
    within twice the time that it leaves between two signs of life.
    """
    needed = unasked(case.spec, case.stage, case.today)
    if needed and not case.swept:
        yield unswept(needed)


def unswept(needed: Sequence[str]) -> Fault:
    message = f"No process shows life that would carry out {listed(needed, 3)}."
    return Fault("/schedule", message)


CHECKS = (
    # schedule.start_reached is retired: a launch that is planned early waits for its day.
    Check("schedule.start_not_past", "block", start_is_not_past),
    Check("schedule.end", "block_unless_overridden", end_is_after_the_run),
    Check("blackout.window", "block_unless_overridden", run_meets_no_blackout),
)
SWEEPER_LIVE = Check("schedule.sweeper_live", "block_unless_overridden", somebody_sweeps, curable=False)
LAUNCH_CHECKS = (SWEEPER_LIVE,)
"""Asked only of a plan that lets units in."""
