"""The page of all that a catalogue may say, from its own models."""

from __future__ import annotations

import json
from typing import Any

from crossfade.core.model.catalogue import Catalogue

INTRODUCTION = """# The catalogue

Made from the code by `make docs`. A catalogue is a folder of YAML files. Each file holds any of the sections below, and
a section may be spread over several files; `crossfade check PATH` says what is wrong with it, with file and line. A
whole one to copy from lies in `examples/streaming`, a small one in `examples/unleash_etcd/catalogue`.
"""
_MEANT = {"string": "text", "integer": "whole number", "boolean": "true or false", "null": "nothing", "object": "map"}
_SIGNS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}


def page() -> str:
    schema = Catalogue.model_json_schema(by_alias=True)
    models: dict[str, Any] = schema["$defs"]
    parts = [INTRODUCTION, _table("Sections", "", schema)]
    parts += [_table(name, models[name].get("description", ""), models[name]) for name in _reached(schema, models)]
    return "\n".join(parts)


def _reached(schema: dict[str, Any], models: dict[str, Any]) -> list[str]:
    """The models in the order in which a reader meets them."""
    found: list[str] = []

    def visit(part: Any) -> None:
        if isinstance(part, list):
            for each in part:  # pyright: ignore[reportUnknownVariableType]
                visit(each)
        if not isinstance(part, dict):
            return
        name = str(part.get("$ref", "")).rpartition("/")[2]  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
        if name and name not in found and "properties" in models[name]:
            found.append(name)
            visit(models[name])
        for each in part.values():  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
            visit(each)

    visit(schema["properties"])
    return found


def _table(name: str, about: str, schema: dict[str, Any]) -> str:
    required = schema.get("required", [])
    lines = [f"## {name}", "", *([" ".join(about.split()), ""] if about else [])]
    lines += ["| field | is | when left out | |", "|---|---|---|---|"]
    for field, part in schema["properties"].items():
        absent = "has to be there" if field in required else _default(part)
        lines.append(f"| `{field}` | {_kind(part)} | {absent} | {_cell(part.get('description', ''))} |")
    return "\n".join([*lines, ""])


def _default(part: dict[str, Any]) -> str:
    value = part.get("default")
    if value in (None, {}, []):
        return "nothing"
    if isinstance(value, dict):
        return "each as by itself"
    return f"`{json.dumps(value) if not isinstance(value, str) else value}`"


def _kind(part: dict[str, Any]) -> str:
    """What a value is, in words."""
    if "$ref" in part:
        name = part["$ref"].rpartition("/")[2]
        if name == "JsonValue":
            return "any value"
        return f"[{name}](#{name.lower()})"
    if "enum" in part:
        return ", ".join(f"`{each}`" for each in part["enum"])
    if "const" in part:
        return f"`{part['const']}`"
    if "anyOf" in part:
        return " or ".join(dict.fromkeys(_kind(each) for each in part["anyOf"] if each.get("type") != "null"))
    if part.get("format") == "date":
        return "day"
    if part.get("type") == "array":
        return f"list of {_kind(part.get('items', {}))}"
    if part.get("type") == "object":
        inner = part.get("additionalProperties") or next(iter(part.get("patternProperties", {}).values()), None)
        keys = _kind(part["propertyNames"]) if "enum" in part.get("propertyNames", {}) else "name"
        return f"{keys} → {_kind(inner)}" if isinstance(inner, dict) else "map"
    bounds = [f"{sign} {part[name]:g}" for name, sign in _SIGNS.items() if name in part]
    return " ".join([_MEANT.get(part.get("type", ""), part.get("type", "anything")), *bounds])


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
