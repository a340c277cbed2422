"""Audiences: read them, decide about them, and say how many units they reach.

An audience is a map of attributes, all of which must hold. A unit that lacks an attribute never matches a condition
on it; the adapters write that guard out, because the SDKs differ when it is left to them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, pairwise
from typing import Literal, TypeGuard

from pydantic import JsonValue

from .documents import JsonObject, nest, pointer
from .model.catalogue import Attribute
from .model.delivery import Condition, Scalar
from .names import fold, meant, nearest, same_name, spelled

Comparable = tuple[float | str, ...]
"""A number alone, or the parts of a version in the order in which they decide."""
BOUNDS = ("gte", "gt", "lte", "lt")
FORMS = ["value", "[value, ...]", '{"in": [...]}', '{"not": [...]}', '{"gte": ..., "lt": ...} (also gt, lte)']
_SEMVER = re.compile(
    r"v?([0-9]{1,18})(?:\.([0-9]{1,18}))?(?:\.([0-9]{1,18}))?"
    r"(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z.-]+)?"
)
"""Lenient where the SDKs are: a leading `v` and build metadata do not count, and missing numbers are 0."""


@dataclass(frozen=True)
class Problem:
    """Why a part of an audience cannot be read; `patch` cures it where the meaning is plain.

    `patch` sets the first of `nearest`, with `takes_all` all of them.
    """

    kind: Literal["attribute", "value", "form"]
    at: str
    message: str
    got: JsonValue = None
    allowed: list[str] = field(default_factory=list[str])
    nearest: list[str] = field(default_factory=list[str])
    patch: JsonObject | None = None
    takes_all: bool = False


def parse(raw: Mapping[str, JsonValue], attributes: Mapping[str, Attribute]) -> tuple[list[Condition], list[Problem]]:
    """The conditions of an audience, by attribute name, and everything that is wrong with it."""
    conditions: list[Condition] = []
    problems: list[Problem] = []
    for name, wanted in sorted(raw.items()):
        attribute = attributes.get(name)
        if attribute is None:
            problems.append(_unknown_attribute(name, wanted, attributes))
            continue
        condition, faults = _condition(name, wanted, attribute)
        problems += faults
        if condition is not None and not faults:
            conditions.append(condition)
    return conditions, problems


def _unknown_attribute(name: str, wanted: JsonValue, attributes: Mapping[str, Attribute]) -> Problem:
    close = nearest(name, attributes)
    likely = meant(name, attributes)
    close = [likely, *(each for each in close if each != likely)] if likely else close
    patch = nest(pointer("audience", likely), wanted) if likely else None
    if patch is not None:
        audience = patch["audience"]
        assert isinstance(audience, dict)
        audience[name] = None
    return Problem(
        "attribute",
        pointer("audience", name),
        "The catalogue has no such attribute.",
        got=name,
        allowed=sorted(attributes),
        nearest=close,
        patch=patch,
    )


def _condition(name: str, wanted: JsonValue, attribute: Attribute) -> tuple[Condition | None, list[Problem]]:
    at = pointer("audience", name)
    if isinstance(wanted, dict):
        return _from_operators(name, wanted, attribute)
    values: list[JsonValue] = wanted if isinstance(wanted, list) else [wanted]
    faults = list(_value_faults(values, attribute, at, isinstance(wanted, list)))
    if not values:
        faults.append(Problem("form", at, "An empty list matches nobody; name at least one value.", got=[]))
    return _make(name, attribute, values=_scalars(values)), faults


def _from_operators(
    name: str, wanted: Mapping[str, JsonValue], attribute: Attribute
) -> tuple[Condition | None, list[Problem]]:
    at = pointer("audience", name)
    faults: list[Problem] = []
    parts: dict[str, list[Scalar] | Scalar] = {}
    for operator, operand in wanted.items():
        here = at + pointer(operator)
        if operator in ("in", "not"):
            values: list[JsonValue] = operand if isinstance(operand, list) else [operand]
            faults += _value_faults(values, attribute, here, isinstance(operand, list))
            parts["values" if operator == "in" else "excluded"] = _scalars(values)
        elif operator in BOUNDS:
            faults += _bound_faults(operand, attribute, here)
            if _is_scalar(operand):
                parts[operator] = operand
        else:
            allowed = ["in", "not", *BOUNDS]
            message = "No such comparison."
            close = nearest(operator, allowed)
            faults.append(Problem("form", here, message, got=operator, allowed=allowed, nearest=close))
    if not wanted:
        faults.append(Problem("form", at, "An empty comparison says nothing.", got={}, allowed=FORMS))
    return (None, faults) if faults else (_make(name, attribute, **parts), faults)


def _make(name: str, attribute: Attribute, **parts: list[Scalar] | Scalar) -> Condition:
    return Condition.model_validate({"attribute": name, "type": attribute.type, **parts})


def _is_scalar(value: JsonValue) -> TypeGuard[Scalar]:
    return isinstance(value, str | int | float | bool)


def _scalars(values: list[JsonValue]) -> list[Scalar]:
    return [value for value in values if _is_scalar(value)]


def _never_occurs(value: str, attribute: Attribute) -> bool:
    """Whether no unit has this value: unknown to a closed attribute, or another spelling of a known one ("se")."""
    if not attribute.shares or value in attribute.shares:
        return False
    return not attribute.open or same_name(value, attribute.shares) is not None


def _value_faults(values: list[JsonValue], attribute: Attribute, at: str, indexed: bool) -> Iterator[Problem]:
    near = {
        value: _near(value, attribute)
        for value in values
        if isinstance(value, str) and attribute.type == "string" and _never_occurs(value, attribute)
    }
    likeliest = {value: meant(value, attribute.shares) for value in near}
    # One patch for all values: patches of a list replace it, so each would take back what the others mended.
    corrected: list[JsonValue] = [
        likely if isinstance(value, str) and (likely := likeliest.get(value)) else value for value in values
    ]
    for index, value in enumerate(values):
        here = at + pointer(index) if indexed else at
        if not fits_type(value, attribute.type):
            yield Problem("value", here, f"The attribute holds {_a(attribute.type)}.", got=value)
        elif isinstance(value, str) and value in near:
            patch = nest(at, corrected if indexed else corrected[0]) if likeliest[value] else None
            allowed, close = list(attribute.shares), near[value]
            family = [] if indexed or patch else _beginning_with(value, attribute)
            if family:  # all of them, so that no machine chooses one
                close, patch = family, nest(at, list[JsonValue](family))
            message = "The attribute never has this value."
            yield Problem("value", here, message, value, allowed, close, patch, takes_all=bool(family))


def _beginning_with(value: str, attribute: Attribute) -> list[str]:
    family = [each for each in attribute.shares if fold(each).startswith(f"{fold(value)}-")]
    return family if len(family) > 1 else []


def _near(value: str, attribute: Attribute) -> list[str]:
    same = spelled(value, attribute.shares)
    return [same] if same else nearest(value, attribute.shares)


def _bound_faults(value: JsonValue, attribute: Attribute, at: str) -> Iterator[Problem]:
    if attribute.type not in ("integer", "number", "semver"):
        message = f"The attribute holds {_a(attribute.type)}, which has no order; list its values."
        yield Problem("form", at, message, got=value, allowed=list(attribute.shares))
    elif not fits_type(value, attribute.type):
        yield Problem("value", at, f"The attribute holds {_a(attribute.type)}.", got=value)


def _a(kind: str) -> str:
    names = {"semver": 'a version such as "8.9.0"', "string": "text", "boolean": "true or false", "number": "a number"}
    return names.get(kind, "a whole number")


def type_in_words(kind: str) -> str:
    """What an attribute of a type holds."""
    return _a(kind)


def fits_type(value: JsonValue, kind: str) -> bool:
    """Whether a value is one that an attribute of this type can have."""
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "string":
        return isinstance(value, str) and value != ""
    if kind == "semver":
        return isinstance(value, str) and _SEMVER.fullmatch(value) is not None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return isinstance(value, int) or (math.isfinite(value) and (kind == "number" or value.is_integer()))


def sort_key(value: Scalar, kind: str) -> Comparable:
    """The value as something that compares as its type does; versions by Semantic Versioning's precedence (11)."""
    if kind != "semver":
        return (_number(value),)
    found = _SEMVER.fullmatch(str(value))
    if found is None:
        return (0, 0, 0, 0)
    major, minor, patch, label = found.groups()
    numbers = (int(major), int(minor or 0), int(patch or 0))
    if label is None:
        return (*numbers, 1)
    identifiers: list[Comparable] = [(0, int(part)) if part.isdecimal() else (1, part) for part in label.split(".")]
    return (*numbers, 0, *chain.from_iterable(identifiers))


def _number(value: Scalar) -> float:
    """The number that the value is; whole ones stay exact, however large."""
    return value if isinstance(value, int) else float(value)


def meets(value: Scalar, condition: Condition) -> bool:
    """Whether one value satisfies a condition."""
    if condition.values is not None and not _among(value, condition.values, condition.type):
        return False
    return not _among(value, condition.excluded, condition.type) and _within(value, condition)


def _among(value: Scalar, values: list[Scalar], kind: str) -> bool:
    if kind == "semver":
        return any(sort_key(value, kind) == sort_key(each, kind) for each in values)
    return value in values


def _within(value: Scalar, condition: Condition) -> bool:
    kind = condition.type
    return (
        (condition.gte is None or sort_key(value, kind) >= sort_key(condition.gte, kind))
        and (condition.gt is None or sort_key(value, kind) > sort_key(condition.gt, kind))
        and (condition.lte is None or sort_key(value, kind) <= sort_key(condition.lte, kind))
        and (condition.lt is None or sort_key(value, kind) < sort_key(condition.lt, kind))
    )


def kept_out_by(conditions: list[Condition], context: Mapping[str, JsonValue]) -> str | None:
    """The attribute that keeps a unit out of the audience, or None when it is in."""
    for condition in conditions:
        value = context.get(condition.attribute)
        if not _is_scalar(value) or not fits_type(value, condition.type) or not meets(value, condition):
            return condition.attribute
    return None


def unmeetable(conditions: list[Condition], attributes: Mapping[str, Attribute]) -> str | None:
    """The attribute whose condition no value can meet, or None when the audience can have members."""
    for condition in conditions:
        if not _possible([condition], attributes[condition.attribute]):
            return condition.attribute
    return None


def overlap(one: list[Condition], other: list[Condition], attributes: Mapping[str, Attribute]) -> bool:
    """Whether a unit can be in both audiences. An attribute that left the catalogue counts as overlapping."""
    together: dict[str, list[Condition]] = {}
    for condition in (*one, *other):
        together.setdefault(condition.attribute, []).append(condition)
    return all(
        name not in attributes or _possible(conditions, attributes[name]) for name, conditions in together.items()
    )


def _possible(conditions: list[Condition], attribute: Attribute) -> bool:
    """Whether one value can meet all the conditions on its attribute."""
    finite = next((condition.values for condition in conditions if condition.values is not None), None)
    if finite is None and attribute.type == "boolean":
        finite = [True, False]
    if finite is None and attribute.type == "string" and attribute.shares and not attribute.open:
        finite = list(attribute.shares)
    if finite is not None:
        return any(all(meets(value, condition) for condition in conditions) for value in finite)
    return _interval_possible(conditions, attribute.type)


def _interval_possible(conditions: list[Condition], kind: str) -> bool:
    if kind == "string":
        return True  # an open text attribute always has another value
    lows = [(sort_key(c.gte, kind), False) for c in conditions if c.gte is not None]
    lows += [(sort_key(c.gt, kind), True) for c in conditions if c.gt is not None]
    highs = [(sort_key(c.lte, kind), False) for c in conditions if c.lte is not None]
    highs += [(sort_key(c.lt, kind), True) for c in conditions if c.lt is not None]
    if not lows or not highs:
        return True
    low, low_open = max(lows)
    high, high_open = min(highs, key=lambda bound: (bound[0], not bound[1]))
    if kind == "integer":
        first, last = int(low[0]) + low_open, int(high[0]) - high_open
        excluded = {int(value) for condition in conditions for value in condition.excluded}
        # At most as many whole numbers as are excluded need a look: one more is always free.
        return any(number not in excluded for number in range(first, min(last, first + len(excluded)) + 1))
    if low == high:
        excluded_points = {sort_key(value, kind) for condition in conditions for value in condition.excluded}
        return not (low_open or high_open) and low not in excluded_points
    return low < high


def share(conditions: list[Condition], attributes: Mapping[str, Attribute]) -> tuple[float, list[str]]:
    """(share of units in the audience, attributes whose distribution is not known and counted as everybody who has
    one).

    Attributes are taken as independent: an estimate for sizing, not a measurement.
    """
    product = 1.0
    unknown: list[str] = []
    for condition in conditions:
        attribute = attributes[condition.attribute]
        part = _share_of(condition, attribute)
        if part is None:
            unknown.append(condition.attribute)
        product *= attribute.present * (1.0 if part is None else part)
    return product, unknown


def _share_of(condition: Condition, attribute: Attribute) -> float | None:
    """Share of the units that carry the attribute, or None when its distribution is not known."""
    if attribute.shares:
        typed = [(_typed(text, attribute.type), part) for text, part in attribute.shares.items()]
        return sum(part for value, part in typed if meets(value, condition)) + _unlisted(condition, attribute)
    if attribute.quantiles and condition.values is None:
        # Quantiles are shares below a value: of whole numbers, "at most 6" is "below 7".
        step = 1 if attribute.type == "integer" else 0
        lows = [
            _number(bound) + more for bound, more in ((condition.gte, 0), (condition.gt, step)) if bound is not None
        ]
        highs = [
            _number(bound) + more for bound, more in ((condition.lte, step), (condition.lt, 0)) if bound is not None
        ]
        above = _below(min(highs), attribute.quantiles) if highs else 1.0
        under = _below(max(lows), attribute.quantiles) if lows else 0.0
        return max(0.0, above - under)
    return None


def _unlisted(condition: Condition, attribute: Attribute) -> float:
    """Share of the values that an open attribute has besides the listed ones, where the condition lets them in: at most
    that many units have a value that the catalogue does not list."""
    if attribute.open and condition.values is not None:
        listed = [_typed(text, attribute.type) for text in attribute.shares]
        one_by_one = [condition.model_copy(update={"values": [value]}) for value in condition.values]
        unlisted = any(not any(meets(value, single) for value in listed) for single in one_by_one)
        return max(0.0, 1 - sum(attribute.shares.values())) if unlisted else 0.0
    bounded = any(bound is not None for bound in (condition.gte, condition.gt, condition.lte, condition.lt))
    if not attribute.open or condition.values is not None or bounded:
        return 0.0
    return max(0.0, 1 - sum(attribute.shares.values()))


def _typed(text: str, kind: str) -> Scalar:
    if kind == "boolean":
        return text == "true"
    return float(text) if kind in ("integer", "number") else text


def _below(value: float, quantiles: Mapping[float, float]) -> float:
    """Share of units below a value: linear between the catalogue's points, 0 before the first, 1 after the last."""
    points = sorted(quantiles.items())
    if value <= points[0][0]:
        return 0.0 if value < points[0][0] else points[0][1]
    for (left, left_share), (right, right_share) in pairwise(points):
        if value <= right:
            return left_share + (right_share - left_share) * (value - left) / (right - left)
    return 1.0


def described(conditions: list[Condition]) -> str:
    """The conditions as a person says them: "colour red or blue, size >= 3 and < 9"; "everybody" without any."""
    return ", ".join(f"{condition.attribute} {_wanted(condition)}" for condition in conditions) or "everybody"


def _wanted(condition: Condition) -> str:
    parts: list[str] = []
    if condition.values is not None:
        parts.append(" or ".join(map(_said, condition.values)))
    if condition.excluded:
        parts.append("not " + " or ".join(map(_said, condition.excluded)))
    bounds = ((">=", condition.gte), (">", condition.gt), ("<=", condition.lte), ("<", condition.lt))
    parts += [f"{sign} {_said(bound)}" for sign, bound in bounds if bound is not None]
    return " and ".join(parts)


def _said(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
