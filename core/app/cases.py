"""Put together what the checks look at."""

from __future__ import annotations

from collections.abc import Iterable

from ..checks.all_checks import run_checks
from ..checks.engine import Case
from ..checks.shape import read_spec, unknown_place
from ..documents import JsonObject
from ..errors import BackendFailed, NotFound
from ..model.catalogue import Catalogue
from ..model.experiment import Record, Spec
from ..model.finding import Finding
from ..names import nearest
from ..planning.buckets import layer_name
from ..ports.store import Reader
from . import calls
from .dependencies import Dependencies


def production_of(
    deps: Dependencies, catalogue: Catalogue, surface: str, environment: str, *, strict: bool = False
) -> JsonObject:
    """Parameter -> value in production, for every parameter of the surface.

    A content backend that cannot be reached leaves the catalogue's initial values, unless `strict`: a draft may be
    written while a backend is down, a plan may not.

    Raises:
        BackendFailed: with `strict`, when a content backend cannot be read.
    """
    values: JsonObject = {name: parameter.initial for name, parameter in catalogue.surfaces[surface].parameters.items()}
    if environment not in catalogue.environments:
        return values
    for name in catalogue.route(surface, environment).content[:1]:
        store = deps.content_store(catalogue, environment, name)
        try:
            current = store.production(catalogue.environments[environment].backends[name].settings, surface)
        except BackendFailed:
            if strict:
                raise
            continue
        values |= {parameter: value for parameter, value in current.items() if parameter in values}
    return values


def examine(
    deps: Dependencies,
    catalogue: Catalogue,
    view: Reader,
    key: str,
    document: JsonObject,
    *,
    strict: bool = False,
    chosen: Iterable[str] | None = None,
) -> tuple[Case | None, list[Finding]]:
    """The case of a document and all its findings; no case when the document is not a spec on a known surface.

    Args:
        chosen: pointers to what the server chose, where that is known.
    """
    spec = read_spec(document)
    if not isinstance(spec, Spec):
        return None, spec
    lost = unknown_place(spec, catalogue)
    if lost:
        return None, lost
    case = Case(
        key=key,
        spec=spec,
        catalogue=catalogue,
        production=production_of(deps, catalogue, spec.surface, spec.environment, strict=strict),
        today=deps.clock.now().date(),
        live=view.live_beside(key, spec.surface, spec.environment),
        held=view.held(layer_name(spec.environment, spec.surface, spec.layer)),
        chosen=frozenset(chosen) if chosen is not None else None,
    )
    return case, run_checks(case)


def require(view: Reader, key: str, version: int | None = None) -> Record:
    """The record of an experiment.

    Raises:
        NotFound: no experiment has the key (or never had that version).
    """
    record = view.experiment(key)
    if record is None:
        close = nearest(key, view.keys())
        hint = f'get_experiment(key="{close[0]}")' if close else "find_experiments()"
        raise NotFound("No experiment has this key.", pointer="/key", got=key[:100], nearest=close, next=hint)
    if version is None or version == record.version:
        return record
    earlier = view.experiment(key, version) if version < record.version else None
    if earlier is None:
        raise NotFound(
            f"{key} has no such version; the newest is {record.version}.",
            pointer="/version",
            got=str(version)[:100],
            next=calls.look_at(key),
        )
    return earlier
