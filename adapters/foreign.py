"""Audiences of others in our own words, which hold nobody out whom they let in."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from ..core.documents import JsonObject

EVERYBODY: JsonObject = {}
JOINTS = ("all", "any", "not")
"""Names that are no attribute's in an audience."""


def or_missing(name: str, asked: Mapping[str, JsonValue]) -> JsonObject:
    return {"any": [{name: dict(asked)}, {name: {"exists": False}}]}


def joined(parts: list[JsonObject]) -> JsonObject:
    """An audience in which all of the parts hold."""
    parts = [part for part in parts if part != EVERYBODY]
    if len(parts) < 2:
        return parts[0] if parts else EVERYBODY
    names = [name for part in parts for name in part]
    if len(set(names)) == len(names):
        return {name: wanted for part in parts for name, wanted in part.items()}
    return {"all": list[JsonValue](parts)}


def either(parts: list[JsonObject]) -> JsonObject:
    """An audience of whoever is in one of the parts, of which there is at least one."""
    distinct = [part for number, part in enumerate(parts) if part not in parts[:number]]
    if EVERYBODY in distinct:
        return EVERYBODY
    return {"any": list[JsonValue](distinct)} if len(distinct) > 1 else distinct[0]
