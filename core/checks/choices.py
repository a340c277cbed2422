"""What may stand where a spec has nothing, or null, and what the server would choose there."""

from __future__ import annotations

from collections.abc import Sequence

from ..documents import JsonObject, canonical, nest
from ..model.catalogue import Catalogue
from ..model.finding import Finding
from .engine import Cure, Fault, as_finding
from .stand_ins import usual_at, usual_spec

REASONS = {
    "/layer": "where the varied parameters lie",
    "/unit": "the surface's",
    "/environment": "the default",
    "/allocation": "the surface's usual",
    "/design": "the surface's policy",
    "/design/alpha": "the surface's policy",
    "/design/power": "the surface's policy",
    "/design/days": "the surface's usual",
}
"""Places for which the surface or the catalogue has a value, and why it is that one."""
NOTHING = "a null"


def with_choices(findings: Sequence[Finding], document: JsonObject, catalogue: Catalogue) -> list[Finding]:
    """The findings; those of places that are empty and that the server could fill say with what, and offer it."""
    usual = usual_spec(document, catalogue)
    if usual is None:
        return list(findings)
    return [_with_choice(finding, usual, catalogue) if _is_empty(finding) else finding for finding in findings]


def _is_empty(finding: Finding) -> bool:
    return finding.at in REASONS and (finding.code == "spec.missing_field" or finding.got == NOTHING)


def _with_choice(finding: Finding, usual: JsonObject, catalogue: Catalogue) -> Finding:
    value = usual_at(usual, finding.at.split("/")[1:])
    shown = value if isinstance(value, str) else canonical(value)
    cure = Cure(f"use {shown}, {REASONS[finding.at]}", nest(finding.at, value))
    surface = catalogue.surfaces[str(usual["surface"])]
    known = {"/layer": list(surface.layers), "/unit": [surface.unit], "/environment": sorted(catalogue.environments)}
    fault = Fault(finding.at, finding.message, got=finding.got, allowed=known.get(finding.at, []), cures=[cure])
    return as_finding(finding.code, finding.severity, fault)
