"""Shape: whether a document is a spec at all. These come first, because nothing else can be asked without it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import get_args

from pydantic import BaseModel, JsonValue, TypeAdapter, ValidationError

from ..documents import JsonObject, canonical, nest, patch_object, pointer
from ..model.catalogue import Catalogue
from ..model.experiment import Spec
from ..model.finding import Finding
from ..names import meant, nearest
from .engine import Check, Cure, Fault, as_finding, worst_first

_QUOTED = re.compile(r"'([^']*)'")
WANTED = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "greater_than_equal": "a relative effect, at least -1,000 (a thousandfold)",
    "less_than_equal": "a relative effect, at most 1,000 (a thousandfold)",
    "string_type": "text",
    "string_too_short": "text, not empty",
    "string_too_long": "text of at most 2,000 characters",
    "string_pattern_mismatch": 'a key: lower-case letters, digits, "-" and "_", a letter first',
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
"""What a field must be, by pydantic's name of the fault."""
TYPED: dict[str, type[bool] | type[int] | type[float]] = {"bool_type": bool, "int_type": int, "float_type": float}
"""Faults of texts that pydantic reads as values of another type unless it is told to be strict."""


def read_spec(document: JsonObject) -> Spec | list[Finding]:
    """The spec, or a finding for every place where the document is not one."""
    try:
        spec = Spec.model_validate(document)
    except ValidationError as error:
        return worst_first(_findings(document, error))
    return worst_first([*_read_out_of_texts(document)]) or spec


def _read_out_of_texts(document: JsonObject) -> Iterator[Finding]:
    """Findings for texts that stand where a number, true or false belongs: what reads them as one may read another."""
    try:
        Spec.model_validate(document, strict=True)
    except ValidationError as error:
        for fault in error.errors(include_url=False):
            given = fault.get("input")
            if fault["type"] in TYPED and isinstance(given, str):
                yield _text_finding(document, fault["type"], list(fault["loc"]), given)


def _text_finding(document: JsonObject, kind: str, path: list[int | str], given: str) -> Finding:
    read: bool | float = TypeAdapter(TYPED[kind]).validate_python(given)
    cure = Cure(f"use {canonical(read)} itself", _with_value(document, path, read))
    fault = Fault(pointer(*path), f"This must be {WANTED[kind]}, not a text.", got=_shown(given), cures=[cure])
    return as_finding("spec.wrong_value", "block", fault)


def _findings(document: JsonObject, error: ValidationError) -> list[Finding]:
    findings: list[Finding] = []
    for fault in error.errors(include_url=False):
        expected = str(fault.get("ctx", {}).get("expected", ""))
        code, described = _describe(
            document, fault["type"], fault["loc"], _QUOTED.findall(expected), fault.get("input")
        )
        findings.append(as_finding(code, "block", described))
    return findings


def _describe(
    document: JsonObject, kind: str, loc: tuple[int | str, ...], options: list[str], given: JsonValue
) -> tuple[str, Fault]:
    path = [part for part in loc if part != "[key]"]
    at = pointer(*path)
    if kind == "extra_forbidden":
        return "spec.unknown_field", _unknown_field(document, path, given)
    if kind == "missing":
        return "spec.missing_field", Fault(at, "The spec needs this field.", allowed=allowed_fields(path[:-1]))
    if kind == "literal_error":
        close = nearest(given, options, 1) if isinstance(given, str) else []
        likely = meant(given, options) if isinstance(given, str) else None
        cures = (
            [Cure(f"use {likely}", _with_value(document, path, likely))] if likely else _plain(document, path, given)
        )
        message = "This is none of the allowed values."
        return "spec.wrong_value", Fault(at, message, _shown(given), options, close, cures)
    wanted = WANTED.get(kind, "of another kind; resource schema://experiment has the schema")
    sentence = f"This must be {wanted}."
    cures = _plain(document, path, given) if "[key]" not in loc else []
    return "spec.wrong_value", Fault(at, sentence, got=_shown(given), cures=cures)


def _plain(document: JsonObject, path: list[int | str], given: JsonValue) -> list[Cure]:
    """Cures that need no guess: the only item of a list that should be none; else to leave out what has a default."""
    cures: list[Cure] = []
    if isinstance(given, list) and len(given) == 1:
        cures.append(Cure(f"use {_shown(given[0])} itself", _with_value(document, path, given[0])))
    if path and (isinstance(path[-1], int) or path[-1] in allowed_fields(path[:-1])):
        cures.append(Cure("leave it out", _with_value(document, path, None)))
    return [cure for cure in cures if _fits(patch_object(document, cure.patch), path)]


def _with_value(document: JsonObject, path: list[int | str], value: JsonValue) -> JsonObject:
    """The merge patch that puts a value at a path; None takes out what is there. A patch replaces a list as a whole."""
    inner: JsonValue = document
    for depth, token in enumerate(path):
        if isinstance(inner, list):
            index, rest = int(token), path[depth + 1 :]
            item = inner[index]
            if rest and isinstance(item, dict):
                kept: list[JsonValue] = [patch_object(item, _with_value(item, rest, value))]
            else:
                kept = [] if value is None else [value]
            return nest(pointer(*path[:depth]), [*inner[:index], *kept, *inner[index + 1 :]])
        inner = inner.get(str(token)) if isinstance(inner, dict) else None
    return nest(pointer(*path), value)


def _fits(document: JsonObject, path: list[int | str]) -> bool:
    """Whether nothing is wrong any more with what a document has at a path."""
    try:
        Spec.model_validate(document)
    except ValidationError as error:
        return not any(list(fault["loc"])[: len(path)] == path for fault in error.errors(include_url=False))
    return True


def _unknown_field(document: JsonObject, path: list[int | str], given: JsonValue) -> Fault:
    name = str(path[-1])
    allowed = allowed_fields(path[:-1])
    close = nearest(name, allowed, 1)
    cures: list[Cure] = []
    likely = meant(name, allowed)
    if likely is not None and all(isinstance(part, str) for part in path):
        renamed = nest(pointer(*path[:-1], likely), given)
        cures.append(Cure(f"rename it to {likely}", _with_removed(renamed, path)))
    cures.append(Cure("leave it out", _with_value(document, path, None)))
    return Fault(pointer(*path), "There is no such field here.", got=name, allowed=allowed, nearest=close, cures=cures)


def _with_removed(patch: JsonObject, path: list[int | str]) -> JsonObject:
    inner: JsonValue = patch
    for token in path[:-1]:
        assert isinstance(inner, dict)
        inner = inner[str(token)]
    assert isinstance(inner, dict)
    inner[str(path[-1])] = None
    return patch


def _shown(value: JsonValue) -> JsonValue:
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


def unknown_place(spec: Spec, catalogue: Catalogue) -> list[Finding]:
    """Findings when the surface or the environment is not in the catalogue: nothing else can be checked then."""
    findings: list[Finding] = []
    if spec.surface not in catalogue.surfaces:
        findings.append(_unknown("surface.known", "/surface", spec.surface, sorted(catalogue.surfaces)))
    if spec.environment not in catalogue.environments:
        known, default = sorted(catalogue.environments), catalogue.default_environment
        findings.append(_unknown("environment.known", "/environment", spec.environment, known, default))
    return findings


def _unknown(code: str, at: str, name: str, allowed: list[str], default: str | None = None) -> Finding:
    close = nearest(name, allowed)
    likely = meant(name, allowed)
    cures = [Cure(f"use {likely}", nest(at, likely))] if likely else []
    if default is not None and likely is None:
        cures.append(Cure(f"use {default}, the default", nest(at, default)))
    fault = Fault(at, "The catalogue has no such entry.", got=name, allowed=allowed, nearest=close, cures=cures)
    return as_finding(code, "block", fault)


CHECKS = (
    Check(
        "spec.unknown_field",
        "block",
        doc="""Every field of a spec has a name the server knows.

A misspelt field that is dropped in silence is a setting that somebody believes to be in force.""",
    ),
    Check("spec.missing_field", "block", doc="Every field that a spec cannot do without is there.", curable=False),
    Check("spec.wrong_value", "block", doc="Every field holds a value of its type."),
    Check(
        "surface.known",
        "block",
        doc="The surface is in the catalogue, which says what may vary there and who answers for it.",
    ),
    Check(
        "environment.known",
        "block",
        doc="The environment is in the catalogue, which says which backends deliver there.",
    ),
)
"""Only their documentation: `read_spec` and `unknown_place` find them, since no case exists without a spec."""
