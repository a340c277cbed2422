"""Eligibility: whom the experiment reaches."""

from __future__ import annotations

from collections.abc import Iterator

from .. import audience as audiences
from ..documents import nest
from ..names import listed
from .engine import Case, Check, Cure, Fault

SHARE_HINT = "0.2 means 20 % of the eligible units."


def _problems(case: Case, kind: str) -> Iterator[Fault]:
    for problem in case.parsed_audience[1]:
        if problem.kind == kind:
            cures = [Cure(f"use {problem.nearest[0]}", problem.patch)] if problem.patch and problem.nearest else []
            yield Fault(problem.at, problem.message, problem.got, problem.allowed, problem.nearest, cures)


def audience_attributes_are_known(case: Case) -> Iterator[Fault]:
    """The audience asks only for attributes that the product sends: any other matches nobody."""
    yield from _problems(case, "attribute")


def audience_values_are_known(case: Case) -> Iterator[Fault]:
    """The audience's values are of the attribute's type and occur: a misspelt country matches nobody."""
    yield from _problems(case, "value")


def audience_is_readable(case: Case) -> Iterator[Fault]:
    """Each condition has one of the forms that the server and every backend understand alike."""
    yield from _problems(case, "form")


def audience_is_satisfiable(case: Case) -> Iterator[Fault]:
    """Some unit can meet every condition: an empty audience runs for weeks and collects nothing."""
    name = audiences.unmeetable(case.audience, case.catalogue.attributes)
    if name is not None:
        message = f"No value of {name} meets this, so nobody is in the audience."
        raw = case.spec.audience.get(name)
        # It would reach everybody whom the condition was meant to keep out, which is never proposed first.
        cure = Cure(f"drop the condition on {name}", nest("/audience/" + name, None), relaxes=True)
        yield Fault(f"/audience/{name}", message, got=str(raw)[:100], cures=[cure])


def audience_values_are_familiar(case: Case) -> Iterator[Fault]:
    """The audience names values that have been seen: "UK" is no error where any text may come, and matches nobody.

    A value without a known share counts as nobody in the size.
    """
    for condition in case.audience:
        attribute = case.catalogue.attributes[condition.attribute]
        if attribute.type != "string" or not attribute.open or not attribute.shares:
            continue
        named = [str(value) for value in [*(condition.values or []), *condition.excluded]]
        strange = [value for value in named if value not in attribute.shares]
        if strange:
            message = "The catalogue has not seen this value; it is taken to match nobody."
            known = list(attribute.shares)
            yield Fault(f"/audience/{condition.attribute}", message, got=listed(strange, 4), allowed=known)


def audience_is_stable(case: Case) -> Iterator[Fault]:
    """The audience rests on attributes that the treatment cannot move.

    A unit that leaves the audience because of its variant is missing from one side only (survivorship; Fabijan et al.
    2019, "Diagnosing Sample Ratio Mismatch in Online Controlled Experiments").
    """
    moving = [
        condition.attribute
        for condition in case.audience
        if not case.catalogue.attributes[condition.attribute].immutable
        and case.catalogue.attributes[condition.attribute].type in ("integer", "number")
    ]
    if moving:
        message = f"{listed(moving)} can change during the run; a treatment that moves it skews the comparison."
        yield Fault(f"/audience/{moving[0]}", message)


def allocation_is_a_share(case: Case) -> Iterator[Fault]:
    """The allocation is above 0 and at most 1."""
    given = case.spec.allocation
    if 0 < given <= 1:
        return
    cures: list[Cure] = []
    if 1 < given <= 100:
        cures.append(Cure(f"read it as {given:g} %", nest("/allocation", round(given / 100, 4))))
    elif given > 100:
        cures.append(Cure("everybody", nest("/allocation", 1.0)))
    else:
        cures.append(Cure("the surface's usual allocation", nest("/allocation", case.surface.policy.allocation)))
    message = f"The allocation is a share above 0 and at most 1; {SHARE_HINT}"
    yield Fault("/allocation", message, got=given, cures=cures)


def unit_is_the_surfaces(case: Case) -> Iterator[Fault]:
    """The experiment randomises what the surface's layers hash: another unit would break their exclusion."""
    if case.spec.unit != case.surface.unit:
        cure = Cure(f"use {case.surface.unit}", nest("/unit", case.surface.unit))
        message = f"{case.spec.surface} randomises by {case.surface.unit}."
        yield Fault("/unit", message, got=case.spec.unit, allowed=[case.surface.unit], cures=[cure])


CHECKS = (
    Check("audience.attributes_known", "block", audience_attributes_are_known),
    Check("audience.values_known", "block", audience_values_are_known),
    Check("audience.readable", "block", audience_is_readable),
    Check("audience.satisfiable", "block", audience_is_satisfiable),
    Check("allocation.share", "block", allocation_is_a_share),
    Check("unit.surface", "block", unit_is_the_surfaces),
    Check("audience.values_familiar", "warn", audience_values_are_familiar),
    Check("audience.stable", "warn", audience_is_stable),
)
