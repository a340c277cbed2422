"""Conditions on one attribute: which values meet them, and their negation, intersection and emptiness."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from ..model.catalogue import Attribute
from ..model.delivery import Condition, Scalar
from .values import Comparable, identities, identity, sort_key

_OPPOSITE = {"gte": "lt", "gt": "lte", "lte": "gt", "lt": "gte"}
BOUNDS = tuple(_OPPOSITE)


def meets(value: Scalar, condition: Condition) -> bool:
    """Whether a value satisfies a condition; a condition that asks for no value is met by none."""
    return next(meeting_values([value], condition), None) is not None


def meeting_values(values: Iterable[Scalar], condition: Condition) -> Iterator[Scalar]:
    """Those of the values that satisfy a condition, whose own values are looked through once for all of them."""
    if condition.missing:
        return
    kind = condition.type
    wanted = None if condition.values is None else identities(condition.values, kind)
    unwanted = identities(condition.excluded, kind)
    for value in values:
        same = identity(value, kind)
        if (wanted is None or same in wanted) and same not in unwanted and _within(value, condition):
            yield value


def _within(value: Scalar, condition: Condition) -> bool:
    kind = condition.type
    key = sort_key(value, kind) if _bounded(condition) else ()
    return (
        (condition.gte is None or key >= sort_key(condition.gte, kind))
        and (condition.gt is None or key > sort_key(condition.gt, kind))
        and (condition.lte is None or key <= sort_key(condition.lte, kind))
        and (condition.lt is None or key < sort_key(condition.lt, kind))
    )


def _bounded(condition: Condition) -> bool:
    return not (condition.gte is None and condition.gt is None and condition.lte is None and condition.lt is None)


def both(one: Condition, other: Condition) -> Condition:
    """The condition that holds where both do, in its shortest form: values alone, or bounds of which there is at most
    one a side; no values at all where nothing can meet both."""
    kind = one.type
    if one.missing or other.missing:
        nothing = Condition(attribute=one.attribute, type=kind, values=[])
        return one if one.missing and other.missing else nothing
    values = one.values if one.values is not None else other.values
    excluded = _distinct([*one.excluded, *other.excluded], kind) if one.excluded or other.excluded else []
    if one.values is not None and other.values is not None:
        shared = identities(other.values, kind)
        values = [value for value in one.values if identity(value, kind) in shared]
    low, low_open = _tightest(one, other, upper=False)
    high, high_open = _tightest(one, other, upper=True)
    whole = Condition(
        attribute=one.attribute,
        type=kind,
        values=values,
        excluded=excluded,
        gte=None if low_open else low,
        gt=low if low_open else None,
        lte=None if high_open else high,
        lt=high if high_open else None,
    )
    if values is None and kind == "boolean":
        values = [False, True]
    if values is None:
        return whole
    left = [*meeting_values(_distinct(values, kind), whole)]
    if kind == "boolean" and len(left) > 1:
        return Condition(attribute=one.attribute, type=kind)
    return Condition(attribute=one.attribute, type=kind, values=left)


def simplest(condition: Condition) -> Condition:
    plain = Condition(attribute=condition.attribute, type=condition.type)
    return condition if condition.missing else both(condition, plain)


def _distinct(values: Iterable[Scalar], kind: str) -> list[Scalar]:
    """Each value once, sorted: the same set has one form."""
    kept = {identity(value, kind): value for value in reversed([*values])}.values()
    return sorted(kept, key=str if kind in ("string", "boolean") else lambda value: sort_key(value, kind))


def _tightest(one: Condition, other: Condition, *, upper: bool) -> tuple[Scalar | None, bool]:
    """(the bound that lets fewest in, whether it is open)."""
    closed, opened = ("lte", "lt") if upper else ("gte", "gt")
    found: list[tuple[Comparable, bool, Scalar]] = []
    for condition in (one, other):
        for name in (closed, opened):
            bound: Scalar | None = getattr(condition, name)
            if bound is not None:
                found.append((sort_key(bound, condition.type), (name == opened) != upper, bound))
    if not found:
        return None, False
    key = (min if upper else max)(found, key=lambda each: each[:2])
    return key[2], key[1] != upper


def opposite(condition: Condition) -> Iterator[Condition]:
    """Conditions of which one holds exactly where this does not, among the units that have the attribute (those that
    lack it, for `missing`, and the other way round)."""
    plain = Condition(attribute=condition.attribute, type=condition.type)
    if condition.missing:
        yield plain
    elif condition == plain:
        yield plain.model_copy(update={"missing": True})
    if condition.values is not None:
        yield plain.model_copy(update={"excluded": condition.values})
    if condition.excluded:
        yield plain.model_copy(update={"values": condition.excluded})
    for name, other in _OPPOSITE.items():
        bound = getattr(condition, name)
        if bound is not None:
            yield plain.model_copy(update={other: bound})


def implies(one: Condition, other: Condition, attribute: Attribute) -> bool:
    """Whether every unit that meets one condition meets the other on the same attribute."""
    if one.missing or other.missing:
        return one.missing and other.missing
    if one.values is not None:
        return len([*meeting_values(one.values, other)]) == len(one.values)
    witness = one.gte if one.gte is not None else one.lte
    if witness is not None and meets(witness, one) and not meets(witness, other):
        return False  # found without a look at every opposite, as most often
    against = [each for each in opposite(other) if not each.missing]
    return all(not possible(both(one, each), attribute) for each in against)


def possible(condition: Condition, attribute: Attribute) -> bool:
    """Whether some unit can meet the condition."""
    if condition.missing:
        return True
    finite = condition.values
    if finite is None and attribute.type == "boolean":
        finite = [True, False]
    if finite is None and attribute.type == "string" and attribute.shares and not attribute.open:
        finite = list(attribute.shares)
    if finite is not None:
        return next(meeting_values(finite, condition), None) is not None
    return condition.type in ("string", "boolean") or _interval_possible(condition)


def _interval_possible(condition: Condition) -> bool:
    kind = condition.type
    low = condition.gte if condition.gte is not None else condition.gt
    high = condition.lte if condition.lte is not None else condition.lt
    if low is None or high is None:
        return True
    if kind in ("integer", "date"):
        first, last = _step(low, kind, condition.gt is not None), _step(high, kind, False) - (condition.lt is not None)
        excluded = {_step(value, kind, False) for value in condition.excluded}
        # At most as many whole numbers as are excluded need a look: one more is always free.
        return any(number not in excluded for number in range(first, min(last, first + len(excluded)) + 1))
    if sort_key(low, kind) == sort_key(high, kind):
        open_end = condition.gt is not None or condition.lt is not None
        return not open_end and identity(low, kind) not in identities(condition.excluded, kind)
    return sort_key(low, kind) < sort_key(high, kind)


def _step(value: Scalar, kind: str, above: bool) -> int:
    """The value as a whole number of steps (days of a date), or the one above it."""
    return (date.fromisoformat(str(value)).toordinal() if kind == "date" else int(value)) + above
