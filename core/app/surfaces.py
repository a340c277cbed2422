"""Find surfaces, and show what a brief needs to know of one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pydantic import JsonValue

from ..documents import JsonObject, canonical
from ..errors import Invalid
from ..model.answers import LayerView, ParameterView, Surfaces, SurfaceView
from ..model.catalogue import Catalogue, Surface
from ..names import listed
from ..planning.buckets import BUCKETS, buckets_for, layer_name, next_free
from ..ports.store import LayerUse, Reader
from ..wording import cut
from . import calls
from .cases import production_of
from .dependencies import Dependencies
from .searching import index_of
from .views import listed_first, size_of

ROOM = 2_090
"""Most bytes of the structured half of a reply; its text says the same in fewer, so that both stay below 4 KB."""
SHOWN_PARAMETERS = 3
"""Most parameters shown in full, of those that fit at least a third as well as the best."""
SHOWN_BRIEF = 40
"""Most characters of the values, and of the production value, of a parameter shown in brief."""
_RICHNESS = (
    (3, 9, 60),
    (3, 5, 60),
    (3, 3, 40),
    (2, 3, 40),
    (2, 1, 40),
    (2, 0, 40),
    (2, 0, 24),
    (2, 0, 0),
    (1, 1, 24),
    (1, 0, 0),
)
"""(parameters in full, in brief, characters of a metric's meaning), the richest first."""
USUAL_OTHERS = 2
"""Other surfaces that leave room for more of the best one; whoever asks for more gets a longer reply."""
SHOWN_ATTRIBUTES = 20
"""Most audience attributes named."""
VALUED_ATTRIBUTES = 2
"""Most of them whose values are told."""
SHOWN_VALUES = 8
SHOWN_DESCRIPTION = 60
"""Most characters of a surface's description."""
SHOWN_REASON = 30
"""Most characters of a blackout's reason."""
SHOWN_MEANING = 64
"""Most characters of a parameter's description."""
SHOWN_DAYS = (7, 14, 28)
"""Days of the accrual curve whose units are told."""
SHOWN_OTHERS = 12
"""Most options of an enumerated parameter that are listed."""


def find_surfaces(deps: Dependencies, query: str, limit: int, cursor: str | None) -> Surfaces:
    """The surface that fits the words best, in full, and the next best by name."""
    catalogue = deps.catalogue.current()
    ranked, fits = index_of(catalogue).ranked(query)
    start = _offset(cursor)
    best = ranked[0] if fits else None
    rest = [key for key in ranked if key != best]
    shown = rest[start : start + limit]
    more = start + limit if start + limit < len(rest) else None
    view, production = None, JsonObject()
    if best is not None and start == 0:
        production = production_of(deps, catalogue, best, catalogue.default_environment)
        with deps.store.read() as reader:
            view = surface_view(deps, catalogue, reader, best, production, query)
    answer = Surfaces(
        best=view,
        others={key: catalogue.surfaces[key].name for key in shown},
        cursor=str(more) if more is not None and view is None else None,
        next=_next_for(view, rest, bool(query.strip()) and not fits),
    )
    return _filled(catalogue, answer, production, query) if view is not None and limit <= USUAL_OTHERS else answer


def _filled(catalogue: Catalogue, answer: Surfaces, production: JsonObject, query: str) -> Surfaces:
    """The answer with as much of its surface as fits: what metrics mean, before more parameters."""
    best = answer.best
    assert best is not None
    fits = index_of(catalogue).parameters(best.key, query)
    for full, brief, meanings in _RICHNESS:
        shown, named = _parameter_views(catalogue.surfaces[best.key], production, fits, full, brief)
        metrics = _metric_texts(catalogue, best.success_metrics, meanings)
        parts = {"parameters": shown, "more_parameters": named, "success_metrics": metrics}
        view = best.model_copy(update=parts)
        told = answer.model_copy(update={"best": view})
        if size_of(told) <= ROOM:
            return told
    return answer


def _metric_texts(catalogue: Catalogue, names: Iterable[str], length: int) -> dict[str, str]:
    """Metric -> its usual effect, and so many characters of what it means."""
    meaning = {name: f", {cut(catalogue.metrics[name].description, length)}" if length else "" for name in names}
    return {name: f"{catalogue.metrics[name].usual_effect:g}{meant}" for name, meant in meaning.items()}


def _parameter_views(
    surface: Surface, production: Mapping[str, JsonValue], fits: Mapping[str, float], full: int, brief: int
) -> tuple[list[ParameterView], list[str] | None]:
    """(at most `full` parameters in full, the others: `brief` of them with values and production, the rest by name)."""
    shown, named = _shown_parameters(fits, full)
    texts = [_brief_parameter(surface, name, production) for name in named[:brief]] + named[brief:]
    return [_parameter_view(surface, name, production) for name in shown], texts or None


def _brief_parameter(surface: Surface, name: str, production: Mapping[str, JsonValue]) -> str:
    values = cut(schema_text(surface.parameters[name].json_schema), SHOWN_BRIEF)
    return f"{name} ({values} = {cut(_option(production[name]), SHOWN_BRIEF)})"


def _next_for(view: SurfaceView | None, rest: list[str], searched: bool) -> str:
    if view is None:
        told = "no surface has these words; " if searched else ""
        return f"{told}{calls.find_surfaces(rest[0])} shows one" if rest else "the catalogue has no surface"
    name = view.parameters[0].name if view.parameters else "parameter"
    metric = next(iter(view.success_metrics), "metric")
    return calls.create(view.key, name, metric)


def _offset(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not cursor.isdecimal() or len(cursor) > 9:
        raise Invalid("Pass the cursor as the last reply gave it.", pointer="/cursor", got=cursor[:40])
    return int(cursor)


def surface_view(
    deps: Dependencies, catalogue: Catalogue, view: Reader, key: str, production: JsonObject, query: str = ""
) -> SurfaceView:
    """Everything a brief needs to know of a surface."""
    surface = catalogue.surfaces[key]
    environment = catalogue.default_environment
    index = index_of(catalogue)
    shown, named = _parameter_views(surface, production, index.parameters(key, query), SHOWN_PARAMETERS, 0)
    today = deps.clock.now().date()
    recent = view.search(surface=key, limit=1)
    attributes, values = _audience_attributes(catalogue, query)
    return SurfaceView(
        key=key,
        name=surface.name,
        description=cut(surface.description, SHOWN_DESCRIPTION),
        owner=surface.owner,
        unit=surface.unit,
        units={str(day): units for day, units in surface.accrual.items() if day in SHOWN_DAYS},
        parameters=shown,
        more_parameters=named,
        layers=_layer_views(view, environment, key, surface),
        success_metrics=_metric_texts(catalogue, index.metrics(key, query), 0),
        required_metrics={
            name: required.role + (f", margin {required.margin:g}" if required.margin else "")
            for name, required in surface.required_metrics.items()
        },
        audience=attributes,
        audience_values=values or None,
        reviewers=[*surface.reviewers, *(f"{team} (must agree)" for team in surface.required_reviewers)] or None,
        blackouts=[
            f"{each.start}..{each.end}: {cut(each.why, SHOWN_REASON)}"
            for each in surface.blackouts
            if each.end >= today
        ]
        or None,
        holdouts={name: each.share for name, each in catalogue.holdouts_of(key, today).items()} or None,
        recent=[f"{each.key} {each.state}" for each in recent] or None,
    )


def _audience_attributes(catalogue: Catalogue, query: str) -> tuple[list[str], dict[str, str]]:
    """(attributes with a known distribution, those that the words fit first; values of the first few that they fit)."""
    known = [name for name, attribute in catalogue.attributes.items() if attribute.shares or attribute.quantiles]
    fits = index_of(catalogue).attributes(query)
    known.sort(key=lambda name: -fits[name])
    values = {
        name: listed(catalogue.attributes[name].shares, SHOWN_VALUES)
        for name in known[:VALUED_ATTRIBUTES]
        if fits[name] and catalogue.attributes[name].type != "boolean" and catalogue.attributes[name].shares
    }
    return listed_first(known, SHOWN_ATTRIBUTES), values


def _shown_parameters(fits: Mapping[str, float], most: int) -> tuple[list[str], list[str]]:
    """(parameters to show, parameters to name), the best fit first."""
    order = list(fits)
    close = [name for name in order if fits[name] and 3 * fits[name] >= fits[order[0]]]
    shown = (close or order)[:most]
    return shown, [name for name in order if name not in shown]


def _parameter_view(surface: Surface, name: str, production: Mapping[str, JsonValue]) -> ParameterView:
    parameter = surface.parameters[name]
    return ParameterView(
        name=name,
        layer=parameter.layer,
        description=cut(parameter.description, SHOWN_MEANING),
        values=schema_text(parameter.json_schema),
        production=production[name],
    )


def schema_text(schema: JsonObject) -> str:
    """A schema in one line: enums literally, bounds as ranges."""
    options = schema.get("enum")
    if isinstance(options, list):
        return listed((_option(option) for option in options), SHOWN_OTHERS)
    kind = str(schema.get("type", "any"))
    items = schema.get("items")
    if kind == "array" and isinstance(items, dict):
        unique = "distinct " if schema.get("uniqueItems") else ""
        return f"list{_bounds(schema, 'minItems', 'maxItems')} of {unique}{schema_text(items)}"
    properties = schema.get("properties")
    if kind == "object" and isinstance(properties, dict):
        parts = [f"{name}: {schema_text(part)}" for name, part in properties.items() if isinstance(part, dict)]
        return "{" + "; ".join(parts) + "}"
    pattern = f" matching {schema['pattern']}" if "pattern" in schema else ""
    return kind + (_bounds(schema, "minimum", "maximum") or _bounds(schema, "minLength", "maxLength")) + pattern


def _option(value: JsonValue) -> str:
    return value if isinstance(value, str) else canonical(value)


def _bounds(schema: JsonObject, low: str, high: str) -> str:
    if low not in schema and high not in schema:
        return ""
    return f" {schema.get(low, '')}..{schema.get(high, '')}"


def _layer_views(view: Reader, environment: str, key: str, surface: Surface) -> list[LayerView]:
    names = {layer: layer_name(environment, key, layer) for layer in surface.layers}
    uses = {use.layer: use for use in view.uses(*names.values())}
    usual = buckets_for(surface.policy.allocation)
    return [_layer_view(view, layer, uses.get(name), usual) for layer, name in names.items()]


def _layer_view(view: Reader, layer: str, use: LayerUse | None, usual: int) -> LayerView:
    if use is None:
        return LayerView(layer=layer, free=1.0)
    free = BUCKETS - use.taken
    more = next_free(view.held(use.layer), usual) if free < usual else None
    return LayerView(
        layer=layer,
        free=free / BUCKETS,
        held_by=[use.first, f"and {use.count - 1} more"] if use.count > 1 else [use.first],
        more_free_on=more.isoformat() if more else None,
    )
