"""What the use cases need from outside, wired by the server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from ..documents import JsonObject
from ..errors import Misconfigured
from ..model.catalogue import Catalogue
from ..ports.backend import Assigner, Backend, ContentStore, assigns, holds_content
from ..ports.capabilities import Capabilities
from ..ports.catalogue import CatalogueSource
from ..ports.clock import Clock
from ..ports.store import Store

LONGEST_LEASE = timedelta(hours=1)
"""The most that the settings take."""


def unheard(event: str, fields: JsonObject) -> None:
    """A log that nobody reads."""


@dataclass(frozen=True)
class Dependencies:
    """`runner` names this process in leases, `actor` is who the audit says acted, `command` what a person
    types to reach this store at a terminal; a process that shows no sign of life
    for `lease` loses its operations to another."""

    catalogue: CatalogueSource
    store: Store
    backends: Mapping[str, Backend]
    clock: Clock
    runner: str
    actor: str
    lease: timedelta = timedelta(seconds=15)
    command: str = "crossfade"
    log: Callable[[str, JsonObject], None] = unheard
    """Tells whoever runs the process of an event, by its name and fields, that no caller is to be told of."""
    underway: set[tuple[str, int]] = field(default_factory=set[tuple[str, int]])
    """(id, fence) of each operation that a thread of this process is advancing now."""

    def backend(self, kind: str) -> Backend:
        found = self.backends.get(kind)
        if found is None:
            known = sorted(self.backends)
            then = "A person corrects the backend's `kind` in the catalogue; `crossfade check` says where it is."
            raise Misconfigured(f"No adapter is called {kind}.", next=then, allowed=known, got=kind)
        return found

    def assigner(self, catalogue: Catalogue, environment: str, name: str) -> Assigner:
        backend = self.backend(catalogue.environments[environment].backends[name].kind)
        if not assigns(backend):
            then = "A person names another `assigner` in the catalogue."
            raise Misconfigured(f"The backend {name} cannot assign units.", next=then, got=name)
        return backend

    def capabilities(self, catalogue: Catalogue, surface: str, environment: str) -> Capabilities | None:
        """What the assigner of a surface can express; None where the catalogue names none that there is."""
        if environment not in catalogue.environments:
            return None
        name = catalogue.route(surface, environment).assigner
        entry = catalogue.environments[environment].backends.get(name)
        backend = self.backends.get(entry.kind) if entry is not None else None
        return backend.capabilities if backend is not None and assigns(backend) else None

    def content_store(self, catalogue: Catalogue, environment: str, name: str) -> ContentStore:
        backend = self.backend(catalogue.environments[environment].backends[name].kind)
        if not holds_content(backend):
            then = "A person leaves it out of `content` in the catalogue."
            raise Misconfigured(f"The backend {name} holds no content.", next=then, got=name)
        return backend
