"""An audience as targeting of a segment.

To the resolver an attribute that is missing is the text "null", a number compared with texts is its text, and a text
compared with numbers or booleans is read as one (or fails the whole call), so each condition asks for the type first.
`and` ends at the first operand that does not hold.
"""

from __future__ import annotations

from itertools import chain

from pydantic import JsonValue

from ...core.documents import JsonObject
from ...core.errors import Invalid
from ...core.model.delivery import Audience, Condition, Scalar

_LEAST = -1.7976931348623157e308
"""Every number is at least this."""
_MISSING = "null"
EXACT = 2**53
"""Whole numbers below it are themselves where every number is a double."""
INEXACT = f"a whole number beyond {EXACT:,} that a double does not hold"


def refused(what: str, then: str, got: JsonValue) -> Invalid:
    return Invalid(f"Confidence cannot express {what}.", next=then, got=got, code="not_expressible")


def is_exact(number: float) -> bool:
    """Whether Confidence, which keeps doubles, gives back the same number."""
    try:
        return float(number) == number
    except OverflowError:
        return False


def compile_audience(audience: Audience) -> JsonObject:
    """The targeting; {} for everybody.

    Raises:
        Invalid: Confidence cannot ask that.
    """
    if [] in audience:
        return {}
    if not audience:
        raise refused("an audience of nobody", "Ask for somebody.", None)
    targeting = _Targeting()
    alternatives = [
        _all([*chain.from_iterable(targeting.condition(each) for each in alternative)]) for alternative in audience
    ]
    return {"criteria": targeting.criteria, "expression": _any(alternatives)}


def named_units(attribute: str, units: list[str]) -> JsonObject:
    """The targeting that reaches these units alone."""
    values: list[JsonValue] = [{"stringValue": unit} for unit in units]
    criterion: JsonObject = {"attributeName": attribute, "setRule": {"values": values}}
    return {"criteria": {"units": {"attribute": criterion}}, "expression": {"ref": "units"}}


def _all(operands: list[JsonValue]) -> JsonValue:
    return operands[0] if len(operands) == 1 else {"and": {"operands": operands}}


def _any(operands: list[JsonValue]) -> JsonValue:
    return operands[0] if len(operands) == 1 else {"or": {"operands": operands}}


def _not(operand: JsonValue) -> JsonValue:
    return {"not": operand}


class _Targeting:
    """Criteria, each with an id."""

    def __init__(self) -> None:
        self.criteria: JsonObject = {}

    def condition(self, condition: Condition) -> list[JsonValue]:
        """Expressions that all have to hold, in this order."""
        name = condition.attribute
        if condition.missing:
            return [self._is(name, [_MISSING]), _not(self._text(name)), _not(self._is(name, [True, False]))]
        if condition.type == "semver":
            raise refused("anything about versions", "Ask for another attribute.", name)
        if condition.type == "date" and (condition.values is None or condition.excluded):
            raise refused("more of dates than days one by one", "Name the days.", name)
        if condition.type == "boolean":
            values = [True, False] if condition.values is None else condition.values
            kept = [each for each in values if each not in condition.excluded]
            return [_not(self._text(name)), self._is(name, kept)]
        if condition.type in ("integer", "number"):
            return [_not(self._text(name)), *self._number(condition)]
        return self._string(condition)

    def _number(self, condition: Condition) -> list[JsonValue]:
        name = condition.attribute
        bounds: dict[str, Scalar | None] = {
            "startInclusive": condition.gte,
            "startExclusive": condition.gt,
            "endInclusive": condition.lte,
            "endExclusive": condition.lt,
        }
        found = [self._range(name, end, bound) for end, bound in bounds.items() if bound is not None]
        if condition.values is not None:
            found.append(self._is(name, condition.values))
        if condition.excluded:
            found.append(_not(self._is(name, condition.excluded)))
            found.append(self._range(name, "startInclusive", _LEAST))
        return found or [self._range(name, "startInclusive", _LEAST)]

    def _string(self, condition: Condition) -> list[JsonValue]:
        name, values = condition.attribute, condition.values
        if values is not None:
            kept = [each for each in values if each not in condition.excluded]
            guard = [] if all(map(_only_a_text, kept)) else [self._text(name)]
            return [*guard, self._is(name, kept)]
        return [self._text(name), *([_not(self._is(name, condition.excluded))] if condition.excluded else [])]

    def _text(self, name: str) -> JsonValue:
        """Whether it is a text: what else is none begins with nothing."""
        return self._criterion({"attributeName": name, "startsWithRule": {}})

    def _is(self, name: str, values: list[Scalar]) -> JsonValue:
        return self._criterion({"attributeName": name, "setRule": {"values": [_value(each) for each in values]}})

    def _range(self, name: str, end: str, bound: Scalar) -> JsonValue:
        return self._criterion({"attributeName": name, "rangeRule": {end: _value(bound)}})

    def _criterion(self, criterion: JsonObject) -> JsonValue:
        known = f"c{len(self.criteria)}"
        self.criteria[known] = {"attribute": criterion}
        return {"ref": known}


def _value(value: Scalar) -> JsonObject:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, str):
        return {"stringValue": value}
    if not is_exact(value):
        raise refused(INEXACT, "Ask for another number.", value)
    return {"numberValue": value}


def _only_a_text(value: Scalar) -> bool:
    """Whether nothing but a text is ever taken for this one: neither a number nor what is missing."""
    try:
        float(str(value))
    except ValueError:
        return value != _MISSING
    return False
