"""What can be looked up: catalogue entries in full, checks, the spec's schema, and the names of everything."""

from __future__ import annotations

from typing import Literal

from ..checks.all_checks import CHECKS
from ..checks.documentation import section
from ..documents import JsonObject
from ..errors import NotFound
from ..model.experiment import Spec
from ..names import nearest, same_name
from .cases import production_of
from .dependencies import Dependencies
from .drafts import known_surface
from .surface_detail import SurfaceDetail
from .surfaces import surface_view

Kind = Literal["surface", "metric", "backend", "experiment", "check"]


def surface_document(deps: Dependencies, key: str) -> JsonObject:
    """A surface as the catalogue has it, with what is free and in production now.

    Raises:
        NotFound: with the nearest keys.
    """
    catalogue = deps.catalogue.current()
    known = known_surface(catalogue, key)
    production = production_of(deps, catalogue, known, catalogue.default_environment)
    with deps.store.read() as view:
        now = surface_view(deps, catalogue, view, known, SurfaceDetail(catalogue, known, production, ""))
    entry: JsonObject = catalogue.surfaces[known].model_dump(mode="json", by_alias=True, exclude_none=True)
    situation: JsonObject = now.model_dump(mode="json", exclude_none=True, include={"layers", "holdouts", "recent"})
    return {"key": known, **entry, "now": {**situation, "production": production}}


def metric_document(deps: Dependencies, key: str) -> JsonObject:
    """A metric as the catalogue has it.

    Raises:
        NotFound: with the nearest keys.
    """
    metrics = deps.catalogue.current().metrics
    known = key if key in metrics else same_name(key, metrics)
    if known is None:
        raise NotFound("The catalogue has no such metric.", got=key[:100], nearest=nearest(key, metrics))
    entry: JsonObject = metrics[known].model_dump(mode="json", by_alias=True, exclude_none=True)
    return {"key": known, **entry}


def check_text(code: str) -> str:
    """A check's section of the documentation, as Markdown.

    Raises:
        NotFound: with the nearest codes.
    """
    check = CHECKS.get(code)
    if check is None:
        raise NotFound("There is no check with this code.", got=code[:100], nearest=nearest(code, CHECKS))
    return section(check)


def spec_schema() -> JsonObject:
    """JSON Schema of a full spec."""
    return Spec.model_json_schema()


def names(deps: Dependencies, kind: Kind) -> list[str]:
    """Every name of a kind, for completions."""
    if kind == "check":
        return sorted(CHECKS)
    if kind == "experiment":
        with deps.store.read() as view:
            return view.keys()
    catalogue = deps.catalogue.current()
    if kind == "backend":
        return catalogue.backend_names
    return sorted(catalogue.surfaces if kind == "surface" else catalogue.metrics)
