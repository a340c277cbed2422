"""Values of parameters as GrowthBook keeps them: as text, by the type of their feature."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Literal

from pydantic import JsonValue, TypeAdapter

from ...core.errors import BackendFailed

ValueType = Literal["boolean", "string", "number", "json"]
_JSON: TypeAdapter[JsonValue] = TypeAdapter(JsonValue)


def type_for(values: Iterable[JsonValue]) -> ValueType:
    """The narrowest type that holds them all."""
    kinds: set[ValueType] = {_kind(value) for value in values}
    return kinds.pop() if len(kinds) == 1 else "json"


def encoded(value: JsonValue, kind: JsonValue, feature: str) -> str:
    """
    Raises:
        BackendFailed: a feature of this type cannot hold it.
    """
    if kind != "json" and kind != _kind(value):
        raise BackendFailed(
            "GrowthBook has this feature with another type than the value to deliver.",
            next="Give the parameter values of the feature's type, or have the feature made anew with the type `json`.",
            got={"feature": feature, "type": kind, "value": text(value)[:200]},
        )
    return value if kind == "string" and isinstance(value, str) else text(value)


def decoded(raw: JsonValue, kind: JsonValue) -> JsonValue:
    """The value; the text itself where it is none of the type."""
    if kind == "string" or not isinstance(raw, str):
        return raw
    try:
        return _JSON.validate_json(raw)
    except ValueError:
        return raw


def text(value: JsonValue) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _kind(value: JsonValue) -> ValueType:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "string"
    return "number" if isinstance(value, int | float) else "json"
