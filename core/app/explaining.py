"""Why a unit gets what it gets."""

from __future__ import annotations

from pydantic import JsonValue

from ..assignment import Decision, decide
from ..audience import asked_for, described, fits_type, named
from ..checks.shape import read_spec
from ..documents import require_storable
from ..errors import Invalid, NotAllowed
from ..model.answers import Explanation
from ..model.catalogue import Catalogue
from ..model.delivery import Assignment
from ..model.experiment import Record, Spec
from ..model.plan import Operation
from ..names import nearest
from ..planning.compile import assignment_of
from ..ports.backend import Assigner, assigns
from ..ports.store import Reader
from ..wording import percent
from . import calls
from .cases import production_of, require
from .delivered import OPENING, delivered
from .dependencies import Dependencies
from .narrowing import past_places
from .testing import tested_beside


def assignment_now(deps: Dependencies, view: Reader, record: Record, unit: str) -> Assignment:
    """The assignment that decides about a unit: the one that was delivered, whatever the catalogue has become since.
    A draft's spec of today decides about all but its test units.

    Raises:
        NotAllowed: the draft does not parse, or has no control yet.
        CatalogueBroken: it is a draft, and the catalogue does not load.
    """
    draft = record.state == "draft"
    found = delivered(view, record, frozenset({"preview"}) if draft else OPENING)
    if found is not None and (not draft or any(unit in units for units in found.previews.values())):
        return found
    return _of_today(deps, view, record)


def _of_today(deps: Dependencies, view: Reader, record: Record) -> Assignment:
    spec = read_spec(record.document)
    if not isinstance(spec, Spec) or spec.control is None:
        raise NotAllowed(f"{record.key} is not complete yet.", next=calls.look_at(record.key))
    catalogue = deps.catalogue.current()
    return assignment_of(
        record.key,
        spec,
        catalogue,
        production_of(deps, catalogue, spec.surface, spec.environment),
        ranges=view.ranges_of(record.key),
        launch=record.launches,
        coverage=1.0,
        on=(record.started or deps.clock.now()).date(),
        previews=view.previews(record.key),
    )


def _assigner(deps: Dependencies, view: Reader, record: Record, assignment: Assignment) -> Assigner:
    """The one that decides, or did, about the experiment; a draft's is the catalogue's."""
    for place, opens in reversed(past_places(view, record.key)):
        backend = deps.backend(place.kind)
        if opens and assigns(backend):
            return backend
    catalogue = deps.catalogue.current()
    name = catalogue.route(assignment.surface, assignment.environment).assigner
    return deps.assigner(catalogue, assignment.environment, name)


def explain(deps: Dependencies, key: str, unit: str, attributes: dict[str, JsonValue]) -> Explanation:
    """What one unit gets, and why: named test units come first, then audience, layer bucket, holdout and variant.

    `because` is the first of them that decided; `steps` lists the rules in this order, the list of test units left out.

    Raises:
        NotFound: no such experiment.
        NotAllowed: the draft does not parse, or has no control yet.
        Invalid: an attribute that the catalogue does not have, a value that is not of its type, or a character that
            cannot be seen.
    """
    require_storable({"unit": unit, **attributes}, "the unit's attributes")
    with deps.store.read() as view:
        record = require(view, key)
        _require_attributes(deps.catalogue.current(), attributes)
        assignment = assignment_now(deps, view, record, unit)
        assigner = _assigner(deps, view, record, assignment)
        alone = assigner.capabilities.previews_alone
        beside = tested_beside(view, key, assignment.layer_seed, unit) if alone else None
        last = view.last_operation(key)
    opening = last if last is not None and last.opened and not last.settled else None
    context = {**attributes, assignment.unit_attribute: unit}
    decision = decide(assignment, context, assigner.hashing)
    if beside is not None and decision.because != "preview":
        detail = f"named test unit of {beside}, and so in no other experiment of the layer"
        decision = Decision(variant=None, because="preview_beside", detail=detail)
    if decision.because == "preview" and assigner.capabilities.previews_tracked:
        detail = f"named test unit of {decision.variant}, whose exposures the assigner tells like all others"
        decision = decision.model_copy(update={"detail": detail})
    serving = record.state == "running" or (decision.because == "preview" and record.state == "draft")
    variant = decision.variant if serving else None
    index = assignment.variants.index(variant) if variant is not None else 0
    parameters: dict[str, JsonValue] = {name: values[index] for name, values in assignment.parameters.items()}
    unknown = serving and decision.because == "assigner"
    if unknown:
        parameters = {}
        decision = decision.model_copy(update={"detail": assigner.capabilities.why["allocates"]})
    elif variant is None:
        parameters = {name: assignment.production[name] for name in assignment.parameters}
    return Explanation(
        key=key,
        unit=unit,
        state=record.state,
        variant=variant,
        because=decision.because if serving else "not_running",
        detail=_detail(decision, assignment, attributes) if serving else _at_rest(record, opening, decision),
        steps=_steps(assignment, decision, by_hash=assigner.hashing is not None),
        parameters=parameters,
    )


def _require_attributes(catalogue: Catalogue, attributes: dict[str, JsonValue]) -> None:
    for name, value in attributes.items():
        known = catalogue.attributes.get(name)
        if known is None:
            raise Invalid(
                "The catalogue has no such attribute.",
                got=name[:100],
                allowed=sorted(catalogue.attributes)[:20],
                nearest=nearest(name, catalogue.attributes),
            )
        if not fits_type(value, known.type):
            raise Invalid(f"{name} holds {named(known.type)}.", got=value, allowed=list(known.shares)[:20])


def _at_rest(record: Record, opening: Operation | None, decision: Decision) -> str:
    """
    Args:
        opening: what was to let units in, or had let them in, and is not settled.
    """
    if opening is not None:
        if decision.because == "assigner":
            return f"the {opening.change} is under way or stuck, and traffic may be open: {decision.detail}"
        served = f"be served {decision.variant}" if decision.variant is not None else "get production values"
        return f"the {opening.change} is under way or stuck, and traffic may be open: the unit would {served} then"
    return f"the experiment is {record.state}; everybody gets production values"


def _detail(decision: Decision, assignment: Assignment, attributes: dict[str, JsonValue]) -> str:
    """Why, with every attribute that the audience asks for and nobody gave."""
    missing = [name for name in asked_for(assignment.audience) if name not in attributes]
    if decision.because != "audience" or not missing:
        return decision.detail
    told = f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing"
    return told if decision.detail.endswith(" is missing") else f"{decision.detail}; {told}"


def _steps(assignment: Assignment, decision: Decision, *, by_hash: bool) -> list[str]:
    lines = [f"audience: {described(assignment.audience)}"]
    if not by_hash:
        given = percent(assignment.share)
        return [*lines, f"layer {assignment.layer_seed}: {given} of its units, by the assigner", _split(assignment)]
    ranges = ", ".join(f"{part.lo}-{part.hi - 1}" for part in assignment.ranges) or "none held"
    lines.append(f"layer {assignment.layer_seed}: buckets {ranges}")
    if decision.layer_bucket is not None:
        lines[-1] += f"; the unit's is {decision.layer_bucket}"
    lines += [f"holdout {each.holdout}: the lowest {percent(each.share)}" for each in assignment.exclusions]
    lines.append(_split(assignment))
    if decision.variant_bucket is not None:
        lines[-1] += f"; the unit's bucket is {decision.variant_bucket}"
    return lines


def _split(assignment: Assignment) -> str:
    shares = zip(assignment.variants, assignment.weights, strict=True)
    return f"variants by {assignment.seed}: {', '.join(f'{name} {weight:g}' for name, weight in shares)}"
