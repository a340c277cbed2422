"""Steps that take exposure away. They come from the journal of what was delivered, and not from the spec, its checks or
the catalogue: they work while all of those are broken."""

from __future__ import annotations

from ..documents import JsonObject, canonical
from ..errors import BackendFailed
from ..model.experiment import LIVE, Change, Record
from ..model.plan import Place, Step
from ..planning.order import in_order
from ..ports.backend import allocates
from ..ports.store import Placement, Reader
from .dependencies import Dependencies


def closing_steps(deps: Dependencies, view: Reader, record: Record, change: Change) -> list[Step]:
    """The steps of a pause or a stop. The assigner's entry goes first, which closes traffic; content follows on a
    stop, and what is found where something of the experiment ever was: a document may have come back from a backup."""
    placements = view.placements(record.key)
    steps = [_closing(deps, each, change) for each in placements if change == "stop" or each.opens_traffic]
    if change == "stop":
        steps += _found_again(deps, view, record, [each.place for each in placements])
    return in_order(steps)


def _closing(deps: Dependencies, placement: Placement, change: Change) -> Step:
    place, entry = placement.place, placement.key
    # What is there now, not what we put there: a kill switch must not trip over drift.
    try:
        now = deps.backend(place.kind).read(place.settings, place.document, entry)
    except BackendFailed:
        if placement.opens_traffic:
            raise
        now = placement.entry  # content that cannot be read now must not keep traffic open
    step = removal(place, entry, now, placement.opens_traffic)
    backend = deps.backend(place.kind)
    if change == "pause" and now is not None and allocates(backend):
        kept = backend.closed(now)  # taken out, its units would go to others, and a resume would let in new ones
        if kept is not None:
            return step.model_copy(update={"action": "put", "after": kept})
    return step


def removal(place: Place, entry: str, now: JsonObject | None, opens: bool) -> Step:
    """The step that takes an entry out as it is now."""
    closes = ["everybody gets production values"] if opens else []
    return Step(place=place, action="remove", entry=entry, before=now, after=None, closes_traffic=opens, summary=closes)


def _found_again(deps: Dependencies, view: Reader, record: Record, known: list[Place]) -> list[Step]:
    """What lies in a place of the past. One that cannot be read keeps no stop of something live from its work, and is
    told when nothing else is left to do."""
    steps: list[Step] = []
    for place, opens in past_places(view, record.key):
        if place in known:
            continue
        try:
            now = deps.backend(place.kind).read(place.settings, place.document, record.key)
        except BackendFailed:
            if record.state in LIVE:
                continue
            raise
        if now is not None:
            steps.append(removal(place, record.key, now, opens))
    return steps


def past_places(view: Reader, key: str) -> list[tuple[Place, bool]]:
    """Every place that a step of the experiment was about, and whether one of them opened traffic there."""
    places: dict[str, tuple[Place, bool]] = {}
    for step in view.steps_of(key):
        name = canonical(step.place.model_dump(mode="json"))
        opened = name in places and places[name][1]
        places[name] = step.place, opened or step.opens_traffic
    return list(places.values())


def untesting_steps(deps: Dependencies, view: Reader, record: Record) -> list[Step]:
    """The steps that take all test units of a draft back: nothing else of it is delivered."""
    placements = view.placements(record.key)
    steps = [removal(each.place, each.key, _now(deps, each), False) for each in placements]
    return [*steps, *_found_again(deps, view, record, [each.place for each in placements])]


def _now(deps: Dependencies, placement: Placement) -> JsonObject | None:
    place = placement.place
    return deps.backend(place.kind).read(place.settings, place.document, placement.key)
