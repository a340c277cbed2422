"""Units: what is randomised can be told apart, stays itself, and does not act on other units."""

from __future__ import annotations

from collections.abc import Iterator

from .engine import Case, Check, Fault

LONGEST_UNIT = 100
"""Most characters of a unit's id that every delivery system takes (Confidence: a targeting key has at most 100)."""
NEARLY_ALL = 0.99
"""Share of contexts with the unit's id below which it is said that some are without."""


def unit_is_present(case: Case) -> Iterator[Fault]:
    """Nearly every context has the unit's id: without it nobody is assigned, and nothing is measured."""
    name = case.unit_attribute
    present = case.catalogue.attributes[name].present
    if present < NEARLY_ALL:
        message = f"{(1 - present) * 100:.3g} % of contexts lack {name}; they get the production values, unmeasured."
        yield Fault("/unit", message, got=case.spec.unit)


def unit_is_short(case: Case) -> Iterator[Fault]:
    """The unit's ids are no longer than delivery systems take: one that is cut off falls into another bucket."""
    name = case.unit_attribute
    longest = case.catalogue.attributes[name].longest
    if longest is not None and longest > LONGEST_UNIT:
        message = f"Values of {name} have up to {longest} characters; an id has at most {LONGEST_UNIT}."
        yield Fault("/unit", message, got=case.spec.unit)


def unit_stays_itself(case: Case) -> Iterator[Fault]:
    """The unit's id never changes during an experiment.

    Assignment needs no memory because the id alone decides: a person who gets a new id may get another variant.
    """
    name = case.unit_attribute
    if not case.catalogue.attributes[name].immutable:
        message = f"{name} is not declared immutable; whoever gets a new one may change the variant during the run."
        yield Fault("/unit", message, got=case.spec.unit)


def units_are_independent(case: Case) -> Iterator[Fault]:
    """What one unit gets does not act on another one.

    With a shared supply or between friends the control feels the treatment too, and the difference is no longer the
    effect (SUTVA; Kohavi, Tang, Xu: Trustworthy Online Controlled Experiments, chapter 22).
    """
    surface = case.surface
    if surface.interference:
        yield Fault("/surface", f"Units act on one another here: {surface.interference.rstrip('.')}.")
    for name in case.spec.touched:
        parameter = surface.parameters.get(name)
        if parameter is not None and parameter.interference:
            yield Fault("/variants", f"Through {name} units act on one another: {parameter.interference.rstrip('.')}.")


CHECKS = (
    Check("unit.length", "block", unit_is_short, curable=False),
    Check("unit.present", "warn", unit_is_present, curable=False),
    Check("unit.stable", "warn", unit_stays_itself, curable=False),
    Check("unit.independent", "warn", units_are_independent, curable=False),
)
