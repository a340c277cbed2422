"""The ramp: how an experiment lets its units in, stage by stage."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from pydantic import JsonValue

from ..documents import JsonObject, pointer
from ..model.experiment import LONGEST_STAGE, Stage
from ..planning.slots import is_whole
from ..wording import percent
from .engine import Case, Check, Cure, Fault

MOST_STAGES = 8
USUAL_SHARES = (0.1, 0.5)
USUAL: list[JsonObject] = [{"coverage": share, "hours": 24} for share in USUAL_SHARES]
"""The ramp that is proposed where there is none."""


def coverages_grow(case: Case) -> Iterator[Fault]:
    """Each stage of a ramp lets in more of the allocation than the one before it, and all of them less than the whole.

    The stage that lets everybody in is not written down: it follows the last one. Weights stay as they are throughout,
    because results of stages with different splits mislead when they are added up (Simpson's paradox; Crook et al.
    2009, "Seven Pitfalls to Avoid when Running Controlled Experiments on the Web").
    """
    ramp = case.spec.ramp
    shares = [stage.coverage for stage in ramp]
    cures = [Cure(ramp_text(sound), {"ramp": list[JsonValue](sound)}) for sound in _in_order(ramp)]
    wrong = next((index for index, share in enumerate(shares) if not 0 < share < 1), None)
    if wrong is not None:
        at = pointer("ramp", wrong, "coverage")
        yield Fault(at, "A stage lets in a share above 0 and below 1.", got=shares[wrong], cures=cures)
    elif not all(before < after for before, after in pairwise(shares)):
        yield Fault("/ramp", "Each stage has to let in more than the one before it.", got=_shares(shares), cures=cures)
    elif len(ramp) > MOST_STAGES:
        yield Fault("/ramp", f"A ramp has {MOST_STAGES} stages at most.", got=len(ramp))


def _in_order(ramp: list[Stage]) -> Iterator[list[JsonObject]]:
    """The stages by their coverage, percentages read as such; nothing when too many are left."""
    read = {share: stage for stage in ramp if 0 < (share := _share(stage.coverage)) < 1}
    if len(read) <= MOST_STAGES:
        yield [
            {**stage.model_dump(mode="json", exclude_none=True), "coverage": share}
            for share, stage in sorted(read.items(), key=lambda each: each[0])
        ]


def _share(coverage: float) -> float:
    return coverage / 100 if 1 < coverage <= 100 else coverage


def ramp_text(ramp: list[JsonObject]) -> str:
    """What the stages do, as a cure tells it."""
    shares = [share for stage in ramp if isinstance(share := stage["coverage"], float | int)]
    return f"let in {', '.join(map(percent, shares))}, then everybody" if shares else "let everybody in at once"


def _shares(shares: list[float]) -> str:
    return ", ".join(f"{share:g}" for share in shares)


def stages_last(case: Case) -> Iterator[Fault]:
    """A stage lasts a number of hours or of days, or, with neither, until a person goes on."""
    for index, stage in enumerate(case.spec.ramp):
        at, hours = pointer("ramp", index), (stage.hours or 0) + 24 * (stage.days or 0)
        if stage.hours is not None and stage.days is not None:
            yield Fault(at, "A stage lasts hours or days, not both.", cures=_lasting(case, index, hours))
        elif (stage.hours, stage.days) != (None, None) and not 1 <= hours <= LONGEST_STAGE:
            message = f"A stage lasts an hour at least, and {LONGEST_STAGE // 24} days at most."
            yield Fault(at, message, got=hours, cures=_lasting(case, index, min(max(hours, 24), LONGEST_STAGE)))


def _lasting(case: Case, index: int, hours: int) -> list[Cure]:
    if not 1 <= hours <= LONGEST_STAGE:
        return []
    ramp = [stage.model_dump(mode="json", exclude_none=True) for stage in case.spec.ramp]
    ramp[index] = {"coverage": case.spec.ramp[index].coverage, "hours": hours}
    return [Cure(f"{hours} hours", {"ramp": list[JsonValue](ramp)})]


def ramp_leaves_a_run(case: Case) -> Iterator[Fault]:
    """The ramp ends while the run still has days: units are counted from the day on which everybody is let in."""
    hours = sum((stage.lasts.total_seconds() / 3600 for stage in case.spec.ramp if stage.lasts), 0.0)
    days = case.spec.design.days
    if hours >= 24 * days > 0:
        message = f"The stages take {hours / 24:g} days, and the run has {days}."
        yield Fault("/ramp", message, cures=[Cure("let everybody in at once", {"ramp": []})])


def a_risky_surface_has_a_ramp(case: Case) -> Iterator[Fault]:
    """On a surface whose policy says `risky`, a part of the units is let in first, and the rest when nothing broke.

    A fault that harms users or money is found at small coverage as surely, and costs less (Xu, Duan, Huang 2018, "SQR:
    Balancing Speed, Quality and Risk in Online Experiments").
    """
    if case.surface.policy.risky and not case.spec.ramp:
        usual = Cure(f"{ramp_text(USUAL)}, 24 hours each", {"ramp": list[JsonValue](USUAL)})
        can = all(is_whole(share, case.can.coverage_steps) for share in USUAL_SHARES)
        yield Fault(
            "/ramp",
            f"Changes on {case.spec.surface} are risky, and this lets everybody in at once.",
            cures=[usual] if can else [],
        )


CHECKS = (
    Check("ramp.coverage", "block", coverages_grow),
    Check("ramp.stages", "block", stages_last),
    Check("ramp.length", "block", ramp_leaves_a_run),
    Check("ramp.risky", "warn", a_risky_surface_has_a_ramp),
)
