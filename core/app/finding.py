"""Find surfaces and experiments, and look at one."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime

from pydantic import JsonValue

from ..checks.shape import read_spec
from ..documents import JsonObject, canonical
from ..errors import Invalid
from ..model.answers import (
    Experiment,
    ExperimentLine,
    Experiments,
    LayerView,
    OperationView,
    OtherSurface,
    ParameterView,
    Surfaces,
    SurfaceView,
    VariantView,
)
from ..model.catalogue import Catalogue, Surface
from ..model.experiment import MetricUse, Record, Spec, State, changes_from
from ..names import listed, same_name
from ..planning.buckets import BUCKETS, buckets_for, free_buckets, layer_name, next_free
from ..ports.store import Reader
from .cases import examine, production_of, require
from .dependencies import Dependencies
from .following import next_call
from .views import bucket_texts

SHOWN_PARAMETERS = 4
"""Most parameters shown in full; those that fit less than half as well as the best are only named."""
EXACT = 1_000.0
"""Score of a surface that is named by its key: above any count of words."""
SHOWN_ATTRIBUTES = 14
SHOWN_DESCRIPTION = 100
SHOWN_NAME = 60
SHOWN_HYPOTHESIS = 300
SHOWN_DAYS = (1, 7, 14, 28)
SHOWN_OTHERS = 12
MAX_WORDS = 32
MAX_CURSOR = 400
_WORD = re.compile(r"[a-z0-9]+")
_PLURAL = re.compile(r"(?<=[a-z]{3})s$")


def words_of(text: str) -> list[str]:
    """The words of a text, lower case, without the plural's s."""
    return [_PLURAL.sub("", word) for word in _WORD.findall(text.lower())]


def find_surfaces(deps: Dependencies, query: str, limit: int, cursor: str | None) -> Surfaces:
    """The surface that fits the words best, in full, and the next best by name."""
    catalogue = deps.catalogue.current()
    ranked, fits = _ranked(catalogue, query)
    start = _offset(cursor)
    best = ranked[0] if fits else None
    rest = [key for key in ranked if key != best]
    shown = rest[start : start + limit]
    more = start + limit if start + limit < len(rest) else None
    view = None
    if best is not None and start == 0:
        with deps.store.read() as reader:
            view = surface_view(deps, catalogue, reader, best, query)
    return Surfaces(
        best=view,
        others=[OtherSurface(key=key, name=catalogue.surfaces[key].name) for key in shown],
        cursor=str(more) if more is not None and view is None else None,
        next=_next_for(view, rest),
    )


def _next_for(view: SurfaceView | None, rest: list[str]) -> str:
    if view is None:
        return f'find_surfaces(query="{rest[0]}")' if rest else "the catalogue has no surface"
    name = view.parameters[0].name if view.parameters else "parameter"
    metric = next(iter(view.success_metrics), "metric")
    return (
        f'create_experiment(surface="{view.key}", change="...", because="...", '
        f'variants={{"treatment": {{"{name}": ...}}}}, success_metrics={{"{metric}": null}})'
    )


def _offset(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not cursor.isdecimal() or len(cursor) > 9:
        raise Invalid("Pass the cursor as the last reply gave it.", pointer="/cursor", got=cursor[:40])
    return int(cursor)


def _ranked(catalogue: Catalogue, query: str) -> tuple[list[str], bool]:
    """All surfaces, the best fit first, and whether the first fits at all."""
    exact = same_name(query, catalogue.surfaces)
    wanted = set(words_of(query))
    scores = {key: _score(key, surface, wanted) for key, surface in catalogue.surfaces.items()}
    if exact is not None:
        scores[exact] += EXACT
    ranked = sorted(scores, key=lambda key: (-scores[key], key))
    return ranked, bool(ranked) and scores[ranked[0]] > 0


def _score(key: str, surface: Surface, wanted: set[str]) -> float:
    """Words found, a name counting more than a description and a word counting once."""
    parameters = " ".join(f"{name} {parameter.description}" for name, parameter in surface.parameters.items())
    values = " ".join(canonical(parameter.json_schema) for parameter in surface.parameters.values())
    weighted = ((f"{key} {surface.name}", 4.0), (" ".join(surface.tags), 3.0), (parameters, 2.0), (values, 1.5))
    score = 0.0
    for text, weight in (*weighted, (surface.description, 1.0)):
        score += weight * len(wanted & set(words_of(text)))
    return score


def surface_view(deps: Dependencies, catalogue: Catalogue, view: Reader, key: str, query: str = "") -> SurfaceView:
    """Everything a brief needs to know of a surface."""
    surface = catalogue.surfaces[key]
    environment = catalogue.default_environment
    production = production_of(deps, catalogue, key, environment)
    shown, named = _parameters_by_fit(surface, query)
    today = deps.clock.now().date()
    recent = view.search(surface=key, limit=2)
    return SurfaceView(
        key=key,
        name=surface.name,
        description=_cut(surface.description, SHOWN_DESCRIPTION),
        owner=surface.owner,
        unit=surface.unit,
        units={str(day): units for day, units in surface.accrual.items() if day in SHOWN_DAYS},
        parameters=[_parameter_view(surface, name, production) for name in shown],
        more_parameters=named or None,
        layers=[_layer_view(view, environment, key, layer, surface) for layer in surface.layers],
        success_metrics={name: _usual(catalogue, name) for name in surface.suggested_metrics},
        required_metrics={
            name: required.role + (f", margin {required.margin:g}" if required.margin else "")
            for name, required in surface.required_metrics.items()
        },
        audience=_audience_attributes(catalogue, query),
        reviewers=surface.reviewers or None,
        blackouts=[f"{each.start}..{each.end}: {each.why}" for each in surface.blackouts if each.end >= today] or None,
        holdouts={name: each.share for name, each in catalogue.holdouts_of(key, today).items()} or None,
        recent=[f"{each.key} {each.state}" for each in recent] or None,
    )


def _audience_attributes(catalogue: Catalogue, query: str) -> list[str]:
    """Attributes with a known distribution, those that the words fit first, cut to a line."""
    wanted = set(words_of(query))
    known = [name for name, attribute in catalogue.attributes.items() if attribute.shares or attribute.quantiles]
    known.sort(key=lambda name: not wanted & set(words_of(name)))
    more = [f"and {len(known) - SHOWN_ATTRIBUTES} more"] if len(known) > SHOWN_ATTRIBUTES else []
    return known[:SHOWN_ATTRIBUTES] + more


def _usual(catalogue: Catalogue, name: str) -> float:
    metric = catalogue.metrics[name]
    return (metric.mde or 0.01) * (1 if metric.better == "up" else -1)


def _parameters_by_fit(surface: Surface, query: str) -> tuple[list[str], list[str]]:
    """(parameters to show, parameters to name), the best fit first."""
    wanted = set(words_of(query))

    def fit(name: str) -> int:
        parameter = surface.parameters[name]
        return len(wanted & set(words_of(f"{name} {parameter.description} {canonical(parameter.json_schema)}")))

    order = sorted(surface.parameters, key=lambda name: (-fit(name), name))
    close = [name for name in order if fit(name) and 2 * fit(name) >= fit(order[0])]
    shown = (close or order)[:SHOWN_PARAMETERS]
    return shown, [name for name in order if name not in shown]


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1].rsplit(" ", 1)[0] + "…"


def _parameter_view(surface: Surface, name: str, production: Mapping[str, JsonValue]) -> ParameterView:
    parameter = surface.parameters[name]
    return ParameterView(
        name=name, layer=parameter.layer, values=schema_text(parameter.json_schema), production=production[name]
    )


def schema_text(schema: JsonObject) -> str:
    """A schema in one line: enums literally, bounds as ranges."""
    options = schema.get("enum")
    if isinstance(options, list):
        return listed((str(option) for option in options), SHOWN_OTHERS)
    kind = str(schema.get("type", "any"))
    items = schema.get("items")
    if kind == "array" and isinstance(items, dict):
        unique = "distinct " if schema.get("uniqueItems") else ""
        return f"list{_bounds(schema, 'minItems', 'maxItems')} of {unique}{schema_text(items)}"
    properties = schema.get("properties")
    if kind == "object" and isinstance(properties, dict):
        parts = [f"{name}: {schema_text(part)}" for name, part in properties.items() if isinstance(part, dict)]
        return "{" + "; ".join(parts) + "}"
    return kind + (_bounds(schema, "minimum", "maximum") or _bounds(schema, "minLength", "maxLength"))


def _bounds(schema: JsonObject, low: str, high: str) -> str:
    if low not in schema and high not in schema:
        return ""
    return f" {schema.get(low, '')}..{schema.get(high, '')}"


def _layer_view(view: Reader, environment: str, key: str, layer: str, surface: Surface) -> LayerView:
    held = view.held(layer_name(environment, key, layer))
    holders = sorted({part.key for part in held})
    shown = [*holders[:1], f"and {len(holders) - 1} more"] if len(holders) > 1 else holders
    usual = buckets_for(surface.policy.allocation)
    more = next_free(held, usual) if free_buckets(held) < usual else None
    return LayerView(
        layer=layer,
        free=free_buckets(held) / BUCKETS,
        held_by=shown or None,
        more_free_on=more.isoformat() if more else None,
    )


def find_experiments(
    deps: Dependencies,
    query: str,
    surface: str | None,
    state: State | None,
    owner: str | None,
    limit: int,
    cursor: str | None,
) -> Experiments:
    """Experiments by words and filters, the last changed first."""
    words = query.lower().split()
    if len(words) > MAX_WORDS:
        raise Invalid(f"A query has at most {MAX_WORDS} words.", pointer="/query", got=len(words))
    with deps.store.read() as view:
        found = view.search(
            surface=surface,
            states=frozenset({state}) if state else None,
            owner=owner,
            words=words or None,
            after=_decode(cursor) if cursor else None,
            limit=limit + 1,
        )
    shown, more = found[:limit], len(found) > limit
    first = shown[0].key if shown else None
    return Experiments(
        experiments=[
            ExperimentLine(
                key=each.key,
                state=each.state,
                name=_cut(each.name, SHOWN_NAME),
                surface=each.surface,
                owner=each.owner,
                updated=f"{each.updated:%Y-%m-%d %H:%M}",
            )
            for each in shown
        ],
        cursor=_encode(shown[-1].updated, shown[-1].key) if more else None,
        next=f'get_experiment(key="{first}")' if first else "find_surfaces(query=...) starts a new one",
    )


def _encode(updated: datetime, key: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([updated.isoformat(), key]).encode()).decode().rstrip("=")


def _decode(cursor: str) -> tuple[datetime, str]:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        written, key = json.loads(base64.urlsafe_b64decode(padded[:MAX_CURSOR]))
        updated = datetime.fromisoformat(written)
        if updated.tzinfo is None:
            raise ValueError("a cursor's time is aware")
        return updated.astimezone(UTC), str(key)
    except (ValueError, TypeError, OverflowError) as error:
        raise Invalid("Pass the cursor as the last reply gave it.", pointer="/cursor", got=cursor[:40]) from error


def get_experiment(deps: Dependencies, key: str, *, full: bool, version: int | None) -> Experiment:
    """One experiment as it is now, or as it was at a version.

    Raises:
        NotFound: no such experiment or version.
    """
    with deps.store.read() as view:
        record = require(view, key, version)
        return _experiment_view(deps, view, record, full)


def _experiment_view(deps: Dependencies, view: Reader, record: Record, full: bool) -> Experiment:
    spec = read_spec(record.document)
    ready, blocks, following = _readiness(deps, view, record)
    operation = view.last_operation(record.key)
    known = spec if isinstance(spec, Spec) else None
    design = record.document.get("design")
    days = design.get("days") if isinstance(design, dict) else None
    allocation = record.document.get("allocation")
    placements = view.placements(record.key)
    return Experiment(
        key=record.key,
        version=record.version,
        state=record.state,
        ready=ready,
        blocks=blocks or None,
        name=_cut(str(record.document.get("name", record.key)), SHOWN_DESCRIPTION),
        surface=record.surface,
        hypothesis=_cut(_hypothesis_text(known), SHOWN_HYPOTHESIS) if known else "the spec breaks its schema",
        audience=known.audience if known else {},
        allocation=float(allocation) if isinstance(allocation, int | float) else 0.0,
        days=days if isinstance(days, int) else 0,
        variants=_variant_views(known) if known else {},
        metrics={name: _use_text(use) for name, use in known.metrics.items()} if known else {},
        owner=record.owner,
        buckets=bucket_texts(view.ranges_of(record.key)) or None,
        delivered=[f"{each.place.backend}/{each.place.document}" for each in placements] or None,
        previews=view.previews(record.key) or None,
        operation=OperationView(
            id=operation.id, change=operation.change, status=operation.status, reason=operation.reason
        )
        if operation
        else None,
        spec=record.document if full else None,
        generated=record.generated if full else None,
        next=following,
    )


def _readiness(deps: Dependencies, view: Reader, record: Record) -> tuple[bool | None, list[str], str]:
    if record.state == "draft":
        catalogue = deps.catalogue.current()
        _, findings = examine(deps, catalogue, view, record.key, record.document)
        blocks = [f"{finding.code} {finding.at}" for finding in findings if finding.blocks]
        return not blocks, blocks, next_call(deps, catalogue, view, record, findings)
    last = view.last_operation(record.key)
    if last is not None and last.status in ("running", "needs_attention"):
        return None, [], f'apply_plan(digest="{last.handle}") continues the {last.change}'
    allowed = changes_from(record.state)
    if not allowed:
        return None, [], f'create_experiment(from="{record.key}", ...) follows it up'
    return None, [], " or ".join(f'plan_change(key="{record.key}", change="{change}")' for change in allowed)


def _hypothesis_text(spec: Spec) -> str:
    hypothesis = spec.hypothesis
    return f"{hypothesis.change} will {hypothesis.direction} {hypothesis.metric}, because {hypothesis.because}"


def _variant_views(spec: Spec) -> dict[str, VariantView]:
    return {
        name: VariantView(weight=variant.weight, control=variant.control or None, parameters=variant.parameters or None)
        for name, variant in spec.variants.items()
    }


def _use_text(use: MetricUse) -> str:
    if use.role == "success" and use.mde is not None:
        return f"success, {use.mde:+.2%}"
    if use.margin is not None:
        return f"{use.role}, margin {use.margin:g}"
    return use.role
