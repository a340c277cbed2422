"""What lists and searches need of an experiment's document, which may be any JSON while it is a draft."""

from __future__ import annotations

from pydantic import JsonValue

from ...core.documents import JsonObject
from .terms import separated


def listing(key: str, document: JsonObject) -> dict[str, JsonValue]:
    """The columns of the experiment table that come out of the document; what has the wrong type counts as absent."""
    return {
        "name": _text(document, "name"),
        "surface": _text(document, "surface"),
        "layer": _text(document, "layer"),
        "environment": _text(document, "environment"),
        "owner": _text(document, "owner"),
        "touched": _touched(document),
        "audience": _ordered(_audience(document)),
    }


def searched(key: str, document: JsonObject) -> dict[str, str]:
    """The columns of the experiment_text table."""
    hypothesis = _object(document, "hypothesis")
    tags = document.get("tags")
    named = [tag for tag in (tags if isinstance(tags, list) else []) if isinstance(tag, str)]
    details = [_text(document, "owner"), _text(hypothesis, "metric"), *map(str, _touched(document))]
    return {
        "key": key,
        "names": separated("\n".join([key, _text(document, "name"), *named])),
        "hypothesis": separated(f"{_text(hypothesis, 'change')}\n{_text(hypothesis, 'because')}"),
        "details": separated("\n".join(details)),
        "surface": separated(_text(document, "surface")),
    }


def _audience(document: JsonObject) -> JsonObject | str:
    value = document.get("audience")
    return value if isinstance(value, dict | str) else {}


def _ordered(value: JsonValue) -> JsonValue:
    """With names in one order, so that equal audiences have equal texts."""
    if isinstance(value, dict):
        return {name: _ordered(inner) for name, inner in sorted(value.items())}
    return value


def _touched(document: JsonObject) -> list[JsonValue]:
    """Parameters that any variant sets, sorted, as `Spec.touched` has them."""
    variants = _object(document, "variants").values()
    touched = {name for each in variants if isinstance(each, dict) for name in _object(each, "parameters")}
    return list[JsonValue](sorted(touched))


def _text(document: JsonObject, field: str) -> str:
    value = document.get(field)
    return value if isinstance(value, str) else ""


def _object(document: JsonObject, field: str) -> JsonObject:
    value = document.get(field)
    return value if isinstance(value, dict) else {}
