"""Coordination: who else meets the same units, now and lately, and whether there is room."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from ..documents import nest
from ..model.catalogue import last_day
from ..names import listed
from ..planning.buckets import BUCKETS, buckets_for, next_free, rested_buckets, resting_on
from ..planning.neighbours import neighbourhood_of
from ..ports.store import LiveGroup, Member, ReleasedRange
from ..wording import percent
from .engine import Case, Check, Cure, Fault

NAMED = 3
"""Most experiments that a message names."""


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


def buckets_have_rested(case: Case) -> Iterator[Fault]:
    """The units are not fresh from another experiment of the layer.

    What people have seen keeps acting on them for weeks (carry-over; Kohavi et al. 2012, "Trustworthy Online Controlled
    Experiments: Five Puzzling Outcomes Explained", section 3.5). Buckets that have rested are proposed first, so this
    is found only when they do not suffice.
    """
    if not 0 < case.spec.allocation <= 1 or case.holds:
        return
    rest = case.surface.policy.rest_days
    wanted = buckets_for(case.spec.allocation)
    resting = resting_on(case.released, case.start, rest)
    if case.can.allocates:
        yield from _may_come_again(case, resting)
        return
    fresh = rested_buckets(case.held, resting)
    if not resting or fresh >= wanted or wanted > case.free:
        return
    used = listed(dict.fromkeys(part.key for part in sorted(resting, key=lambda part: part.day, reverse=True)), NAMED)
    message = (
        f"Only {fresh / BUCKETS:g} of the layer {case.spec.layer} is free and has rested for {rest} days; "
        f"the rest was in {used} until then."
    )
    cures = [Cure(f"start {day}, rested", nest("/schedule/start", day.isoformat())) for day in _rested_on(case, wanted)]
    if fresh > 0:
        share = fresh / BUCKETS
        cures.append(Cure(f"enter {share:g}, all that has rested", nest("/allocation", share), relaxes=True))
    yield Fault("/allocation", message, got=case.spec.allocation, cures=cures)


def _may_come_again(case: Case, resting: Sequence[ReleasedRange]) -> Iterator[Fault]:
    """Of an assigner that gives out units itself nobody knows whose units come next."""
    if not resting:
        return
    used = listed(dict.fromkeys(part.key for part in sorted(resting, key=lambda part: part.day, reverse=True)), NAMED)
    rest = case.surface.policy.rest_days
    message = f"The assigner gives out units itself, so some may come from {used}, which ended under {rest} days ago."
    day = max(part.day for part in resting) + timedelta(days=rest)
    cures = [Cure(f"start {day}, rested", nest("/schedule/start", day.isoformat()))]
    yield Fault("/allocation", message, got=case.spec.allocation, cures=cures)


def _rested_on(case: Case, wanted: int) -> list[date]:
    """The first day on which that many buckets have rested, as a list of at most one."""
    rest = case.surface.policy.rest_days
    days = sorted({part.day + timedelta(days=rest) for part in case.released})
    later = (day for day in days if rested_buckets(case.held, resting_on(case.released, day, rest)) >= wanted)
    return [day for day in later if day > case.start][:1]


def surface_has_room(case: Case) -> Iterator[Fault]:
    """The surface carries no more live experiments than its owner allows."""
    if case.live_here >= case.surface.max_live:
        message = f"{case.live_here} experiments are live on {case.spec.surface}; its cap is {case.surface.max_live}."
        yield Fault("/surface", message, got=case.live_here)


def components_are_changed_once(case: Case) -> Iterator[Fault]:
    """No experiment outside the layer changes the same component for the same units at the same time.

    Two changes of one thing can undo or double each other, and neither experiment can tell (interaction; Kohavi, Tang,
    Xu: Trustworthy Online Controlled Experiments, chapter 4). Parameters of one component are best kept in one layer.
    """
    groups = case.meeting.interacting
    if not groups:
        return
    changed_by = neighbourhood_of(case.catalogue).components
    own = changed_by(case.spec.surface, case.spec.touched)
    shared = own & {name for group in groups for name in changed_by(group.surface, group.touched)}
    count = sum(group.count for group in groups)
    what = "1 experiment changes" if count == 1 else f"{count} experiments change"
    message = f"{what} the same {listed(sorted(shared), NAMED)} for units that this one meets: {_told(groups)}."
    yield Fault("/layer", message, cures=_after(case, groups))


def _told(groups: Sequence[LiveGroup]) -> str:
    """Some members with their owners, and how many more there are."""
    known = [(group.surface, member) for group in groups for member in group.members][:NAMED]
    more = sum(group.count for group in groups) - len(known)
    named = ", ".join(f"{member.key} on {surface} (owner {member.owner})" for surface, member in known)
    return f"{named} and {more} more" if more else named


def _after(case: Case, groups: Sequence[LiveGroup]) -> list[Cure]:
    """To start after the others, where all their ends are known and lie ahead."""
    members: list[Member] = [member for group in groups for member in group.members]
    ends = [member.until for member in members if member.until is not None and member.until >= case.today]
    if case.holds or len(ends) < sum(group.count for group in groups):
        return []
    day = max(ends) + timedelta(days=1)
    return [Cure(f"start {day}, after them", nest("/schedule/start", day.isoformat()))]


def neighbours_are_told(case: Case) -> Iterator[Fault]:
    """Experiments in other layers, here and on surfaces with the same unit, that meet the same units are told of.

    Their treatments can interact, though they change other things; most do not.
    """
    groups = case.meeting.others
    if groups:
        count = sum(group.count for group in groups)
        what = "1 experiment runs" if count == 1 else f"{count} experiments run"
        examples = listed((member.key for group in groups for member in group.members), NAMED)
        place = listed(sorted({group.surface for group in groups}), NAMED)
        yield Fault("/layer", f"{what} in other layers ({place}) and can meet the same units, such as {examples}.")


def holdouts_outlast_the_run(case: Case) -> Iterator[Fault]:
    """Whoever plans a run knows when a holdout ends inside it.

    The holdout's units stay out of this experiment to its end, while launches after the holdout's last day take them
    in: from then on the two reach different populations.
    """
    end = last_day(case.start, case.spec.design.days)
    for name, holdout in case.catalogue.holdouts_of(case.spec.surface, case.today).items():
        if case.start <= holdout.ends < end:
            message = f"The holdout {name} ends on {holdout.ends}, inside the run; its units stay out of this one."
            yield Fault("/design/days", message)


CHECKS = (
    Check("allocation.available", "block", allocation_is_available),
    Check("surface.cap", "block_unless_overridden", surface_has_room, curable=False),
    Check("allocation.rested", "warn", buckets_have_rested),
    Check("layer.interaction", "warn", components_are_changed_once),
    Check("layer.neighbours", "info", neighbours_are_told, curable=False),
    Check("holdouts.outlast", "info", holdouts_outlast_the_run, curable=False),
)
