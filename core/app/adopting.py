"""Which documents belong to another store, and how a person takes them over when that store is lost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..documents import JsonObject
from ..model.plan import AuditEvent, Place
from ..planning.compile import place_of
from ..ports.backend import Backend, Owned, assigns, holds_content
from .dependencies import Dependencies


@dataclass(frozen=True)
class Foreign:
    """A document that another store owns."""

    place: Place
    owner: str

    @property
    def target(self) -> str:
        return f"{self.place.backend}/{self.place.document}"


def foreign_among(deps: Dependencies, places: Iterable[Place]) -> list[Foreign]:
    """Those of some documents that belong to another store.

    Raises:
        BackendFailed: a backend cannot be read.
    """
    found: list[Foreign] = []
    for place in places:
        backend = _owned(deps.backend(place.kind))
        owners = backend.strangers(place.settings, place.document) if backend is not None else {}
        found += [Foreign(place, owner) for owner in owners.values()]
    return found


def foreign(deps: Dependencies) -> list[Foreign]:
    """Every document of the catalogue's backends that belongs to another store.

    Raises:
        CatalogueBroken: it cannot be said where to look.
        BackendFailed: a backend cannot be read.
    """
    catalogue, found = deps.catalogue.current(), list[Foreign]()
    for environment, each in catalogue.environments.items():
        for name, entry in each.backends.items():
            backend = _owned(deps.backend(entry.kind))
            owners = backend.strangers(entry.settings) if backend is not None else {}
            found += [
                Foreign(place_of(catalogue, environment, name, document), owner)
                for document, owner in sorted(owners.items())
            ]
    return found


def adopt(deps: Dependencies, taken: Iterable[Foreign], by: str) -> None:
    """Make documents ours; each is in the audit. A repeat goes on after a failure.

    Raises:
        BackendChanged: one of them belongs to somebody else by now.
        BackendFailed: a backend cannot be written.
    """
    for each in taken:
        backend, place = _owned(deps.backend(each.place.kind)), each.place
        assert backend is not None, "a document that has an owner says so through this"
        backend.adopt(place.settings, place.document, before=each.owner)
        before: JsonObject = {"owner": each.owner}
        event = AuditEvent(
            at=deps.clock.now(),
            who=by,
            what="backend_adopted",
            subject=each.target,
            before=before,
            after={"place": place.model_dump(mode="json")},
        )
        with deps.store.write() as tx:
            tx.audit(event)


def _owned(backend: Backend) -> Owned | None:
    return backend if assigns(backend) or holds_content(backend) else None
