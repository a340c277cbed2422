"""A strategy of Unleash in the form in which an entry holds it, and as Unleash takes it."""

from __future__ import annotations

import json

from pydantic import JsonValue

from ...core.documents import JsonObject, canonical
from .hashing import SLOTS, WEIGHTS

ROLLOUT = "flexibleRollout"
SLOT_VARIANTS = f"{SLOTS} equal slots"
"""Stands for the variants of a layer's flag, which would fill a page."""


def slot(number: int) -> str:
    return f"s{number:02}"


def strategy(
    title: str, unit: str, group: str, constraints: list[JsonObject], variants: JsonValue, rollout: int = 100
) -> JsonObject:
    """A strategy of ours. `title` is its name: Unleash gives ids of its own, and would take it twice."""
    return {
        "id": title,
        "rollout": rollout,
        "stickiness": unit,
        "groupId": group,
        "constraints": list[JsonValue](constraints),
        "variants": variants,
    }


def variant(name: str, weight: int, values: JsonObject | None = None) -> JsonObject:
    return {"name": name, "weight": weight, **({} if values is None else {"values": values})}


def seen(raw: JsonObject) -> JsonObject:
    """A strategy as Unleash has it, without its id and what it filled in by itself. What we never write shows."""
    found = raw.get("parameters")
    parameters = found if isinstance(found, dict) else {}
    rollout = parameters.get("rollout")
    stickiness = parameters.get("stickiness")
    constraints, variants = raw.get("constraints"), raw.get("variants")
    shown: JsonObject = {
        "id": raw.get("title") or f"without a title: {raw.get('id')}",
        "rollout": int(rollout) if isinstance(rollout, str) and rollout.isdecimal() else rollout,
        "stickiness": stickiness,
        "groupId": parameters.get("groupId"),
        "constraints": [_constraint(each) for each in constraints] if isinstance(constraints, list) else [],
        "variants": _variants(variants if isinstance(variants, list) else [], stickiness),
    }
    others: JsonObject = {"segments": raw.get("segments"), "disabled": raw.get("disabled")}
    if raw.get("name") != ROLLOUT:
        others["name"] = raw.get("name")
    return {**shown, **{name: value for name, value in others.items() if value}}


def wanted(entry: JsonObject, order: int) -> JsonObject:
    """The body that makes a strategy be as an entry has it, `order` among the others."""
    variants = entry.get("variants")
    listed = _slots() if variants == SLOT_VARIANTS else variants
    return {
        "name": entry.get("name", ROLLOUT),
        "title": entry["id"],
        "sortOrder": order,
        "disabled": entry.get("disabled", False),
        "parameters": {
            "rollout": str(entry["rollout"]),
            "stickiness": entry["stickiness"],
            "groupId": entry["groupId"],
        },
        "constraints": entry["constraints"],
        "segments": entry.get("segments", []),
        "variants": _weighed(listed if isinstance(listed, list) else [], entry["stickiness"]),
    }


def _slots() -> list[JsonValue]:
    return [variant(slot(number), WEIGHTS // SLOTS) for number in range(SLOTS)]


def _weighed(variants: list[JsonValue], stickiness: JsonValue) -> list[JsonValue]:
    """One weight has to be `variable` by Unleash's rule: the last, which is what the others leave in any case."""
    found: list[JsonValue] = []
    for index, each in enumerate(variants):
        assert isinstance(each, dict)
        values = each.get("values")
        payload: JsonObject = {} if values is None else {"payload": {"type": "json", "value": canonical(values)}}
        more: JsonObject = {name: each[name] for name in ("payload", "stickiness") if name in each}
        kind = "variable" if index == len(variants) - 1 else "fix"
        known: JsonObject = {"name": each["name"], "weight": each["weight"], "weightType": kind}
        found.append({**known, "stickiness": stickiness, **payload, **more})
    return found


def _constraint(raw: JsonValue) -> JsonValue:
    if not isinstance(raw, dict):
        return raw
    return {name: value for name, value in raw.items() if value not in (None, False, [])}


def _variants(raw: list[JsonValue], stickiness: JsonValue) -> JsonValue:
    found = [_variant(each, stickiness) if isinstance(each, dict) else each for each in raw]
    return SLOT_VARIANTS if found == _slots() else found


def _variant(raw: JsonObject, stickiness: JsonValue) -> JsonValue:
    shown: JsonObject = {"name": raw.get("name"), "weight": raw.get("weight")}
    if raw.get("stickiness") != stickiness:
        shown["stickiness"] = raw.get("stickiness")
    match raw.get("payload"):
        case {"type": "json", "value": str(text)} as payload:
            values = _values(text)
            shown.update({"payload": payload} if values is None else values)
        case None:
            pass
        case payload:
            shown["payload"] = payload
    return shown


def _values(text: str) -> JsonObject | None:
    """The values of a variant; None where the text holds what no JSON of ours can: a number without an end, half a
    character, a depth that no parser goes into."""
    try:
        values = json.loads(text)
        canonical(values).encode()
    except (ValueError, RecursionError):
        return None
    return {"values": values}
