"""Whether what we stand on works, by one look at each part of it. Nothing is changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import timedelta
from functools import partial

from pydantic import JsonValue

from ..deadline import side_by_side
from ..documents import JsonObject
from ..errors import (
    BackendDenied,
    BackendFailed,
    BackendUnreachable,
    CatalogueBroken,
    NotFound,
    StoreUnavailable,
)
from ..model.catalogue import Catalogue
from ..model.experiment import Change
from ..model.health import BackendHealth, Health, Part
from ..names import nearest
from ..planning.agenda import is_swept
from ..ports.backend import Backend, Probe, assigns
from ..ports.capabilities import Capabilities, Promises
from . import calls
from .dependencies import Dependencies
from .operations import said_seconds

PATIENCE = 20.0
"""Seconds after which a backend that has not answered yet is told as silent."""
_SILENT = Part(works=False, told="it is not known whether anybody carries out what is due: the store does not answer")
_UNKNOWN = Part(works=False, told="it is not known whether a change is stuck: the store does not answer")
MOST_STUCK = 5


def health(deps: Dependencies) -> Health:
    """Every part, whichever others fail."""
    store, sweeper, changes = _store(deps)
    try:
        catalogue = deps.catalogue.current()
    except CatalogueBroken as broken:
        told = Part(works=False, told=broken.message, problems=broken.problems, next="Mend the catalogue.")
        return Health(store=store, catalogue=told, sweeper=sweeper, changes=changes, backends=[])
    return Health(
        store=store,
        catalogue=_counted(catalogue),
        sweeper=sweeper,
        changes=changes,
        backends=_backends(
            deps,
            catalogue,
            [(environment, name) for environment, each in catalogue.environments.items() for name in each.backends],
            whose=store.works,
        ),
    )


def backend_document(deps: Dependencies, name: str) -> JsonObject:
    """The backend of a name in each environment that has one.

    Raises:
        NotFound: no environment has it.
        CatalogueBroken: it cannot be said what there is.
    """
    catalogue = deps.catalogue.current()
    wanted = [(environment, name) for environment in environments_with(catalogue, name)]
    found = _backends(deps, catalogue, wanted, whose=True)
    return {"name": name, "environments": {each.environment: _told(each) for each in found}}


def environments_with(catalogue: Catalogue, backend: str) -> list[str]:
    """Those that have a backend of this name.

    Raises:
        NotFound: none has.
    """
    found = catalogue.environments_with(backend)
    if not found:
        known = catalogue.backend_names
        raise NotFound(
            "The catalogue has no such backend.", got=backend[:100], allowed=known, nearest=nearest(backend, known)
        )
    return found


def _told(each: BackendHealth) -> JsonObject:
    return each.model_dump(mode="json", exclude_none=True, exclude={"environment", "name"})


def _store(deps: Dependencies) -> tuple[Part, Part, Part]:
    """The store, and what it knows of the sweeper and of changes."""
    began = deps.clock.now()
    try:
        with deps.store.read() as view:
            heartbeats, late, stuck = view.heartbeats(), view.due(began), view.stuck()
        with deps.store.write():  # nothing is written: whether it could be is what is asked
            pass
    except StoreUnavailable as failure:
        return Part(works=False, told=failure.message, next=failure.next or None), _SILENT, _UNKNOWN
    ended = deps.clock.now()
    store = Part(works=True, told=f"read and locked for a write in {said_seconds(_seconds(ended - began))}")
    swept = is_swept(heartbeats, ended)
    last = max((each.at for each in heartbeats), default=None)
    told = (
        f"last sign of life {said_seconds(_seconds(ended - last))} ago" if last is not None else "no sign of life yet"
    )
    if not swept:
        told += f", and {len(late)} due" if late else ", and nothing is due"
    then = f"Run `{deps.command} serve`, or `{deps.command} tick` from cron." if late and not swept else None
    return store, Part(works=swept or not late, told=told, next=then), _changes(deps, stuck)


def _changes(deps: Dependencies, stuck: list[tuple[str, Change, str | None]]) -> Part:
    if not stuck:
        return Part(works=True, told="none is stuck")
    problems = [f"{change} of {key}: {reason}" for key, change, reason in stuck[:MOST_STUCK]]
    if len(stuck) > MOST_STUCK:
        problems.append(f"and {len(stuck) - MOST_STUCK} more")
    return Part(
        works=False,
        told=f"{len(stuck)} stuck; users may be served what is half done",
        problems=problems,
        next=f"A person mends what it says, then the change goes on: {calls.look_at(stuck[0][0])} names the call. "
        f"`{deps.command} stop {stuck[0][0]}` takes everybody out.",
    )


def _counted(catalogue: Catalogue) -> Part:
    counts = {
        "surfaces": len(catalogue.surfaces),
        "metrics": len(catalogue.metrics),
        "environments": len(catalogue.environments),
    }
    return Part(works=True, told=", ".join(f"{count} {what}" for what, count in counts.items()))


def _backends(
    deps: Dependencies, catalogue: Catalogue, wanted: list[tuple[str, str]], *, whose: bool
) -> list[BackendHealth]:
    """Of each (environment, name); they are asked side by side, so that one that hangs keeps no other waiting."""
    found = side_by_side(
        PATIENCE,
        [partial(_backend, deps, catalogue, environment, name, whose=whose) for environment, name in wanted],
    )
    return [
        each or _silent(deps, catalogue, environment, name)
        for each, (environment, name) in zip(found, wanted, strict=True)
    ]


def _silent(deps: Dependencies, catalogue: Catalogue, environment: str, name: str) -> BackendHealth:
    kind = catalogue.environments[environment].backends[name].kind
    told: dict[str, object] = {
        "environment": environment,
        "name": name,
        "kind": kind,
        "seconds": PATIENCE,
        "works": False,
        "problem": f"It did not answer within {PATIENCE:g} seconds.",
        "next": "See that it can be reached from here and is not overloaded, then look again.",
        **_able(deps.backend(kind)),
    }
    return BackendHealth.model_validate(told)


def _backend(deps: Dependencies, catalogue: Catalogue, environment: str, name: str, *, whose: bool) -> BackendHealth:
    """
    Args:
        whose: whether our store can be asked for its id, without which nobody's mark can be told from ours.
    """
    entry = catalogue.environments[environment].backends[name]
    backend = deps.backend(entry.kind)
    began = deps.clock.now()
    try:
        probe = backend.probe(entry.settings)
        found = {"reachable": True, "authorised": True, **(_owner(deps, probe) if whose else {"works": True})}
        found["version"] = probe.version
    except BackendFailed as failure:
        found = _failed(failure)
    told: dict[str, object] = {
        "environment": environment,
        "name": name,
        "kind": entry.kind,
        "seconds": round(_seconds(deps.clock.now() - began), 6),
        **found,
        **_able(backend),
    }
    return BackendHealth.model_validate(told)


def _owner(deps: Dependencies, probe: Probe) -> dict[str, object]:
    if not probe.strangers:
        return {"works": True, "owner": "ours" if probe.ours else "nobody"}
    return {
        "works": False,
        "owner": "another store",
        "strangers": probe.strangers,
        "problem": "Documents belong to another store, so nothing can be written to them from here.",
        "next": "Share that store: set CROSSFADE_DATABASE_URL to its database here too. If its database is lost, a "
        f"person runs `{deps.command} adopt`.",
    }


def _failed(failure: BackendFailed) -> dict[str, object]:
    """What a failure says of the way to a system: where one got to."""
    way: dict[str, object] = {}
    if isinstance(failure, BackendUnreachable):
        way = {"reachable": False}
    elif isinstance(failure, BackendDenied):
        way = {"reachable": True, "authorised": False}
    return {"works": False, **way, "problem": failure.told, "next": failure.next or None}


def _able(backend: Backend) -> dict[str, object]:
    can = _plain_fields(backend.capabilities) if assigns(backend) else None
    return {"promises": _plain_fields(backend.promises), "capabilities": can}


def _plain_fields(what: Promises | Capabilities) -> JsonObject:
    """As JSON; what has no limit is left out."""
    found = {each.name: _plain(getattr(what, each.name)) for each in fields(what)}
    return {name: value for name, value in found.items() if value is not None and value != {}}


def _plain(value: object) -> JsonValue:
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if isinstance(value, frozenset):
        return list[JsonValue](sorted(str(each) for each in value))  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    assert value is None or isinstance(value, str | int | float | bool)
    return value


def _seconds(span: timedelta) -> float:
    return max(0.0, span.total_seconds())
