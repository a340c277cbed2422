"""The audience: whether it can be read, has members, may be met, and stays the same throughout."""

from __future__ import annotations

from collections.abc import Iterator

from .. import audience as audiences
from ..audience.conditions import BOUNDS
from ..documents import JsonObject, patch_to, pointer
from ..model.delivery import Condition
from ..names import listed
from .engine import Case, Check, Cure, Fault

COMMON = 0.8
"""Share of units that carry an attribute, below which an audience that asks for it says more than it seems to."""


def _problems(case: Case, kind: str) -> Iterator[Fault]:
    for problem in case.parsed_audience[1]:
        if problem.kind == kind:
            effect = (
                f"use {problem.nearest[0]}"
                if problem.nearest
                else "leave it out"
                if problem.got == {}
                else "read it as it was meant"
            )
            if problem.takes_all:
                effect = f"use all of these: {', '.join(problem.nearest)}"
            cures = [Cure(effect, problem.patch)] if problem.patch else []
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
    if case.parsed_audience[1] or not audiences.unmeetable(case.audience):
        return
    raw = audiences.as_json(case.spec.audience, case.catalogue.attributes)
    for name in (name for name in raw if name in case.catalogue.attributes):
        rest: JsonObject = {other: wanted for other, wanted in raw.items() if other != name}
        if audiences.parse(rest, case.catalogue.attributes)[0]:
            # It would reach everybody whom the condition was meant to keep out, which is never proposed first.
            dropped = Cure(f"drop the condition on {name}", _becomes(case, rest), relaxes=True)
            message = f"No unit can meet this condition on {name}, so nobody is in the audience."
            cures = [*_meant_bounds(case, name, raw), dropped]
            yield Fault(_at(case, name), message, got=str(raw[name])[:100], cures=cures)
            return
    yield Fault("/audience", "The conditions exclude each other, so nobody is in the audience.")


def _meant_bounds(case: Case, name: str, raw: JsonObject) -> list[Cure]:
    """Two bounds the other way round, or with a sign too many, where just one of these readings leaves each bound
    something to keep out: a count below 0 keeps nobody in, one from 0 keeps nobody out."""
    bounds = raw[name]
    if not isinstance(bounds, dict) or len(bounds) != 2 or not bounds.keys() <= set(BOUNDS):
        return []
    (one, low), (other, high) = bounds.items()
    readings: list[JsonObject] = [{one: high, other: low}]
    for operator, bound in bounds.items():
        if isinstance(bound, int | float) and bound < 0:
            readings.append({**bounds, operator: -bound})
    sound = [reading for reading in readings if _keeps_some_out(case, {**raw, name: reading}, name)]
    shown = [", ".join(f"{operator} {bound}" for operator, bound in reading.items()) for reading in sound]
    return [Cure(f"ask for {name} {shown[0]}", _becomes(case, {**raw, name: sound[0]}))] if len(sound) == 1 else []


def _keeps_some_out(case: Case, raw: JsonObject, name: str) -> bool:
    """Whether some units can be in, and each bound on an attribute, alone, keeps some in and some out."""
    attributes, bounds = case.catalogue.attributes, raw[name]
    if not audiences.parse(raw, attributes)[0] or not isinstance(bounds, dict):
        return False
    for operator, bound in bounds.items():
        alone = audiences.share(audiences.parse({name: {operator: bound}}, attributes)[0], attributes)[0]
        if not 0 < alone < attributes[name].present:
            return False
    return True


def audience_alternatives_have_members(case: Case) -> Iterator[Fault]:
    """Each alternative of an `any` can have members: one that nobody can meet is a slip, hidden by the others."""
    raw = {} if case.parsed_audience[1] else audiences.as_json(case.spec.audience, case.catalogue.attributes)
    listed_parts = raw.get("any")
    if not case.audience or not isinstance(listed_parts, list):
        return
    for index, part in enumerate(listed_parts):
        if isinstance(part, dict) and not audiences.parse(part, case.catalogue.attributes)[0]:
            at = pointer("audience", "any", index) if isinstance(case.spec.audience, dict) else "/audience"
            yield Fault(at, "Nobody can meet this alternative.", got=str(part)[:100])


def audience_is_allowed(case: Case) -> Iterator[Fault]:
    """Nobody is reached whom the surface keeps out of every experiment: minors, a market whose law forbids it."""
    for index, restriction in enumerate(case.surface.restricted):
        kept_out, _ = audiences.parse(restriction.audience, case.catalogue.attributes)
        if audiences.overlap(case.audience, kept_out, case.catalogue.attributes):
            text = audiences.described(kept_out, 3)
            outside: JsonObject = {"not": audiences.as_json(restriction.audience, case.catalogue.attributes)}
            message = f"It reaches units of {text}, who may be in no experiment here: {restriction.why.rstrip('.')}."
            cure = Cure(f"keep out {text}", narrowed(case, outside))
            yield Fault("/audience", message, got=index, cures=[cure])


def audience_supports_the_parameters(case: Case) -> Iterator[Fault]:
    """Every unit reached can show what varies: a client that is too old shows production values in each variant, which
    dilutes the effect and hides it."""
    for name in case.spec.touched:
        parameter = case.surface.parameters.get(name)
        if parameter is None or parameter.requires is None or case.parsed_audience[1]:
            continue
        needed, _ = audiences.parse(parameter.requires, case.catalogue.attributes)
        if not audiences.contains(needed, case.audience, case.catalogue.attributes):
            text = audiences.described(needed, 3)
            cure = Cure(
                f"ask for {text}", narrowed(case, audiences.as_json(parameter.requires, case.catalogue.attributes))
            )
            message = f"Only units with {text} can show {name}."
            yield Fault("/audience", message, got=audiences.described(case.audience, 3), cures=[cure])


def narrowed(case: Case, more: JsonObject) -> JsonObject:
    """The patch that makes an audience also ask for more: beside what it has where the names differ, else in `all`."""
    raw = audiences.as_json(case.spec.audience, case.catalogue.attributes)
    joined: JsonObject = {"all": [raw, more]} if raw.keys() & more.keys() else {**raw, **more}
    return _becomes(case, joined)


def _becomes(case: Case, audience: JsonObject) -> JsonObject:
    raw = case.spec.audience
    whole: JsonObject = {"audience": audience}
    return whole if isinstance(raw, str) else patch_to({"audience": raw}, whole)


def _at(case: Case, name: str) -> str:
    return "/audience" if isinstance(case.spec.audience, str) else pointer("audience", name)


def _conditions(case: Case) -> dict[str, Condition]:
    """One condition for each attribute that is asked for."""
    return {condition.attribute: condition for alternative in case.audience for condition in alternative}


def audience_values_are_familiar(case: Case) -> Iterator[Fault]:
    """The audience names values that have been seen: "UK" is no error where any text may come, and matches nobody.

    A value without a known share counts as nobody in the size.
    """
    for condition in (condition for alternative in case.audience for condition in alternative):
        attribute = case.catalogue.attributes[condition.attribute]
        if attribute.type != "string" or not attribute.open or not attribute.shares:
            continue
        named = [str(value) for value in [*(condition.values or []), *condition.excluded]]
        strange = [value for value in named if value not in attribute.shares]
        if strange:
            message = "The catalogue has not seen this value; it is taken to match nobody."
            known = list(attribute.shares)
            yield Fault(_at(case, condition.attribute), message, got=listed(strange, 4), allowed=known)


def audience_is_stable(case: Case) -> Iterator[Fault]:
    """The audience rests on attributes that the treatment cannot move.

    A unit that leaves the audience because of its variant is missing from one side only (survivorship; Fabijan et al.
    2019, "Diagnosing Sample Ratio Mismatch in Online Controlled Experiments").
    """
    moving = [
        name
        for name in _conditions(case)
        if not case.catalogue.attributes[name].immutable
        and case.catalogue.attributes[name].type in ("integer", "number")
    ]
    if moving:
        message = (
            f"{listed(moving)} can change during the run: whoever it moves out of the audience gets the values in "
            "production from then on, and a treatment that moves it skews the comparison. Better an attribute that is "
            "fixed at the start."
        )
        yield Fault(_at(case, moving[0]), message)


def audience_attributes_are_common(case: Case) -> Iterator[Fault]:
    """Most units carry the attributes that are asked for: who lacks one is never in, which is easily overlooked."""
    lacking = {each.attribute for alternative in case.audience for each in alternative if each.missing}
    for name in audiences.asked_for(case.audience):
        present = case.catalogue.attributes[name].present
        if present < COMMON and name not in lacking:
            message = f"Only {present:.0%} of the units carry {name}; the others are not in, whatever is asked of it."
            yield Fault(_at(case, name), message)


def audience_share_is_known(case: Case) -> Iterator[Fault]:
    """The catalogue knows how the attributes are distributed; otherwise the size counts everybody who has them.

    Of more alternatives than can be counted, it counts those that reach most units: more are in than it says.
    """
    _, unknown = audiences.share(case.audience, case.catalogue.attributes)
    if unknown:
        yield Fault("/audience", f"The size takes {listed(unknown)} as met by everybody who has it.")
    if not audiences.is_counted_in_full(case.audience, case.catalogue.attributes):
        yield Fault("/audience", "It has too many alternatives to count; the size counts those that reach most units.")


CHECKS = (
    Check("audience.attributes_known", "block", audience_attributes_are_known),
    Check("audience.values_known", "block", audience_values_are_known),
    Check("audience.readable", "block", audience_is_readable),
    Check("audience.satisfiable", "block", audience_is_satisfiable),
    Check("audience.allowed", "block", audience_is_allowed),
    Check("audience.client_supported", "block", audience_supports_the_parameters),
    Check("audience.alternatives", "warn", audience_alternatives_have_members, curable=False),
    Check("audience.values_familiar", "warn", audience_values_are_familiar, curable=False),
    Check("audience.stable", "warn", audience_is_stable, curable=False),
    Check("audience.attributes_common", "warn", audience_attributes_are_common, curable=False),
    Check("audience.share_known", "info", audience_share_is_known, curable=False),
)
