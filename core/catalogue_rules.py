"""Rules over a whole catalogue: what no entry can know about itself.

Each rule is a generator over a loaded catalogue. Together they promise the rest of the core that every name leads
somewhere, every share and curve can be calculated with, and every default can be launched.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise

from pydantic import JsonValue

from .audience import RESERVED, fits_type, parse
from .checks import tightening
from .documents import JsonObject, tokens_of
from .model.catalogue import Attribute, Catalogue, Metric, RequiredMetric, Route, Surface
from .names import nearest
from .planning.buckets import layer_name

Token = str | int
LAUNCH_SEED = re.compile(r"[a-z][a-z0-9-]+/[0-9]+")
ACCRUAL_DAYS = (1, 7, 14, 28)
DIALECT = "https://json-schema.org/draft/2020-12/schema"
SUBSCHEMA_MAPS = frozenset({"$defs", "dependentSchemas", "patternProperties", "properties"})
SUBSCHEMAS = frozenset(
    """additionalProperties allOf anyOf contains else if items not oneOf prefixItems propertyNames then
    unevaluatedItems unevaluatedProperties""".split()  # noqa: SIM905 - a word a line would take a page
)
KEYWORDS = (
    SUBSCHEMA_MAPS
    | SUBSCHEMAS
    | frozenset(
        """$anchor $comment $dynamicAnchor $dynamicRef $id $ref $schema $vocabulary const contentEncoding
        contentMediaType contentSchema default definitions dependentRequired deprecated description enum examples
        exclusiveMaximum exclusiveMinimum format maxContains maxItems maxLength maxProperties maximum minContains
        minItems minLength minProperties minimum multipleOf pattern readOnly required title type uniqueItems
        writeOnly""".split()  # noqa: SIM905 - as above
    )
)
TYPES = ["array", "boolean", "integer", "null", "number", "object", "string"]


@dataclass(frozen=True)
class Problem:
    """One fault in a catalogue: the names that lead to it from the top, and what would be right."""

    at: tuple[Token, ...]
    message: str
    got: JsonValue = None
    allowed: list[str] = field(default_factory=list[str])
    nearest: list[str] = field(default_factory=list[str])


Problems = Iterator[Problem]


def problems(catalogue: Catalogue) -> list[Problem]:
    """Everything that is wrong between the entries of a catalogue, rule by rule; empty when it can be used."""
    return [problem for rule in RULES for problem in rule(catalogue)]


def _unknown(at: tuple[Token, ...], what: str, name: str, allowed: Iterable[str]) -> Problem:
    names = sorted(allowed)
    return Problem(at, f"no such {what}", name, names, nearest(name, names))


def units_have_attributes(catalogue: Catalogue) -> Problems:
    """A unit is randomised by the value of its attribute: without one, nobody can be assigned."""
    for unit, attribute in catalogue.units.items():
        if attribute not in catalogue.attributes:
            yield _unknown(("units", unit), "attribute", attribute, catalogue.attributes)


def attributes_are_no_keywords(catalogue: Catalogue) -> Problems:
    """An audience is a map in which an attribute stands beside `any`, `all` and `not`."""
    for name in catalogue.attributes.keys() & RESERVED:
        yield Problem(("attributes", name), "a word that audiences use themselves; name it otherwise", name)


def ages_are_of_units(catalogue: Catalogue) -> Problems:
    """How old a unit is, is counted in days or told by the day on which the unit came to be."""
    for name, attribute in catalogue.attributes.items():
        at = ("attributes", name, "age_of")
        if attribute.age_of is None:
            continue
        if attribute.age_of not in catalogue.units:
            yield _unknown(at, "unit", attribute.age_of, catalogue.units)
        if attribute.type not in ("integer", "number", "date"):
            allowed = ["integer", "number", "date"]
            yield Problem(at, "how old a unit is, is a number of days or a date", attribute.type, allowed)


def content_can_be_matched(catalogue: Catalogue) -> Problems:
    """Where content lacks a locale or a market is told by a unit's attribute, and production shows what exists."""
    for what, name in catalogue.content_attributes.items():
        if name not in catalogue.attributes:
            yield _unknown(("content_attributes", what), "attribute", name, catalogue.attributes)
    for what in ("locale", "market"):
        needing = next((key for key, item in catalogue.content.items() if getattr(item, f"{what}s") is not None), None)
        if needing is not None and what not in catalogue.content_attributes:
            message = f"content_attributes has to name the attribute that holds a unit's {what}"
            yield Problem(("content", needing, f"{what}s"), message)
    for key, surface in catalogue.surfaces.items():
        for name, parameter in surface.parameters.items():
            if parameter.content:
                values = parameter.initial if isinstance(parameter.initial, list) else [parameter.initial]
                for value in values:
                    if isinstance(value, str) and value not in catalogue.content:
                        at = ("surfaces", key, "parameters", name, "initial")
                        yield _unknown(at, "content", value, catalogue.content)


def stated_audiences_can_be_read(catalogue: Catalogue) -> Problems:
    """Audiences that the catalogue itself states, of restrictions and requirements, are as sound as a draft's."""
    for key, surface in catalogue.surfaces.items():
        stated: list[tuple[tuple[Token, ...], JsonObject | str]] = [
            (("surfaces", key, "restricted", index, "audience"), each.audience)
            for index, each in enumerate(surface.restricted)
        ]
        stated += [
            (("surfaces", key, "parameters", name, "requires"), parameter.requires)
            for name, parameter in surface.parameters.items()
            if parameter.requires is not None
        ]
        for at, raw in stated:
            for problem in parse(raw, catalogue.attributes)[1]:
                tail = tokens_of(problem.at)[1:]
                yield Problem((*at, *tail), problem.message, problem.got, problem.allowed, problem.nearest)


def shares_can_be_summed(catalogue: Catalogue) -> Problems:
    """Audience sizes are sums of shares: they must be shares of one whole, of values that the type can have."""
    for name, attribute in catalogue.attributes.items():
        at = ("attributes", name, "shares")
        total = sum(attribute.shares.values())
        if total > 1 + 1e-9:
            yield Problem(at, f"the shares sum to {total:.6g}; they are parts of one whole, at most 1")
        for value in attribute.shares:
            if not _share_key_fits(value, attribute.type):
                allowed = ["true", "false"] if attribute.type == "boolean" else []
                yield Problem((*at, value), f"not a value of type {attribute.type}", value, allowed)


def _share_key_fits(text: str, kind: str) -> bool:
    """Keys of a map are texts: whether this one reads as a value of the type."""
    if kind == "boolean":
        return text in ("true", "false")
    if kind not in ("integer", "number"):
        return fits_type(text, kind)
    try:
        return fits_type(float(text), kind)
    except (ValueError, OverflowError):
        return False


def quantiles_never_fall(catalogue: Catalogue) -> Problems:
    """The share of units below a value grows with the value; texts have no order, so no quantiles."""
    for name, attribute in catalogue.attributes.items():
        at = ("attributes", name, "quantiles")
        if attribute.quantiles and attribute.type not in ("integer", "number", "date"):
            allowed = ["integer", "number", "date"]
            yield Problem(at, "only numbers and dates have quantiles", attribute.type, allowed)
            continue
        strange = [each for each in attribute.quantiles if isinstance(each, date) != (attribute.type == "date")]
        if strange:
            yield Problem((*at, str(strange[0])), f"not a value of type {attribute.type}", str(strange[0]))
            continue
        if attribute.quantiles and attribute.shares:
            yield Problem(at, "shares and quantiles are two answers to one question; keep one of them")
        for (_, below), (value, share) in pairwise(sorted(attribute.quantiles.items())):
            if share < below:
                key = _key_of(value, attribute)
                yield Problem((*at, key), f"the share below {key} is less than the one before it, {below:g}", share)


def _key_of(value: float | date, attribute: Attribute) -> str:
    """The key as an author most likely wrote it."""
    if isinstance(value, date):
        return value.isoformat()
    return str(int(value)) if attribute.type == "integer" or float(value).is_integer() else str(value)


def metric_names_lead_somewhere(catalogue: Catalogue) -> Problems:
    """A metric is read per unit, sharpened by its covariate, and replaced by its successor: all must exist."""
    for name, metric in catalogue.metrics.items():
        if metric.unit not in catalogue.units:
            yield _unknown(("metrics", name, "unit"), "unit", metric.unit, catalogue.units)
        named = {
            "covariate": metric.covariate,
            "denominator_metric": metric.denominator_metric,
            "replaced_by": metric.replaced_by,
        }
        for role, other in named.items():
            if other is not None and other not in catalogue.metrics:
                yield _unknown(("metrics", name, role), "metric", other, catalogue.metrics)
        yield from _successor(catalogue, name, metric)
        for role, what in (("covariate", "a covariate"), ("denominator_metric", "a denominator")):
            other = catalogue.metrics.get(named[role] or "")
            if other is not None and other.unit != metric.unit:
                message = f"{what} is measured on the metric's own unit, {metric.unit}; this is per {other.unit}"
                yield Problem(("metrics", name, role), message, named[role])


def _successor(catalogue: Catalogue, name: str, metric: Metric) -> Problems:
    successor = catalogue.metrics.get(metric.replaced_by or "")
    if successor is None:
        return
    at = ("metrics", name, "replaced_by")
    if metric.status != "deprecated":
        yield Problem(at, "the metric is still active; set `status: deprecated`, or leave replaced_by out")
    if successor.status == "deprecated":
        yield Problem(at, "the successor is deprecated itself; name the one in use", metric.replaced_by)


def baselines_can_be_used(catalogue: Catalogue) -> Problems:
    """Sample sizes divide by the baseline and multiply by its variance: neither may be absent or degenerate."""
    for name, metric in catalogue.metrics.items():
        at, mean = ("metrics", name, "baseline"), metric.baseline.mean
        if metric.kind == "proportion" and not 0 < mean < 1:
            yield Problem((*at, "mean"), "the rate of a proportion lies between 0 and 1, both excluded", mean)
        if metric.kind == "proportion" and metric.baseline.variance is not None:
            yield Problem((*at, "variance"), "the variance of a proportion is rate * (1 - rate); leave it out")
        if metric.kind != "proportion" and metric.baseline.variance is None:
            yield Problem((*at, "variance"), f"missing: a {metric.kind} needs its variance per unit over the window")
        if mean == 0:
            yield Problem((*at, "mean"), "effects and margins are relative: a baseline of 0 has none", mean)
        raised = mean * (1 + (metric.mde or 0))
        if metric.kind == "proportion" and metric.better == "up" and 0 < mean < 1 <= raised:
            yield Problem(("metrics", name, "mde"), f"raises the rate {mean:g} to {raised:.4g}, above 1", metric.mde)


def companions_fit_the_kind(catalogue: Catalogue) -> Problems:
    """What is said of a metric beside its baseline has something to refer to: a correlation its covariate, a metric
    below the line a ratio, a skewness a distribution that the rate alone does not tell."""
    for name, metric in catalogue.metrics.items():
        at = ("metrics", name)
        if metric.correlation is not None and metric.covariate is None:
            yield Problem((*at, "correlation"), "a correlation with what? Name the covariate", metric.correlation)
        if metric.denominator_metric is not None and metric.kind != "ratio":
            yield Problem((*at, "denominator_metric"), f"only a ratio has a denominator; this is a {metric.kind}")
        if metric.denominator_metric == name:
            yield Problem((*at, "denominator_metric"), "a ratio is not its own denominator", name)
        if metric.kind == "proportion" and metric.baseline.skew is not None:
            yield Problem((*at, "baseline", "skew"), "the skewness of a proportion follows from its rate; leave it out")


def sources_fit_the_kind(catalogue: Catalogue) -> Problems:
    """A ratio needs what stands below the line, a mean what is summed; anything else needs neither."""
    for name, metric in catalogue.metrics.items():
        at, source = ("metrics", name, "source"), metric.source
        if metric.kind == "ratio" and source.denominator is None:
            yield Problem((*at, "denominator"), "missing: a ratio needs the column summed below the line")
        if metric.kind != "ratio" and source.denominator is not None:
            yield Problem((*at, "denominator"), f"only a ratio has a denominator; this is a {metric.kind}")
        if metric.kind == "mean" and source.value is None:
            yield Problem((*at, "value"), "missing: a mean needs the column that is summed (a count needs none)")


def surface_metrics_fit(catalogue: Catalogue) -> Problems:
    """Experiments on the surface are proposed these metrics: they must exist, be in use, and be read in time."""
    for key, surface in catalogue.surfaces.items():
        for name in surface.required_metrics:
            at = ("surfaces", key, "required_metrics", name)
            yield from _metric_fits(at, name, catalogue, surface.unit, surface.policy.days)
        for index, name in enumerate(surface.suggested_metrics):
            at = ("surfaces", key, "suggested_metrics", index)
            yield from _metric_fits(at, name, catalogue, surface.unit, surface.policy.max_days)


def _metric_fits(at: tuple[Token, ...], name: str, catalogue: Catalogue, unit: str, days: int) -> Problems:
    metric = catalogue.metrics.get(name)
    if metric is None:
        yield _unknown(at, "metric", name, catalogue.metrics)
        return
    if metric.status == "deprecated":
        hint = [metric.replaced_by] if metric.replaced_by else []
        yield Problem(at, "the metric is deprecated", name, nearest=hint)
    if metric.unit != unit:
        yield Problem(
            at, f"the metric is per {metric.unit}, the surface randomises by {unit}; the two must be one", name
        )
    if metric.window_days > days:
        message = f"its window of {metric.window_days} days is longer than the {days} that the policy has for it"
        yield Problem(at, message, name)


def metric_roles_make_sense(catalogue: Catalogue) -> Problems:
    """A guardrail needs a margin that the policy allows, and a success metric an effect to be sized for."""
    for key, surface in catalogue.surfaces.items():
        for name, required in surface.required_metrics.items():
            metric = catalogue.metrics.get(name)
            if metric is not None:
                yield from _role(("surfaces", key, "required_metrics", name), metric, required, surface)
        for index, name in enumerate(surface.suggested_metrics):
            metric = catalogue.metrics.get(name)
            if metric is not None and metric.mde is None:
                at = ("surfaces", key, "suggested_metrics", index)
                yield Problem(at, "suggested for success, but the metric has no mde", name)


def _role(at: tuple[Token, ...], metric: Metric, required: RequiredMetric, surface: Surface) -> Problems:
    if required.role != "guardrail":
        if required.margin is not None:
            yield Problem((*at, "margin"), f"only a guardrail has a margin; this is a {required.role} metric")
        if required.role == "success" and metric.mde is None:
            yield Problem(at, "required for success, but the metric has no mde")
        return
    margin = metric.margin if required.margin is None else required.margin
    if margin is None:
        yield Problem((*at, "margin"), "missing: neither the surface nor the metric gives this guardrail a margin")
    elif margin > surface.policy.max_margin:
        message = f"the margin {margin:g} is wider than the policy's max_margin {surface.policy.max_margin:g}"
        yield Problem((*at, "margin") if required.margin is not None else at, message)


def layers_are_used(catalogue: Catalogue) -> Problems:
    """Each parameter is in one layer that exists; a layer without parameters is most likely a misspelt one."""
    for key, surface in catalogue.surfaces.items():
        for name, parameter in surface.parameters.items():
            if parameter.layer not in surface.layers:
                at = ("surfaces", key, "parameters", name, "layer")
                yield _unknown(at, "layer", parameter.layer, surface.layers)
        for name in surface.layers.keys() - {parameter.layer for parameter in surface.parameters.values()}:
            yield Problem(("surfaces", key, "layers", name), "no parameter is in this layer")


def components_are_shared(catalogue: Catalogue) -> Problems:
    """A component tells which experiments interact: one that a single parameter has is most likely misspelt."""
    places: dict[str, list[tuple[str, str]]] = {}
    for key, surface in catalogue.surfaces.items():
        for name, parameter in surface.parameters.items():
            if parameter.component is not None:
                places.setdefault(parameter.component, []).append((key, name))
    for component, [(key, name), *others] in places.items():
        if not others:
            close = nearest(component, places.keys() - {component})
            at = ("surfaces", key, "parameters", name, "component")
            yield Problem(at, "no other parameter has this component", component, nearest=close)


def holdouts_leave_enough(catalogue: Catalogue) -> Problems:
    """A holdout measures one population, kept out by a hash of its own, and leaves most units to experiments."""
    salts: dict[str, str] = {}
    for key, holdout in catalogue.holdouts.items():
        for index, surface in enumerate(holdout.surfaces):
            if surface not in catalogue.surfaces:
                at = ("holdouts", key, "surfaces", index)
                yield _unknown(at, "surface", surface, catalogue.surfaces)
        units = {catalogue.surfaces[name].unit for name in holdout.surfaces if name in catalogue.surfaces}
        if len(units) > 1:
            message = f"its surfaces randomise {' and '.join(sorted(units))}: two populations, two holdouts"
            yield Problem(("holdouts", key, "surfaces"), message)
        if holdout.salt in salts:
            message = f"the holdout {salts[holdout.salt]} has this salt too, so both keep the same units out"
            yield Problem(("holdouts", key, "salt"), message, holdout.salt)
        salts.setdefault(holdout.salt, key)
    for name in catalogue.surfaces:
        held = catalogue.holdouts_of(name)
        total = sum(holdout.share for holdout in held.values())
        if len(held) > 1 and total >= 0.5:
            message = f"together {', '.join(held)} hold {total:g} of the units on {name} out; less than 0.5 is allowed"
            yield Problem(("holdouts", list(held)[-1], "share"), message)


def holdouts_have_seeds_of_their_own(catalogue: Catalogue) -> Problems:
    """A salt that seeds something else as well makes a holdout of a layer's first buckets, or of one variant."""
    layers = {
        layer_name(environment, key, layer)
        for environment in catalogue.environments
        for key, surface in catalogue.surfaces.items()
        for layer in surface.layers
    }
    for key, holdout in catalogue.holdouts.items():
        if holdout.salt in layers:
            yield Problem(
                ("holdouts", key, "salt"),
                "this is the seed of a layer: the holdout keeps out the same buckets of it, and no others",
                holdout.salt,
            )
        elif LAUNCH_SEED.fullmatch(holdout.salt):
            message = "this has the form of the seed of an experiment's launch, key/number"
            yield Problem(("holdouts", key, "salt"), message, holdout.salt)


def surfaces_have_units(catalogue: Catalogue) -> Problems:
    """The unit is what gets randomised."""
    for key, surface in catalogue.surfaces.items():
        if surface.unit not in catalogue.units:
            yield _unknown(("surfaces", key, "unit"), "unit", surface.unit, catalogue.units)


def routes_name_backends(catalogue: Catalogue) -> Problems:
    """A launch writes to the backends of a route: each must be one of its environment."""
    environments = catalogue.environments
    if catalogue.default_environment not in environments:
        yield _unknown(("default_environment",), "environment", catalogue.default_environment, environments)
    for name, environment in environments.items():
        yield from _route(("environments", name, "default"), environment.default, environment.backends)
    for key, surface in catalogue.surfaces.items():
        for name, route in surface.delivery.items():
            at = ("surfaces", key, "delivery", name)
            if name in environments:
                yield from _route(at, route, environments[name].backends)
            else:
                yield _unknown(at, "environment", name, environments)


def _route(at: tuple[Token, ...], route: Route, backends: Mapping[str, object]) -> Problems:
    if route.assigner not in backends:
        yield _unknown((*at, "assigner"), "backend", route.assigner, backends)
    for index, name in enumerate(route.content):
        if name not in backends:
            yield _unknown((*at, "content", index), "backend", name, backends)


def initial_values_meet_their_schema(catalogue: Catalogue) -> Problems:
    """Payloads are judged by these schemas: a wrong one refuses everything, or lets everything through."""
    for key, surface in catalogue.surfaces.items():
        for name, parameter in surface.parameters.items():
            at = ("surfaces", key, "parameters", name)
            faults = list(_schema_faults((*at, "schema"), parameter.json_schema))
            yield from faults or _initial_faults((*at, "initial"), parameter.json_schema, parameter.initial)


def _schema_faults(at: tuple[Token, ...], schema: JsonObject) -> Problems:
    import jsonschema_rs

    dialect = schema.get("$schema", DIALECT)
    if dialect != DIALECT:
        yield Problem((*at, "$schema"), "another dialect of JSON Schema", dialect, [DIALECT])
        return
    try:
        jsonschema_rs.Draft202012Validator(schema, retriever=_nothing_is_fetched)
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError) as fault:
        path = getattr(fault, "instance_path", [])
        got: JsonValue = getattr(fault, "instance", None)
        if path and path[-1] == "type":
            yield Problem((*at, *path), "no such type", got, TYPES, nearest(str(got), TYPES))
        else:
            yield Problem((*at, *path), f"not a valid JSON Schema 2020-12: {str(fault).splitlines()[0][:200]}")
        return
    yield from _misspelt_keywords(at, schema)


def _nothing_is_fetched(address: str) -> JsonValue:
    raise LookupError("a parameter's schema stands on its own; nothing is fetched")


def _misspelt_keywords(at: tuple[Token, ...], schema: JsonValue) -> Problems:
    """JSON Schema ignores keywords that it does not know, so a misspelt one would check nothing, silently."""
    if isinstance(schema, list):
        for index, inner in enumerate(schema):
            yield from _misspelt_keywords((*at, index), inner)
    if not isinstance(schema, dict):
        return
    for keyword, value in schema.items():
        close = [] if keyword in KEYWORDS else nearest(keyword, KEYWORDS, count=1)
        if close:
            yield Problem((*at, keyword), "no such keyword of JSON Schema", keyword, nearest=close)
        elif keyword in SUBSCHEMA_MAPS and isinstance(value, dict):
            for name, inner in value.items():
                yield from _misspelt_keywords((*at, keyword, name), inner)
        elif keyword in SUBSCHEMAS:
            yield from _misspelt_keywords((*at, keyword), value)


def _initial_faults(at: tuple[Token, ...], schema: JsonObject, initial: JsonValue) -> Problems:
    import jsonschema_rs

    validator = jsonschema_rs.Draft202012Validator(schema, retriever=_nothing_is_fetched)
    for fault in validator.iter_errors(initial):
        yield Problem((*at, *fault.instance_path), f"breaks the parameter's own schema: {fault.message[:200]}")


def accrual_is_a_curve(catalogue: Catalogue) -> Problems:
    """Cumulative unique units never fall, and never outrun days: returning units are counted once."""
    for key, surface in catalogue.surfaces.items():
        at = ("surfaces", key, "accrual")
        absent = [str(day) for day in ACCRUAL_DAYS if day not in surface.accrual]
        if absent:
            yield Problem(at, f"days 1, 7, 14 and 28 are needed; missing {', '.join(absent)}")
        for (day, units), (later, more) in pairwise(sorted(surface.accrual.items())):
            if more < units:
                yield Problem((*at, str(later)), f"fewer unique units than after day {day} ({units:,})", more)
            elif more * day > units * later:
                message = f"grows faster than days since day {day} ({units:,}): at most {units * later // day:,}"
                yield Problem((*at, str(later)), message, more)


def calendars_make_sense(catalogue: Catalogue) -> Problems:
    """Defaults must be allowed by their own limits; whole weeks weigh each weekday alike."""
    for key, surface in catalogue.surfaces.items():
        policy, at = surface.policy, ("surfaces", key, "policy")
        if policy.days % 7:
            yield Problem((*at, "days"), "not whole weeks, so weekdays would weigh differently", policy.days)
        if policy.min_days > policy.max_days:
            yield Problem((*at, "min_days"), f"more than max_days, {policy.max_days}", policy.min_days)
        elif not policy.min_days <= policy.days <= policy.max_days:
            message = f"not between min_days {policy.min_days} and max_days {policy.max_days}"
            yield Problem((*at, "days"), message, policy.days)
        for index, blackout in enumerate(surface.blackouts):
            if blackout.end < blackout.start:
                message = f"ends before it starts, {blackout.start}"
                yield Problem(("surfaces", key, "blackouts", index, "end"), message, str(blackout.end))


def checks_are_only_tightened(catalogue: Catalogue) -> Problems:
    """A catalogue may hold its drafts to more than the checks ask for, and a surface to more than the catalogue."""
    for at, fault in tightening.faults(catalogue.checks):
        yield Problem(("checks", *at), fault.message, fault.got, fault.allowed, fault.nearest)
    for key, surface in catalogue.surfaces.items():
        for at, fault in tightening.faults(surface.policy.checks, catalogue.checks):
            where = ("surfaces", key, "policy", "checks", *at)
            yield Problem(where, fault.message, fault.got, fault.allowed, fault.nearest)


RULES: tuple[Callable[[Catalogue], Problems], ...] = (
    units_have_attributes,
    attributes_are_no_keywords,
    ages_are_of_units,
    stated_audiences_can_be_read,
    content_can_be_matched,
    shares_can_be_summed,
    quantiles_never_fall,
    metric_names_lead_somewhere,
    baselines_can_be_used,
    companions_fit_the_kind,
    sources_fit_the_kind,
    surfaces_have_units,
    surface_metrics_fit,
    metric_roles_make_sense,
    layers_are_used,
    holdouts_leave_enough,
    holdouts_have_seeds_of_their_own,
    components_are_shared,
    routes_name_backends,
    initial_values_meet_their_schema,
    accrual_is_a_curve,
    calendars_make_sense,
    checks_are_only_tightened,
)
