"""Shape: whether a document is a spec at all. These come first, because nothing else can be asked without it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import JsonValue, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from ..documents import JsonObject, canonical, nest, pointer
from ..model.catalogue import Catalogue
from ..model.experiment import Spec
from ..model.finding import Finding
from ..names import meant, nearest, spelled
from .derived import derived, is_given, is_name, surface_of
from .engine import Check, Cure, Fault, as_finding, worst_first
from .places import (
    WANTED,
    allowed_fields,
    key_cures,
    key_options,
    path_of,
    plain_cures,
    renamings,
    shown,
    unknown_field,
    wanted,
    with_value,
)

_QUOTED = re.compile(r"'([^']*)'")
UNREADABLE = frozenset({"model_type", "model_attributes_type", "dict_type", "string_type"})
"""Faults of values that are no object, or no text, where one belongs: often nothing can be read in them."""
TYPED: dict[str, type[bool] | type[int] | type[float]] = {"bool_type": bool, "int_type": int, "float_type": float}
"""Faults of texts that pydantic reads as values of another type unless it is told to be strict."""


def read_spec(document: JsonObject, catalogue: Catalogue | None = None) -> Spec | list[Finding]:
    """The spec, or a finding for every place where the document is not one.

    Args:
        catalogue: gives what a field should hold; without it, fewer findings have a fix.
    """
    try:
        spec = Spec.model_validate(document)
    except ValidationError as error:
        return worst_first(_findings(document, catalogue, error))
    return worst_first([*_read_out_of_texts(document)]) or spec


def _read_out_of_texts(document: JsonObject) -> Iterator[Finding]:
    """Findings for texts that stand where a number, true or false belongs: what reads them as one may read another."""
    try:
        Spec.model_validate(document, strict=True)
    except ValidationError as error:
        for fault in error.errors(include_url=False):
            given = fault.get("input")
            if fault["type"] in TYPED and isinstance(given, str):
                yield _text_finding(document, fault["type"], path_of(fault["loc"]), given)


def _text_finding(document: JsonObject, kind: str, path: list[int | str], given: str) -> Finding:
    read: bool | float = TypeAdapter(TYPED[kind]).validate_python(given)
    cure = Cure(f"use {canonical(read)} itself", with_value(document, path, read))
    fault = Fault(pointer(*path), f"This must be {WANTED[kind]}, not a text.", got=shown(given), cures=[cure])
    return as_finding("spec.wrong_value", "block", fault)


@dataclass(frozen=True)
class _Slip:
    """What pydantic found at one place of a document."""

    document: JsonObject
    catalogue: Catalogue | None
    kind: str
    wanted: str
    path: list[int | str]
    given: JsonValue
    options: list[str]
    is_key: bool

    @property
    def at(self) -> str:
        return pointer(*self.path)

    def derived(self) -> list[Cure]:
        found = derived(self.document, self.catalogue, self.path)
        return [Cure(found.effect, with_value(self.document, self.path, found.value))] if found else []


def _findings(document: JsonObject, catalogue: Catalogue | None, error: ValidationError) -> list[Finding]:
    findings: list[Finding] = []
    places: dict[tuple[str, bool], list[ErrorDetails]] = defaultdict(list)
    for fault in error.errors(include_url=False):
        places[pointer(*path_of(fault["loc"])), "[key]" in fault["loc"]].append(fault)
    for (_, is_key), faults in places.items():
        fault = faults[0]
        needed = " or ".join(dict.fromkeys(wanted(each["type"], each.get("ctx", {})) for each in faults))
        options = _QUOTED.findall(str(fault.get("ctx", {}).get("expected", "")))
        path, given = path_of(fault["loc"]), fault.get("input")
        slip = _Slip(document, catalogue, fault["type"], needed, path, given, options, is_key)
        code, described = _describe(slip)
        findings.append(as_finding(code, "block", described))
    return findings


def _describe(slip: _Slip) -> tuple[str, Fault]:
    if slip.kind == "extra_forbidden":
        return "spec.unknown_field", unknown_field(slip.document, slip.path, slip.given)
    if slip.kind == "missing":
        return _missing(slip, "The spec needs this field.")
    if slip.is_key:
        cures = key_cures(slip.document, slip.path)
        return "spec.wrong_value", Fault(slip.at, f"This must be {slip.wanted}.", shown(slip.given), cures=cures)
    plain = plain_cures(slip.document, slip.path, slip.given)
    if slip.given is None and not plain:
        return _missing(slip, "The spec needs this field, and null is nothing.", got="a null")
    return _wrong_value(slip, plain)


def _missing(slip: _Slip, message: str, got: JsonValue = None) -> tuple[str, Fault]:
    if is_given(slip.document, slip.catalogue, slip.path):
        renamed = renamings(slip.document, slip.path)
        return "spec.derived_field", Fault(slip.at, message, got, cures=renamed or slip.derived())
    return "spec.missing_field", Fault(slip.at, message, got, allowed=allowed_fields(slip.path[:-1]))


def _wrong_value(slip: _Slip, plain: list[Cure]) -> tuple[str, Fault]:
    text = slip.given if isinstance(slip.given, str) else None
    message = f"This must be {slip.wanted}."
    options = slip.options if slip.kind == "literal_error" else []
    if options:
        message = "This is none of the allowed values."
    elif text is not None and slip.kind == "string_pattern_mismatch":
        options = key_options(slip.catalogue, slip.path)
    likely = meant(text, options) if text is not None else None
    cures = [Cure(f"use {likely}", with_value(slip.document, slip.path, likely))] if likely else plain
    if not cures and is_name(slip.path):
        cures = slip.derived()
    lost = slip.kind in UNREADABLE and not cures and not is_given(slip.document, slip.catalogue, slip.path)
    close = nearest(text, options, 1) if text is not None else []
    code = "spec.unreadable_value" if lost else "spec.wrong_value"
    return code, Fault(slip.at, message, shown(slip.given), options, close, cures)


def unknown_place(spec: Spec, catalogue: Catalogue) -> list[Finding]:
    """Findings when the surface or the environment is not in the catalogue, which says what the rest is held to."""
    findings: list[Finding] = []
    if spec.surface not in catalogue.surfaces:
        known = sorted(catalogue.surfaces)
        having = None if spelled(spec.surface, known) else surface_of(spec.model_dump(mode="json"), catalogue)
        cure = (having, f"use {having}, which alone has its parameters") if having else None
        findings.append(_unknown("surface.known", "/surface", spec.surface, known, cure))
    if spec.environment not in catalogue.environments:
        known, default = sorted(catalogue.environments), catalogue.default_environment
        cure = None if meant(spec.environment, known) else (default, f"use {default}, the default")
        findings.append(_unknown("environment.known", "/environment", spec.environment, known, cure))
    return findings


def _unknown(code: str, at: str, name: str, allowed: list[str], better: tuple[str, str] | None) -> Finding:
    """The finding of a name that the catalogue does not have.

    Args:
        better: the name to use and what that does; else the one that is meant, if any.
    """
    likely = meant(name, allowed)
    value, effect = better or (likely, f"use {likely}")
    cures = [Cure(effect, nest(at, value))] if value else []
    message = "The catalogue has no such entry."
    fault = Fault(at, message, got=name, allowed=allowed, nearest=nearest(name, allowed), cures=cures)
    return as_finding(code, "block", fault)


CHECKS = (
    Check(
        "spec.unknown_field",
        "block",
        doc="""Every field of a spec has a name the server knows.

A misspelt field that is dropped in silence is a setting that somebody believes to be in force.""",
    ),
    Check(
        "spec.missing_field",
        "block",
        doc="""Every field is there that a spec cannot do without and that only its author knows.

The name, the hypothesis, the variants and which metrics there are: no machine can know what somebody wants to find out.
A null is as good as nothing. Of what others give, spec.derived_field tells.""",
        curable=False,
    ),
    Check(
        "spec.derived_field",
        "block",
        doc="""Every field is there that the catalogue or the rest of the spec gives.

The surface by its parameters, the layer, the unit, the environment, the design, the allocation, a weight by the other
weights, the direction by the effect, the role by the number beside it, a metric that the surface requires or the
hypothesis names. A null is as good as nothing.""",
    ),
    Check(
        "spec.wrong_value",
        "block",
        doc="""Every field holds a value of its type, and one that is allowed there.

What is near to such a value, has a default, or is given by others (spec.derived_field) is mended.""",
    ),
    Check(
        "spec.unreadable_value",
        "block",
        doc="""A field that only its author knows holds something that can be read as what belongs there.

A number where a hypothesis belongs, a list where an object belongs: the meaning is not in the document, so no machine
can know it. What has a default can be left out instead, and falls under spec.wrong_value.""",
        curable=False,
    ),
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
