"""Put together what the checks look at."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from ..checks.all_checks import CASE_CHECKS, run_checks
from ..checks.engine import Case, Check, worst_first
from ..checks.shape import read_spec, unknown_place
from ..documents import JsonObject, digest
from ..errors import BackendFailed, NotFound
from ..model.catalogue import Catalogue
from ..model.experiment import LAUNCHED, Record, Spec
from ..model.finding import OVERRIDABLE, Finding
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
    checks: tuple[Check, ...] = CASE_CHECKS,
    started: date | None = None,
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
        started=started,
        first=_is_first(view, catalogue, spec.surface),
        agreed=agreed(view, key, document) if catalogue.surfaces[spec.surface].required_reviewers else frozenset(),
        chosen=frozenset(chosen) if chosen is not None else None,
    )
    return case, _with_overrides(view, key, document, run_checks(case, checks))


def _is_first(view: Reader, catalogue: Catalogue, surface: str) -> bool:
    """Whether nothing was ever launched on a surface; not asked of one whose A/A test is known."""
    if catalogue.surfaces[surface].aa_tested is not None:
        return False
    return not view.search(surface=surface, states=LAUNCHED, limit=1)


def agreed(view: Reader, key: str, document: JsonObject) -> frozenset[str]:
    """Teams that said yes to this very document."""
    return frozenset(review.team for review in view.reviews(key, digest(document)) if review.approved)


def _with_overrides(view: Reader, key: str, document: JsonObject, findings: list[Finding]) -> list[Finding]:
    """The findings, those marked that a person lets stand in this very document; of equals they come last."""
    if not any(finding.severity in OVERRIDABLE for finding in findings):
        return findings
    lifted = {(each.code, each.pointer): str(each) for each in view.overrides(key, digest(document))}
    marked = [
        finding.model_copy(update={"overridden": lifted.get((finding.code, finding.at))})
        if finding.severity in OVERRIDABLE
        else finding
        for finding in findings
    ]
    return worst_first(sorted(marked, key=lambda finding: finding.overridden is not None))


def require(view: Reader, key: str, version: int | None = None) -> Record:
    """The record of an experiment.

    Raises:
        NotFound: no experiment has the key (or never had that version).
    """
    record = view.experiment(key)
    if record is None:
        close = nearest(key, view.keys())
        hint = calls.look_at(close[0]) if close else calls.find_experiments()
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
