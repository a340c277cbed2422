"""Memory: what was tried before is not tried again by accident."""

from __future__ import annotations

from collections.abc import Iterator

from ..documents import nest
from ..names import listed
from ..planning.memory import Precedent, repeats
from .engine import Case, Check, Cure, Fault


def hypothesis_is_new(case: Case) -> Iterator[Fault]:
    """No live or recent experiment has asked the same on the same surface.

    Its result is there, or will be sooner. An experiment that follows another one on purpose says so in `iterates`.
    """
    found = repeats(case.spec, case.catalogue, case.precedents)
    if not found:
        return
    nearest, precedent = found[0], found[0].precedent
    likeness = "sets the same values" if nearest.same_values else "has nearly the same hypothesis"
    rest = [each.precedent.key for each in found[1:]]
    more = f" So do {listed(rest, 2)}." if rest else ""
    varied = listed(precedent.spec.touched, 4)
    message = f"{precedent.key} {likeness}: it varies {varied} here and {_became(precedent)}.{more}"
    cure = Cure(f"say that it follows {precedent.key}", nest("/iterates", precedent.key))
    yield Fault("/hypothesis", message, cures=[cure])


def _became(precedent: Precedent) -> str:
    ran = "" if precedent.days is None else f" after {precedent.days} day{'' if precedent.days == 1 else 's'}"
    if precedent.ended is not None:
        return f"was stopped on {precedent.ended}{ran}"
    return f"is {precedent.state}{ran}"


CHECKS = (Check("hypothesis.new", "warn", hypothesis_is_new),)
