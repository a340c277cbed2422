"""What the adapters say about the catalogue's backends."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

from ..core.catalogue_rules import Problem
from ..core.documents import JsonObject
from ..core.model.catalogue import Backend as BackendEntry
from ..core.model.catalogue import Catalogue, Route
from ..core.names import nearest
from ..core.ports.backend import Backend, Location, assigns, holds_content, is_spread
from .located import located_entry

DOCUMENT_NAME = re.compile(r"[a-z][a-z0-9_-]*")
"""Of a document among others in one place: that of a surface."""


def backend_problems(catalogue: Catalogue, backends: Mapping[str, Backend], home: Path) -> list[Problem]:
    """A problem for each backend that no adapter serves, whose settings its adapter refuses, or that is given a role it
    cannot play."""
    return [
        *_entries(catalogue, backends, home),
        *_shared_locations(catalogue, backends, home),
        *_roles(catalogue, backends),
    ]


def _entries(catalogue: Catalogue, backends: Mapping[str, Backend], home: Path) -> Iterator[Problem]:
    for name, environment in catalogue.environments.items():
        for key, entry in environment.backends.items():
            at = ("environments", name, "backends", key)
            backend = backends.get(entry.kind)
            if backend is None:
                known = sorted(backends)
                yield Problem(
                    (*at, "kind"), "no adapter is called so", allowed=known, nearest=nearest(entry.kind, known)
                )
                continue
            for pointer, message in backend.problems(located_entry(entry, home, backend).settings):
                yield Problem((*at, "settings", *pointer.split("/")[1:]), message)


def _shared_locations(catalogue: Catalogue, backends: Mapping[str, Backend], home: Path) -> Iterator[Problem]:
    """Two backends never write to one place: the experiments of one environment would show in the other."""
    seen: list[tuple[str, Location]] = []
    for name, environment in catalogue.environments.items():
        for key, entry in environment.backends.items():
            backend = backends.get(entry.kind)
            if backend is None:
                continue
            mine = _locations(backend, located_entry(entry, home, backend).settings)
            other = next((who for who, where in seen if any(_meet(where, each) for each in mine)), None)
            if other is not None:
                at = ("environments", name, "backends", key, "settings")
                yield Problem(at, f"the backend {other} writes to the same place")
            seen += [(f"{name}/{key}", each) for each in mine]


def _locations(backend: Backend, settings: JsonObject) -> list[Location]:
    if is_spread(backend):
        return backend.locations(settings)
    where = backend.location(settings)
    return [Location(where)] if where is not None else []


def _meet(one: Location, other: Location) -> bool:
    """Whether a document can lie at both."""
    if one.ends is None and other.ends is not None:
        return _meet(other, one)
    if one.ends is None or other.ends is not None:
        return one == other
    within = other.begins.startswith(one.begins) and other.begins.endswith(one.ends)
    name = other.begins[len(one.begins) : len(other.begins) - len(one.ends)]
    return within and DOCUMENT_NAME.fullmatch(name) is not None


def _roles(catalogue: Catalogue, backends: Mapping[str, Backend]) -> Iterator[Problem]:
    for name, environment in catalogue.environments.items():
        routes: list[tuple[tuple[str, ...], Route]] = [(("environments", name, "default"), environment.default)]
        for key, surface in catalogue.surfaces.items():
            if name in surface.delivery:
                routes.append((("surfaces", key, "delivery", name), surface.delivery[name]))
        for at, route in routes:
            yield from _role(at, "assigner", route.assigner, environment.backends, backends)
            for content in route.content:
                yield from _role(at, "content", content, environment.backends, backends)


def _role(
    at: tuple[str, ...],
    role: Literal["assigner", "content"],
    name: str,
    entries: Mapping[str, BackendEntry],
    backends: Mapping[str, Backend],
) -> Iterator[Problem]:
    entry = entries.get(name)
    backend = backends.get(entry.kind) if entry is not None else None
    if backend is None:
        return
    able, does = (assigns, "assign units") if role == "assigner" else (holds_content, "hold content")
    if not able(backend):
        yield Problem((*at, role), f"the backend {name} cannot {does}")
