"""A GrowthBook condition that others wrote, as an audience of ours that holds nobody out whom it lets in."""

from __future__ import annotations

import re

from pydantic import JsonValue

from ...core.documents import JsonObject, canonical
from ..foreign import EVERYBODY, JOINTS, joined, or_missing

DEEPEST = 20
"""Conditions in conditions that are read."""
SHOWN = 80
"""Most characters of a condition in a sentence about it."""
_BOUNDS = {
    "$gte": "gte",
    "$gt": "gt",
    "$lte": "lte",
    "$lt": "lt",
    # The SDKs compare texts, in which 1.1 lies below 1.1.0 and any 1.1.0-rc; here the first two are one version.
    "$vgte": "gte",
    "$vgt": "gte",
    "$vlte": "lte",
    "$vlt": "lte",
}
_RELEASE = re.compile(r"v?\d+\.\d+\.\d+")


def read_condition(condition: JsonValue) -> tuple[JsonObject, list[str]]:
    """(the audience, a sentence for each part that has no word here). Such a part counts as met by everybody.

    The SDKs let a unit without the attribute through $ne, $nin and, in JavaScript, $lt; so does the audience.
    """
    unread: list[str] = []
    return _all_of(condition, unread, 0), unread


def _all_of(condition: JsonValue, unread: list[str], depth: int) -> JsonObject:
    if depth > DEEPEST:
        unread.append(f"conditions more than {DEEPEST} deep have no word here; everybody counts as meeting them")
        return EVERYBODY
    if not isinstance(condition, dict):
        return _unread(condition, unread)
    parts = [_part(name, wanted, unread, depth + 1) for name, wanted in condition.items()]
    return joined(parts)


def _part(name: str, wanted: JsonValue, unread: list[str], depth: int) -> JsonObject:
    if name == "$and" and isinstance(wanted, list):
        return joined([_all_of(each, unread, depth) for each in wanted])
    if name == "$or" and isinstance(wanted, list):
        parts: list[JsonValue] = [_all_of(each, unread, depth) for each in wanted]
        return {"any": parts} if parts and EVERYBODY not in parts else EVERYBODY
    if name.startswith("$") or name in JOINTS:
        return _unread({name: wanted}, unread)
    return _of_attribute(name, wanted, unread)


def _of_attribute(name: str, wanted: JsonValue, unread: list[str]) -> JsonObject:
    if not isinstance(wanted, dict) or not any(operator.startswith("$") for operator in wanted):
        return {name: wanted} if isinstance(wanted, str | int | float) else _unread({name: wanted}, unread)
    parts = [_asked(name, operator, operand, unread) for operator, operand in wanted.items()]
    return joined(parts)


def _asked(name: str, operator: str, operand: JsonValue, unread: list[str]) -> JsonObject:
    """What one operator asks of an attribute."""
    scalar = isinstance(operand, str | int | float)
    if operator in ("$eq", "$veq") and scalar:
        return {name: operand}
    if operator == "$ne" and scalar:
        return or_missing(name, {"not": operand})
    listed = isinstance(operand, list) and operand and all(isinstance(each, str | int | float) for each in operand)
    if operator in ("$in", "$nin") and listed:
        return {name: operand} if operator == "$in" else or_missing(name, {"not": operand})
    comparable = scalar and not isinstance(operand, bool)
    if operator in _BOUNDS and comparable and (operator[1] != "v" or _RELEASE.fullmatch(str(operand))):
        bound = _BOUNDS[operator]
        return or_missing(name, {bound: operand}) if bound in ("lt", "lte") else {name: {bound: operand}}
    if operator == "$exists" and isinstance(operand, bool):
        return {name: {"exists": operand}}
    return _unread({name: {operator: operand}}, unread)


def _unread(condition: JsonValue, unread: list[str]) -> JsonObject:
    unread.append(f"the condition {canonical(condition)[:SHOWN]} has no word here; everybody counts as meeting it")
    return EVERYBODY
