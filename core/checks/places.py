"""What stands at a place of a document that is no spec, and what could stand there instead."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import get_args

from pydantic import BaseModel, JsonValue, ValidationError

from ..documents import JsonObject, items_of, nest, patch_object, pointer
from ..model.catalogue import LARGEST_EFFECT, Catalogue
from ..model.experiment import EXPERIMENT_KEY, VARIANT_KEY, Spec
from ..names import meant, nearest
from .engine import Cure, Fault

WANTED = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "string_type": "text",
    "string_too_short": "text, not empty",
    "string_too_long": "text of at most 2,000 characters",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "date_type": "a day, as 2026-12-31",
    "date_parsing": "a day, as 2026-12-31",
    "date_from_datetime_parsing": "a day, as 2026-12-31",
    "date_from_datetime_inexact": "a day, as 2026-12-31",
}
"""What a field must be, by pydantic's name of the fault, where that says it all."""
LIMITS = {"greater_than": "gt", "greater_than_equal": "ge", "less_than": "lt", "less_than_equal": "le"}
AT_LEAST = {"gt": "above", "ge": "at least", "lt": "below", "le": "at most"}
KEYS = {
    EXPERIMENT_KEY: 'a key of 3 to 63 lower-case letters, digits and "-", a letter first',
    VARIANT_KEY: 'a key: lower-case letters, digits, "-" and "_", a letter or digit first',
}
OTHER_KEY = 'a key: lower-case letters, digits, "-" and "_", a letter first'
OTHER_KIND = "of another kind; resource schema://experiment has the schema"


def wanted(kind: str, context: Mapping[str, object]) -> str:
    """What a field must be, by pydantic's name of the fault and what it tells beside."""
    if kind in LIMITS:
        limit = context.get(LIMITS[kind])
        number = f"{AT_LEAST[LIMITS[kind]]} {limit:,g}" if isinstance(limit, int | float) else "within its limits"
        effect = limit in (LARGEST_EFFECT, -LARGEST_EFFECT)
        return f"a relative effect, {number} (a thousandfold)" if effect else f"a number, {number}"
    if kind == "string_pattern_mismatch":
        return KEYS.get(str(context.get("pattern")), OTHER_KEY)
    return WANTED.get(kind, OTHER_KIND)


def path_of(loc: Iterable[int | str]) -> list[int | str]:
    """The place of a document that pydantic means. Its marks of a key, and of which alternative of a union it tried (of
    an audience: the map or the text), are no steps."""
    path = [part for part in loc if part != "[key]"]
    return path[:1] if path[:1] == ["audience"] else path


def plain_cures(document: JsonObject, path: list[int | str], given: JsonValue) -> list[Cure]:
    """Cures that need no guess: the only item of a list that should be none, the values of a numbered map, a day in
    another notation; else to leave out what has a default."""
    cures: list[Cure] = []
    numbered = items_of(given) if isinstance(given, dict) else None
    if numbered is not None:
        cures.append(Cure("use the list of its values", with_value(document, path, numbered)))
    day = _day_in(given) if isinstance(given, str) else None
    if day is not None:
        cures.append(Cure(f"use {day}", with_value(document, path, day)))
    if isinstance(given, list) and len(given) == 1:
        cures.append(Cure(f"use {shown(given[0])} itself", with_value(document, path, given[0])))
    narrows = path == ["audience"] and given  # without it, everybody would be in
    if path and not narrows and (isinstance(path[-1], int) or path[-1] in allowed_fields(path[:-1])):
        cures.append(Cure("leave it out", with_value(document, path, None)))
    return [cure for cure in cures if _fits(patch_object(document, cure.patch), path)][:1]


def _day_in(text: str) -> str | None:
    """A day whose parts can stand in one order only: 16/11/2026 is one, 5/6/2026 is two."""
    parts = [int(part) for part in re.split(r"[./-]", text.strip()) if part.isdecimal() and len(part) <= 4]
    if len(parts) != 3 or len(re.split(r"[./-]", text.strip())) != 3:
        return None
    year, month, day = parts if parts[0] > 31 else parts[::-1]
    if 12 < month <= 31 and day <= 12:
        month, day = day, month  # the month first, as in 11/16/2026
    elif parts[0] <= 12 and day != month:
        return None
    try:
        return date(year, month, day).isoformat() if year > 31 else None
    except ValueError:
        return None


def with_value(document: JsonObject, path: list[int | str], value: JsonValue) -> JsonObject:
    """The merge patch that puts a value at a path; None takes out what is there, and a list with its last item. A patch
    replaces a list as a whole."""
    inner: JsonValue = document
    for depth, token in enumerate(path):
        if isinstance(inner, list):
            index, rest = int(token), path[depth + 1 :]
            item = inner[index]
            kept: list[JsonValue] = [] if value is None else [value]
            if rest and isinstance(item, dict):
                kept = [patch_object(item, with_value(item, rest, value))]
            whole = [*inner[:index], *kept, *inner[index + 1 :]]
            return nest(pointer(*path[:depth]), whole or None)
        inner = inner.get(str(token)) if isinstance(inner, dict) else None
    return nest(pointer(*path), value)


def key_cures(document: JsonObject, path: list[int | str]) -> list[Cure]:
    """An entry under its name as a key, where that is one and is free: Control is control. Nothing else in a spec names
    the entries whose names must be keys."""
    name, holder = str(path[-1]), _at(document, path[:-1])
    key = re.sub(r"[^a-z0-9_]+", "-", name.strip().lower()).strip("-")
    if not isinstance(holder, dict) or not key or key in holder:
        return []
    patch = nest(pointer(*path[:-1]), {name: None, key: holder[name]})
    return [Cure(f"rename it to {key}", patch)] if _fits(patch_object(document, patch), [*path[:-1], key]) else []


def key_options(catalogue: Catalogue | None, path: list[int | str]) -> list[str]:
    """The catalogue's names for a field that holds one of them; of layers, all that there are."""
    if catalogue is None or len(path) != 1:
        return []
    layers = {layer for surface in catalogue.surfaces.values() for layer in surface.layers}
    names: dict[int | str, Iterable[str]] = {
        "surface": catalogue.surfaces,
        "environment": catalogue.environments,
        "unit": catalogue.units,
        "layer": layers,
    }
    return sorted(names.get(path[0], ()))


def _at(document: JsonObject, path: list[int | str]) -> JsonValue:
    found: JsonValue = document
    for token in path:
        found = found.get(str(token)) if isinstance(found, dict) else None
    return found


def _fits(document: JsonObject, path: list[int | str]) -> bool:
    """Whether nothing is wrong any more with what a document has at a path."""
    try:
        Spec.model_validate(document)
    except ValidationError as error:
        return not any(path_of(fault["loc"])[: len(path)] == path for fault in error.errors(include_url=False))
    return True


def unknown_field(document: JsonObject, path: list[int | str], given: JsonValue) -> Fault:
    name = str(path[-1])
    allowed = allowed_fields(path[:-1])
    likely = meant(name, allowed)
    left_out = Cure("leave it out", with_value(document, path, None))
    named = likely is not None and all(isinstance(part, str) for part in path)
    cures = [_renaming(path, likely, given) if named and likely is not None else left_out]
    close = nearest(name, allowed, 1)
    return Fault(pointer(*path), "There is no such field here.", got=name, allowed=allowed, nearest=close, cures=cures)


def renamings(document: JsonObject, path: list[int | str]) -> list[Cure]:
    """For a field that is not there: the one beside it whose name means it."""
    holder, allowed = _at(document, path[:-1]), allowed_fields(path[:-1])
    strange = [name for name in holder if name not in allowed] if isinstance(holder, dict) and allowed else []
    slips = [name for name in strange if meant(name, allowed) == path[-1]]
    if not isinstance(holder, dict) or len(slips) != 1:
        return []
    return [_renaming([*path[:-1], slips[0]], str(path[-1]), holder[slips[0]])]


def _renaming(path: list[int | str], name: str, value: JsonValue) -> Cure:
    patch = nest(pointer(*path[:-1]), {name: value, str(path[-1]): None})
    return Cure(f"rename it to {name}", patch)


def shown(value: JsonValue) -> JsonValue:
    if isinstance(value, str | int | float | bool):
        return value if not isinstance(value, str) else value[:100]
    return f"a {type(value).__name__}".replace("a dict", "an object").replace("NoneType", "null")


def allowed_fields(path: list[int | str]) -> list[str]:
    """The field names that a spec may have at a path, empty where names are free."""
    here: type[BaseModel] | _MapOf | None = Spec
    for token in path:
        if isinstance(here, _MapOf):
            here = here.values
        elif here is not None:
            field = here.model_fields.get(str(token))
            here = _model_in(field.annotation) if field else None
    return [] if here is None or isinstance(here, _MapOf) else list(here.model_fields)


@dataclass(frozen=True)
class _MapOf:
    """A map whose names are free, or a list, whose values are of a model."""

    values: type[BaseModel]


def _model_in(annotation: object) -> type[BaseModel] | _MapOf | None:
    """The model, or the map or list of models, that an annotation stands for."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    arguments = get_args(annotation)
    if type(None) in arguments:
        return _model_in(arguments[0])
    if arguments and isinstance(arguments[-1], type) and issubclass(arguments[-1], BaseModel):
        return _MapOf(arguments[-1])
    return None
