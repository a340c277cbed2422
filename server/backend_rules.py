"""What the adapters say about the catalogue's backends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

from ..core.catalogue_rules import Problem
from ..core.model.catalogue import Backend as BackendEntry
from ..core.model.catalogue import Catalogue, Route
from ..core.names import nearest
from ..core.ports.backend import Backend, assigns, holds_content
from .located import located_entry


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
    seen: dict[str, str] = {}
    for name, environment in catalogue.environments.items():
        for key, entry in environment.backends.items():
            backend = backends.get(entry.kind)
            where = backend.location(located_entry(entry, home, backend).settings) if backend is not None else None
            if where is None:
                continue
            other = seen.setdefault(where, f"{name}/{key}")
            if other != f"{name}/{key}":
                at = ("environments", name, "backends", key, "settings")
                yield Problem(at, f"the backend {other} writes to the same place")


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
