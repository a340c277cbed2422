"""Put together what the checks look at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta

from ..checks.all_checks import CASE_CHECKS, run_checks
from ..checks.coordination import NAMED
from ..checks.engine import Case, Check, Fault, as_finding, worst_first
from ..checks.shape import read_spec, unknown_place
from ..checks.stand_ins import beside, completed, stood_in
from ..checks.statistics import POWER
from ..documents import JsonObject, canonical, digest, same
from ..errors import BackendFailed, NotFound
from ..model.catalogue import Catalogue
from ..model.experiment import LAUNCHED, Record, Spec, substance
from ..model.finding import OVERRIDABLE, Finding
from ..names import nearest
from ..planning.agenda import is_swept, unasked
from ..planning.buckets import layer_name
from ..planning.choose_size import ALLOCATION, DAYS
from ..planning.neighbours import audiences_met, meeting, surfaces_beside
from ..planning.slots import whole_slots
from ..ports.capabilities import ANYTHING
from ..ports.store import HeldRange, LiveGroup, Member, Reader
from . import calls
from .dependencies import Dependencies
from .remembering import precedents
from .trying import tried

OUTSIDE = "outside Crossfade"
"""Stands for the layer of what others run: none can have this name, so nothing excludes it."""
MENDED_BY_A_SIZE = frozenset({"power.sufficient", "allocation.available"})
"""Codes of what another size mends."""


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
    fresh: bool = False,
    trying: bool = True,
) -> tuple[Case | None, list[Finding]]:
    """The case of a document and all its findings, whose fixes were tried.

    Args:
        chosen: pointers to what the server chose, where that is known.
        fresh: the document is new in more than words, so that nobody has let anything stand in it.
        trying: try the fixes of what blocks, which costs as much again for each.
    """
    chosen = frozenset(chosen) if chosen is not None else None

    def examined(other: JsonObject, *, fresh: bool = True) -> tuple[Case | None, list[Finding]]:
        return _examine(
            deps, catalogue, view, key, other, strict=strict, checks=checks, started=started, chosen=chosen, fresh=fresh
        )

    case, findings = examined(document, fresh=fresh)
    if not trying or not any(finding.blocks and finding.fixes for finding in findings):
        return case, findings
    # What lacks units shows only once there is a size: that is for the caller to read, and `next` mends it.
    hidden = case is None or case.size is None or _is_size_chosen(view, key, document, chosen)
    later = MENDED_BY_A_SIZE if hidden else frozenset[str]()
    return case, tried(document, findings, lambda other: examined(other)[1], later)


def _is_size_chosen(view: Reader, key: str, document: JsonObject, chosen: frozenset[str] | None) -> bool:
    """Whether an update chooses the size of a document again, if its size does not do."""
    if chosen is None:
        record = view.experiment(key) if key else None
        chosen = frozenset(record.generated) if record is not None and same(record.document, document) else frozenset()
    return {ALLOCATION, DAYS} <= chosen


def _examine(
    deps: Dependencies,
    catalogue: Catalogue,
    view: Reader,
    key: str,
    document: JsonObject,
    *,
    strict: bool,
    checks: tuple[Check, ...],
    started: date | None,
    chosen: frozenset[str] | None,
    fresh: bool,
) -> tuple[Case | None, list[Finding]]:
    """The case of a document and all its findings; no case when the document is not a spec on a known surface, where
    what breaks the schema does not hide what is wrong elsewhere."""
    spec, shape, stand_ins = read_spec(document, catalogue), list[Finding](), None
    if not isinstance(spec, Spec):
        shape, stand_ins = spec, stood_in(document, catalogue, spec)
        if stand_ins is None:
            return None, shape
        spec = stand_ins.spec
    lost = unknown_place(spec, catalogue)
    if not all(finding.fixes for finding in lost):
        return None, [*shape, *lost]
    for finding in lost:  # the rest is held against what the first fix names
        spec = spec.model_copy(update=finding.fixes[0].patch)
    surface, layer = catalogue.surfaces[spec.surface], layer_name(spec.environment, spec.surface, spec.layer)
    now = deps.clock.now()
    capabilities = deps.capabilities(catalogue, spec.surface, spec.environment)
    slots = (capabilities or ANYTHING).slots
    case = Case(
        key=key,
        spec=spec,
        catalogue=catalogue,
        production=production_of(deps, catalogue, spec.surface, spec.environment, strict=strict),
        today=now.date(),
        live=[],
        held=_held(view, layer, key, slots),
        started=started,
        first=_is_first(view, catalogue, spec.surface),
        swept=not unasked(spec, 0, now.date()) or is_swept(view.heartbeats(), now),
        chosen=chosen,
        agreed=agreed(view, key, document) if surface.required_reviewers else frozenset(),
        released=whole_slots(view.released(layer, now - timedelta(days=surface.policy.rest_days)), slots),
        capabilities=capabilities,
    )
    case = replace(among_neighbours(view, case), precedents=precedents(view, case))
    found = run_checks(case, checks)
    if lost or stand_ins is not None:
        places = frozenset(finding.at for finding in lost)
        if stand_ins is not None:
            shape, places = completed(shape, document, stand_ins, found), places | stand_ins.places
        return None, worst_first([*shape, *lost, *beside(found, places)])
    found = found if fresh else with_overrides(view, key, document, found)
    return case, _unsized(case, found) if checks is CASE_CHECKS else found


def _held(view: Reader, layer: str, key: str, slots: int) -> list[HeldRange]:
    """What is held of a layer: by others in whole slots, by the experiment itself as it is."""
    held = view.held(layer)
    others = whole_slots([part for part in held if part.key != key], slots)
    return sorted([*others, *(part for part in held if part.key == key)], key=lambda part: part.lo)


def _unsized(case: Case, findings: list[Finding]) -> list[Finding]:
    """The findings; what has no size and is blocked by nothing else is blocked for that, and nobody can let it stand:
    a launch rests on a size, whatever else a person has said."""
    if case.size is not None or any(finding.blocks for finding in findings):
        return findings
    fault = Fault("/design", "No size can be made of these weights, days, alpha, power and looks.")
    return worst_first([as_finding(POWER.code, "block", fault), *findings])


def _is_first(view: Reader, catalogue: Catalogue, surface: str) -> bool:
    """Whether nothing was ever launched on a surface; not asked of one whose A/A test is known."""
    if catalogue.surfaces[surface].aa_tested is not None:
        return False
    return not view.search(surface=surface, states=LAUNCHED, limit=1)


def agreed(view: Reader, key: str, document: JsonObject) -> frozenset[str]:
    """Teams that said yes to this very document."""
    return frozenset(review.team for review in view.reviews(key, digest(document)) if review.approved)


def with_overrides(view: Reader, key: str, document: JsonObject, findings: list[Finding]) -> list[Finding]:
    """The findings, those marked that a person lets stand in this document, whatever its words, and that are the faults
    of then (nobody has been asked about a spec without a key); of equals they come last."""
    if not key or not any(finding.severity in OVERRIDABLE for finding in findings):
        return findings
    lifted = {(each.code, each.pointer, each.fault): str(each) for each in view.overrides(key, substance(document))}
    marked = [
        finding.model_copy(update={"overridden": lifted.get((finding.code, finding.at, finding.fault))})
        if finding.severity in OVERRIDABLE
        else finding
        for finding in findings
    ]
    return worst_first(sorted(marked, key=lambda finding: finding.overridden is not None))


def among_neighbours(view: Reader, case: Case) -> Case:
    """The case with the live experiments around it; a few of those that it would meet by name and owner."""
    spec, catalogue, environment = case.spec, case.catalogue, case.spec.environment
    beside = surfaces_beside(catalogue, spec.surface)
    audiences = audiences_met(spec, catalogue, view.live_audiences(environment, beside))
    live = view.live_beside(environment, beside, audiences, case.today, case.start)
    met = meeting(spec, catalogue, live, case.start)
    known: dict[int, list[Member]] = {}
    for groups in (met.interacting, met.others):
        named = 0
        for group in groups:
            if named >= NAMED:
                break
            found = view.members(group, environment, audiences, case.today, case.start, NAMED)
            known[id(group)], named = found, named + len(found)
    here = view.live_on(spec.surface, environment) - (1 if case.holds else 0)
    shown = [group.model_copy(update={"members": known[id(group)]}) if id(group) in known else group for group in live]
    return replace(case, live=[*shown, *_outside(view, case, beside)], live_here=here)


def _outside(view: Reader, case: Case, beside: list[str]) -> list[LiveGroup]:
    """What others run in the environment's backends on these surfaces, where a unit of the draft's can be in it."""
    spec, backends = case.spec, case.catalogue.environments[case.spec.environment].backends
    near = [each for each in view.imported(spec.environment) if each.surface in beside and each.backend in backends]
    met = {*audiences_met(spec, case.catalogue, sorted({canonical(each.audience) for each in near}))}
    return [
        LiveGroup(
            surface=each.surface,
            layer=OUTSIDE,
            touched=each.touched,
            count=1,
            members=[Member(key=each.key, owner=f"unknown, in {each.backend}", until=None)],
        )
        for each in near
        if canonical(each.audience) in met
    ]


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
