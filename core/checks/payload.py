"""Parameter values against their JSON Schema, with the nearest value that would do."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, TypeGuard

from pydantic import JsonValue

from ..documents import JsonObject, canonical, items_of, nest, patch_to, pointer
from ..names import meant, nearest, same_name
from .engine import Cure, Fault

if TYPE_CHECKING:
    import jsonschema_rs

TRUTHS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
SHOWN_TEXT = 80
MAX_FAULTS = 5
"""Most faults told of one value: after a few, the shape as a whole is wrong."""


@lru_cache(maxsize=512)
def _validator(schema: str) -> jsonschema_rs.Validator:
    import json

    import jsonschema_rs as library

    return library.validator_for(json.loads(schema))


def meets_schema(value: JsonValue, schema: JsonObject) -> bool:
    return _validator(canonical(schema)).is_valid(value)


def schema_faults(value: JsonValue, schema: JsonObject, at: str, production: JsonValue = None) -> Iterator[Fault]:
    """A fault for each place where a value breaks its schema.

    All have one cure, which mends all that can be mended in the value: patches of one value would undo each other. A
    list that is too short is completed from production, for whoever names what comes first means that the rest follows;
    so are the fields of an object, for whoever names one means that the others stay.
    """
    if meets_schema(value, schema):
        return
    validator = _validator(canonical(schema))
    errors = list(validator.iter_errors(value))
    cure = _cure(errors, value, schema, at, production)
    told: list[list[str]] = []
    for number, error in enumerate(errors[:MAX_FAULTS]):
        fault = _fault(error, value, at, cure, production if number == 0 else None)
        yield replace(fault, allowed=[]) if fault.allowed in told else fault  # the items of a list allow the same
        told.append(fault.allowed)


def _cure(
    errors: list[jsonschema_rs.ValidationError], value: JsonValue, schema: JsonObject, at: str, production: JsonValue
) -> Cure | None:
    mended: JsonValue = copy.deepcopy(value)
    changes: list[str] = []
    for error in errors:
        path = list(error.instance_path)
        given = _inside(value, path)
        better = _opposite(error, value, schema) if _is_number(given) and given < 0 else None
        better = _better(error, given) if better is None else better
        if better is not None:
            mended = _replaced(mended, path, better)
            changes.append(f"use {_text(better)}")
    if isinstance(mended, list) and None in mended:
        mended = [item for item in mended if item is not None]
        changes.append("leave out what is null")
    mended = _renamed(mended, schema, changes)
    if isinstance(mended, list) and isinstance(production, list) and not meets_schema(mended, schema):
        completed = mended + [item for item in production if item not in mended]
        if meets_schema(completed, schema):
            mended = completed
            changes.append("follow with the rest of production")
    if isinstance(mended, dict) and isinstance(production, dict) and not meets_schema(mended, schema):
        completed = {**production, **mended}
        if meets_schema(completed, schema):
            mended = completed
            changes.append("keep the other fields of production")
    if not changes or not meets_schema(mended, schema):
        return None
    # A merge patch keeps what it does not name, so what goes is named too.
    patch = patch_to(value, mended) if isinstance(value, dict) and isinstance(mended, dict) else mended
    return Cure(", ".join(changes), nest(at, patch))


def _renamed(value: JsonValue, schema: JsonObject, changes: list[str]) -> JsonValue:
    """An object with the fields that it plainly means; `changes` is told of each."""
    known = schema.get("properties")
    if not isinstance(value, dict) or not isinstance(known, dict):
        return value
    renamed: JsonObject = {}
    for name, inner in value.items():
        likely = None if name in known else meant(name, known.keys() - value.keys())
        renamed[likely or name] = inner
        if likely is not None:
            changes.append(f"rename {name} to {likely}")
    return renamed


def _fault(
    error: jsonschema_rs.ValidationError, value: JsonValue, at: str, cure: Cure | None, production: JsonValue
) -> Fault:
    path = list(error.instance_path)
    given = _inside(value, path)
    kind, limits = error.kind.name, error.kind.as_dict()
    options = [_text(option) for option in limits.get("options", [])]
    sentence = {
        "enum": "This is none of the allowed values.",
        "type": f"This must be of type {' or '.join(limits.get('types', []))}.",
        "minimum": f"The minimum is {limits.get('limit')}.",
        "maximum": f"The maximum is {limits.get('limit')}.",
        "minItems": f"At least {limits.get('limit')} items are needed.",
        "maxItems": f"At most {limits.get('limit')} items are allowed.",
        "minLength": f"At least {limits.get('limit')} characters are needed.",
        "maxLength": f"At most {limits.get('limit')} characters are allowed.",
        "uniqueItems": "The items must all differ.",
        "required": f"The field {limits.get('property')} is missing.",
        "additionalProperties": f"Unknown field {', '.join(limits.get('unexpected', []))}.",
        "pattern": f"The text must match {limits.get('pattern')}.",
    }.get(kind, f"This breaks the schema's {kind}.")
    near = _near(given, options) if kind == "enum" else []
    if kind == "enum" and _text(given) in options:
        sentence = f"This must be {given} itself, not a text."
    if production is not None:
        sentence += f" In production it is {short_text(production)}."
    return Fault(
        at + pointer(*path),
        sentence,
        got=given if isinstance(given, str | int | float | bool) else canonical(given)[:100],
        allowed=options,
        nearest=near,
        cures=[cure] if cure else [],
    )


def _near(given: JsonValue, options: list[str]) -> list[str]:
    same = same_name(_text(given), options)
    return [same] if same else nearest(_text(given), options)


def _text(value: JsonValue) -> str:
    """A value as a caller types it: texts bare, the rest as JSON."""
    return value if isinstance(value, str) else canonical(value)


def short_text(value: JsonValue) -> str:
    """`_text`, cut to 80 characters."""
    text = _text(value)
    return text if len(text) <= SHOWN_TEXT else text[: SHOWN_TEXT - 1] + "…"


def _better(error: jsonschema_rs.ValidationError, given: JsonValue) -> JsonValue:
    """The nearest value that would meet the broken rule, or None when none is plain."""
    kind, limits = error.kind.name, error.kind.as_dict()
    if kind == "enum" and _is_number(given):
        return _near_number(given, [option for option in limits["options"] if _is_number(option)])
    if kind == "enum":
        same = [option for option in limits["options"] if _text(option) == _text(given)]
        texts = [option for option in limits["options"] if isinstance(option, str)]
        if same:
            return same[0]
        return meant(given, texts) if isinstance(given, str) else None
    if kind == "uniqueItems" and isinstance(given, list):
        return [item for index, item in enumerate(given) if item not in given[:index]]
    if kind in ("minimum", "maximum"):
        return limits["limit"]
    if kind == "type" and isinstance(given, str):
        return _from_text(given, limits["types"])
    if kind == "type" and "string" in limits["types"] and _is_number(given):
        return canonical(given)
    if kind == "type" and "array" in limits["types"] and isinstance(given, dict):
        return items_of(given)
    return None


def _opposite(error: jsonschema_rs.ValidationError, value: JsonValue, schema: JsonObject) -> JsonValue:
    """The number without its sign, where nothing else would be wrong with it."""
    path = list(error.instance_path)
    given = _inside(value, path)
    if not _is_number(given):
        return None
    flipped = _replaced(copy.deepcopy(value), path, -given)
    faults = _validator(canonical(schema)).iter_errors(flipped)
    return None if any(list(fault.instance_path) == path for fault in faults) else -given


def _is_number(value: JsonValue) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _near_number(given: float, options: list[int | float]) -> JsonValue:
    """The option whose decimal point was moved; else the first or the last one for what lies beyond. Of two neighbours
    none is chosen."""
    moved = [option for option in options if option and any(given == option * 10**power for power in range(1, 7))]
    if len(moved) == 1:
        return moved[0]
    if not options or min(options) <= given <= max(options):
        return None
    return min(options) if given < min(options) else max(options)


def _from_text(given: str, types: list[str]) -> JsonValue:
    if "boolean" in types and given.lower() in TRUTHS:
        return TRUTHS[given.lower()]
    for kind, convert in (("integer", int), ("number", float)):
        if kind in types:
            try:
                return convert(given)
            except ValueError:
                continue
    return None


def _inside(value: JsonValue, path: list[str | int]) -> JsonValue:
    for token in path:
        if isinstance(value, list) and isinstance(token, int):
            value = value[token]
        elif isinstance(value, dict):
            value = value.get(str(token))
    return value


def _replaced(value: JsonValue, path: list[str | int], new: JsonValue) -> JsonValue:
    if not path:
        return new
    parent = _inside(value, path[:-1])
    if isinstance(parent, list) and isinstance(path[-1], int):
        parent[path[-1]] = new
    elif isinstance(parent, dict):
        parent[str(path[-1])] = new
    return value
