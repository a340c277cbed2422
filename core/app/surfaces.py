"""Find surfaces, and show what a brief needs to know of one."""

from __future__ import annotations

from ..errors import Invalid
from ..model.answers import LayerView, Surfaces, SurfaceView
from ..model.catalogue import Catalogue, Surface
from ..planning.buckets import BUCKETS, buckets_for, free_buckets, layer_name, next_free
from ..planning.slots import rounded_up, whole_slots
from ..ports.capabilities import ANYTHING
from ..ports.store import LayerUse, Reader
from ..wording import cut
from . import calls
from .cases import production_of
from .dependencies import Dependencies
from .searching import index_of
from .surface_detail import WHOLE, SurfaceDetail, filled
from .views import listed_first

USUAL_OTHERS = 2
"""Other surfaces that leave room for more of the best one; whoever asks for more gets a longer reply."""
SHOWN_ATTRIBUTES = 20
"""Most audience attributes named."""
SHOWN_DESCRIPTION = 60
"""Most characters of a surface's description."""
SHOWN_REASON = 30
"""Most characters of a blackout's reason."""
SHOWN_DAYS = (7, 14, 28)
"""Days of the accrual curve whose units are told."""


def find_surfaces(deps: Dependencies, query: str, limit: int, cursor: str | None) -> Surfaces:
    """The surface that fits the words best, in full, and the next best by name."""
    catalogue = deps.catalogue.current()
    ranked, fits = index_of(catalogue).ranked(query)
    start = _offset(cursor)
    best = ranked[0] if fits else None
    rest = [key for key in ranked if key != best]
    shown = rest[start : start + limit]
    more = start + limit if start + limit < len(rest) else None
    view, detail = None, None
    if best is not None and start == 0:
        production = production_of(deps, catalogue, best, catalogue.default_environment)
        detail = SurfaceDetail(catalogue, best, production, query)
        with deps.store.read() as reader:
            view = surface_view(deps, catalogue, reader, best, detail, query)
    answer = Surfaces(
        best=view,
        others={key: catalogue.surfaces[key].name for key in shown},
        cursor=str(more) if more is not None and view is None else None,
        next=_next_for(view, rest, bool(query.strip()) and not fits),
    )
    return filled(answer, detail) if detail is not None and limit <= USUAL_OTHERS else answer


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
    deps: Dependencies, catalogue: Catalogue, view: Reader, key: str, told: SurfaceDetail, query: str = ""
) -> SurfaceView:
    """Everything a brief needs to know of a surface."""
    surface = catalogue.surfaces[key]
    environment = catalogue.default_environment
    index = index_of(catalogue)
    can = deps.capabilities(catalogue, key, environment) or ANYTHING
    shown, named = told.parameters(*WHOLE)
    today = deps.clock.now().date()
    recent = view.search(surface=key, limit=1)
    return SurfaceView(
        key=key,
        name=surface.name,
        description=cut(surface.description, SHOWN_DESCRIPTION),
        owner=surface.owner,
        unit=surface.unit,
        units={str(day): units for day, units in surface.accrual.items() if day in SHOWN_DAYS},
        parameters=shown,
        more_parameters=named,
        layers=_layer_views(view, environment, key, surface, can.slots),
        success_metrics=told.metrics(index.metrics(key, query), 0),
        required_metrics={
            name: required.role + (f", margin {required.margin:g}" if required.margin else "")
            for name, required in surface.required_metrics.items()
        },
        audience=listed_first(told.attributes, SHOWN_ATTRIBUTES),
        audience_values=told.audience(0) or None,
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


def _layer_views(view: Reader, environment: str, key: str, surface: Surface, slots: int) -> list[LayerView]:
    names = {layer: layer_name(environment, key, layer) for layer in surface.layers}
    uses = {use.layer: use for use in view.uses(*names.values())}
    usual = buckets_for(rounded_up(surface.policy.allocation, slots))
    return [_layer_view(view, layer, uses.get(name), usual, slots) for layer, name in names.items()]


def _layer_view(view: Reader, layer: str, use: LayerUse | None, usual: int, slots: int) -> LayerView:
    if use is None:
        return LayerView(layer=layer, free=1.0)
    free = BUCKETS - use.taken
    held = whole_slots(view.held(use.layer), slots) if slots < BUCKETS or free < usual else []
    free = free_buckets(held) if slots < BUCKETS else free  # the database counts in buckets alone
    more = next_free(held, usual) if free < usual else None
    return LayerView(
        layer=layer,
        free=free / BUCKETS,
        held_by=[use.first, f"and {use.count - 1} more"] if use.count > 1 else [use.first],
        more_free_on=more.isoformat() if more else None,
    )
