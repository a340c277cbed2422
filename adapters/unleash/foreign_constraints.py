"""A constraint that others wrote, as an audience of ours that holds nobody out whom it lets in."""

from __future__ import annotations

import re

from pydantic import JsonValue

from ...core.documents import JsonObject, canonical
from ..foreign import EVERYBODY, JOINTS, joined, or_missing

SHOWN = 80
"""Most characters of a constraint in a sentence about it."""
_NUMBERS = {"NUM_GTE": "gte", "NUM_GT": "gt", "NUM_LTE": "lte", "NUM_LT": "lt"}
_OPPOSITE = {"gte": "lt", "gt": "lte", "lte": "gt", "lt": "gte"}
# SDKs order what is equal here: a version and the same one with build metadata.
_VERSIONS = {"SEMVER_GTE": "gte", "SEMVER_GT": "gte", "SEMVER_LTE": "lte", "SEMVER_LT": "lte"}
# Of a moment only the day can be said.
_DATES = {"DATE_AFTER": "gte", "DATE_BEFORE": "lte"}
_RELEASE = re.compile(r"\d+\.\d+\.\d+")
_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})(T.*)?")
_NOW = "currentTime"
"""What a constraint of time asks about, which is no unit's."""


def read_constraints(constraints: list[JsonObject]) -> tuple[JsonObject, list[str]]:
    """(the audience of those who meet them all, a sentence for each that has no word here). Such a one counts as met by
    everybody. Values are texts, as a context holds them, but for bounds and NUM_EQ, which are of numbers.

    A unit without the attribute, or with another value than Unleash can compare, meets NOT_IN and all that is inverted.
    """
    unread: list[str] = []
    return joined([_read(each, unread) for each in constraints]), unread


def _read(constraint: JsonObject, unread: list[str]) -> JsonObject:
    name, operator = constraint.get("contextName"), constraint.get("operator")
    found = None
    if isinstance(name, str) and isinstance(operator, str) and name not in (*JOINTS, _NOW):
        found = _asked(name, operator, constraint)
    if found is None:
        unread.append(f"the constraint {_shown(constraint)} has no word here; everybody counts as meeting it")
    return EVERYBODY if found is None else found


def _asked(name: str, operator: str, constraint: JsonObject) -> JsonObject | None:
    value, inverted = constraint.get("value"), constraint.get("inverted") is True
    if operator in ("IN", "NOT_IN"):
        values = constraint.get("values")
        listed = isinstance(values, list) and values and constraint.get("caseInsensitive") is not True
        if not listed:
            return None
        return or_missing(name, {"not": values}) if (operator == "NOT_IN") != inverted else {name: values}
    number = _number(value)
    if operator == "NUM_EQ" and number is not None:
        return or_missing(name, {"not": number}) if inverted else {name: number}
    if operator in _NUMBERS and number is not None:
        bound = _NUMBERS[operator]
        return or_missing(name, {_OPPOSITE[bound]: number}) if inverted else {name: {bound: number}}
    if inverted:
        return None  # all that SDKs cannot compare meets it
    if operator == "SEMVER_EQ" and _RELEASE.fullmatch(str(value)):
        return {name: value}
    if operator in _VERSIONS and _RELEASE.fullmatch(str(value)):
        return {name: {_VERSIONS[operator]: value}}
    day = _DAY.fullmatch(str(value))
    return {name: {_DATES[operator]: day[1]}} if operator in _DATES and day is not None else None


def _number(value: JsonValue) -> int | float | None:
    text = value.strip() if isinstance(value, str) else ""
    if re.fullmatch(r"-?\d{1,15}", text):
        return int(text)
    return float(text) if re.fullmatch(r"-?\d{1,15}\.\d{1,15}", text) else None


def _shown(constraint: JsonObject) -> str:
    told: JsonObject = {name: value for name, value in constraint.items() if value not in (None, False, [])}
    return canonical(told)[:SHOWN]
