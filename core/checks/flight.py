"""What is found about an experiment that was launched; none of it is asked of a draft."""

from __future__ import annotations

from collections.abc import Iterator

from ..wording import percent
from .engine import Case, Check, Fault


def lowered(before: float, after: float) -> Iterator[Fault]:
    """The fault of a ramp from one coverage to another."""
    if after < before:
        message = (
            f"Coverage falls from {percent(before)} to {percent(after)}: units leave that have met a variant, and what "
            "they saw stays with them."
        )
        yield Fault("/ramp", message, got=after)


def coverage_goes_up(case: Case) -> Iterator[Fault]:
    """A ramp lets more units in, not fewer.

    Who leaves has met a variant already: the data of these units end early, and when they come back they are not
    as they were (carry-over). To end harm, a pause takes everybody out at once.
    """
    if case.moved is not None:
        yield from lowered(*case.moved)


def failed(reason: str) -> Fault:
    """The fault of what is due and was tried in vain."""
    return Fault("/schedule", reason)


def what_was_due_is_done(case: Case) -> Iterator[Fault]:
    """What was due has been done. The reason says what stood in its way; it is tried again by itself."""
    yield from map(failed, case.late)


RAMP_LOWERED = Check("ramp.lowered", "warn", coverage_goes_up, curable=False)
DUE_DONE = Check("schedule.due_done", "warn", what_was_due_is_done, curable=False)
FLIGHT_CHECKS = (RAMP_LOWERED, DUE_DONE)
"""Found by the use cases about what runs, which need no catalogue; a case has what they look at for the documents."""
