"""Desired against actual: what the journal says was delivered, and what the backends hold now. No catalogue is asked,
since what was delivered does not change with it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from ..checks.delivery import findings_on
from ..documents import JsonObject
from ..errors import BackendFailed, CatalogueBroken, Misconfigured
from ..model.catalogue import CheckRules
from ..model.experiment import LAUNCHED, LIVE, Record
from ..model.finding import Finding
from ..model.plan import Operation
from ..planning.drift import Delivery
from ..ports.backend import assigns
from ..ports.store import Reader
from . import calls
from .cases import require
from .dependencies import Dependencies
from .narrowing import past_places


def desired(view: Reader, key: str) -> list[Delivery]:
    """Every document that has to have an entry of the experiment, and each that once had one and must not any more.
    No backend is read."""
    placements = view.placements(key)
    known = [each.place for each in placements]
    return [
        *(Delivery(each.place, each.opens_traffic, each.entry) for each in placements),
        *(Delivery(place, opens, None) for place, opens in past_places(view, key) if place not in known),
    ]


def compared(deps: Dependencies, key: str, deliveries: list[Delivery]) -> list[Delivery]:
    """The same with what is there now. A backend that cannot be read is told, and is no failure."""
    return [_compared(deps, key, each) for each in deliveries]


def _compared(deps: Dependencies, key: str, delivery: Delivery) -> Delivery:
    place, wanted = delivery.place, delivery.desired
    try:
        backend = deps.backend(place.kind)
        if wanted is None or not assigns(backend):
            return replace(delivery, actual=backend.read(place.settings, place.document, key))
        found = backend.standing(place.settings, place.document, key, wanted)
    except (BackendFailed, Misconfigured) as failure:
        return replace(delivery, failure=failure.message)
    return replace(delivery, desired=found.due, actual=found.actual, shadows=found.shadows)


def watched(view: Reader, record: Record, last: Operation | None) -> list[Delivery] | None:
    """What somebody who looks at an experiment is told about: all that was launched, once no change is half done."""
    waits = last is not None and not last.settled
    return None if waits or record.state not in LAUNCHED else desired(view, record.key)


def drift_of(deps: Dependencies, record: Record, deliveries: list[Delivery]) -> tuple[list[Finding], str | None]:
    """What is to be said of deliveries as they are now, and the call that mends it, None when nothing has drifted. Of
    what is stopped only what is there again matters."""
    found = compared(deps, record.key, deliveries)
    if record.state not in LIVE:
        found = [each for each in found if each.drifted]
    mended = mending(record, found) if any(each.drifted for each in found) else None
    return (findings_on(found, *_rules(deps, record)) if found else []), mended


def _rules(deps: Dependencies, record: Record) -> list[CheckRules]:
    """What the catalogue tightens; what has drifted is told while it is broken too."""
    with suppress(CatalogueBroken):
        catalogue = deps.catalogue.current()
        surface = catalogue.surfaces.get(record.surface)
        return [catalogue.checks, *([surface.policy.checks] if surface is not None else [])]
    return []


def drift_document(deps: Dependencies, key: str) -> JsonObject:
    """Desired and actual of each document, and where they differ.

    Raises:
        NotFound: no such experiment.
    """
    with deps.store.read() as view:
        record = require(view, key)
        last = view.last_operation(key)
        wanted = desired(view, key)
    found = compared(deps, key, wanted)
    told: JsonObject = {"key": key, "state": record.state, "documents": [_told(each) for each in found]}
    waits = last is not None and not last.settled
    if waits:
        told["unsettled"] = "a change is under way or stuck: some documents are as it wants them, and others not yet"
    return {**told, "next": calls.look_at(key) if waits else mending(record, found)}


def mending(record: Record, found: list[Delivery]) -> str:
    """The call that brings what has drifted back to what was delivered."""
    if record.state == "draft" or not any(each.drifted for each in found):
        return calls.look_at(record.key)
    return calls.plan(record.key, "reconcile" if record.state in LIVE else "stop")


def _told(each: Delivery) -> JsonObject:
    """Absent parts are left out, never null."""
    parts: JsonObject = {
        "differs": list(each.differs) or None,
        "reason": each.failure,
        "rules_before": list(each.shadows) or None,
        "desired": each.desired,
        "actual": each.actual,
    }
    kept = {name: value for name, value in parts.items() if value is not None}
    return {"target": each.target, "is": each.condition.replace("_", " "), "opens_traffic": each.opens_traffic, **kept}
