"""What is delivered and no store knows of: after a database was lost, or a document came back from a backup."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..checks.engine import Case
from ..documents import JsonObject
from ..errors import CatalogueBroken
from ..model.catalogue import Catalogue
from ..model.experiment import EXPERIMENT_KEY, LIVE, State
from ..model.plan import Place, Step
from ..planning.buckets import layer_name
from ..planning.compile import place_of
from ..ports.backend import Assigner, assigns, holds_content
from ..ports.store import Reader
from .dependencies import Dependencies


def strays_of(deps: Dependencies, case: Case) -> dict[str, str]:
    """Experiment -> the command that takes it out, of each that lets units of the case's layer in and holds no bucket.

    Raises:
        BackendFailed: the assigner cannot be read.
    """
    spec = case.spec
    name = case.catalogue.route(spec.surface, spec.environment).assigner
    assigner = deps.assigner(case.catalogue, spec.environment, name)
    settings = case.catalogue.environments[spec.environment].backends[name].settings
    layer = layer_name(spec.environment, spec.surface, spec.layer)
    return _not_live(deps, assigner, settings, layer, {case.key, *(part.key for part in case.held)})


def hashed_otherwise(deps: Dependencies, view: Reader, case: Case) -> dict[str, str]:
    """Experiment -> the backend that last let its units in, of each that holds buckets of the case's layer, where that
    backend hashes otherwise than the assigner of now. Of two that give out units themselves each knows its own."""
    spec, found = case.spec, dict[str, str]()
    name = case.catalogue.route(spec.surface, spec.environment).assigner
    assigner = deps.assigner(case.catalogue, spec.environment, name)
    settings = case.catalogue.environments[spec.environment].backends[name].settings

    def by_itself(place: Place) -> bool:
        known = place.kind == assigner.kind and (
            place.backend == name or assigner.location(place.settings) == assigner.location(settings)
        )
        return assigner.hashing is None and not known

    for key in sorted({part.key for part in case.held}):
        opened = [step.place for step in view.steps_of(key) if step.opens_traffic and step.after is not None]
        backend = deps.backends.get(opened[-1].kind) if opened else None
        if backend is None or not assigns(backend):
            continue
        if type(backend.hashing) is not type(assigner.hashing) or by_itself(opened[-1]):
            found[key] = opened[-1].backend
    return found


def strays_beside(deps: Dependencies, steps: Sequence[Step], layer: str, key: str) -> dict[str, str]:
    """The same of the documents to which steps put back what lets an experiment's units in: it needs no catalogue.

    Raises:
        BackendFailed: an assigner cannot be read.
    """
    found: dict[str, str] = {}
    for place in (step.place for step in steps if step.opens_traffic and step.after is not None):
        assigner = deps.backend(place.kind)
        if assigns(assigner):
            found |= _not_live(deps, assigner, place.settings, layer, {key})
    return found


def _not_live(
    deps: Dependencies, assigner: Assigner, settings: JsonObject, layer: str, known: set[str]
) -> dict[str, str]:
    found = {key for _, key in assigner.entries(settings, layer)} - known
    if found:
        # Others launch and stop meanwhile: a stray holds nothing after it was seen, and is there after that.
        with deps.store.read() as view:
            found -= {part.key for part in view.held(layer)}
        found &= {key for _, key in assigner.entries(settings, layer)}
    return {key: f"{deps.command} stop {key}" for key in sorted(found)}


def take_out(deps: Dependencies, key: str) -> list[str]:
    """Take an experiment that the store has never heard of out of every backend of the catalogue, and tell where it
    was. There is no journal to begin with, so a repeat is what finishes one that failed half way.

    Raises:
        BackendFailed: a backend cannot be read or written.
    """
    if not re.fullmatch(EXPERIMENT_KEY, key):
        return []
    try:
        places = [place for place, found in delivered(deps, deps.catalogue.current()) if found == key]
    except CatalogueBroken:
        return []
    fence = round(deps.clock.now().timestamp() * 1000)
    taken: list[str] = []
    for place in places:
        backend = deps.backend(place.kind)
        now = backend.read(place.settings, place.document, key)
        if now is not None:
            backend.write(place.settings, place.document, key, before=now, after=None, fence=fence)
            taken.append(f"{place.backend}/{place.document}")
    return taken


def delivered(deps: Dependencies, catalogue: Catalogue) -> Iterator[tuple[Place, str]]:
    """(document, experiment) of each entry in the catalogue's backends; those that let units in come first.

    Raises:
        BackendFailed: a backend cannot be read.
    """
    backends = [
        (environment, name, deps.backend(entry.kind), entry.settings)
        for environment, each in catalogue.environments.items()
        for name, entry in each.backends.items()
    ]
    for environment, name, backend, settings in sorted(backends, key=lambda each: not assigns(each[2])):
        if assigns(backend) or holds_content(backend):
            for document, key in backend.entries(settings):
                yield place_of(catalogue, environment, name, document), key


@dataclass(frozen=True)
class Leftover:
    """An entry of what is not live: `state` is what the store says of the experiment, None when it knows none."""

    key: str
    state: State | None
    target: str


def leftovers(deps: Dependencies) -> list[Leftover]:
    """The entries in the catalogue's backends of experiments that are stopped, or that the store does not know, and of
    drafts that have no test units there.

    Raises:
        CatalogueBroken: it cannot be said where to look.
        BackendFailed: a backend cannot be read.
    """
    found = list(delivered(deps, deps.catalogue.current()))
    left: list[Leftover] = []
    with deps.store.read() as view:
        for place, key in found:
            record = view.experiment(key)
            wanted = record is not None and (record.state in LIVE or place in [p.place for p in view.placements(key)])
            if not wanted:
                left.append(Leftover(key, record.state if record else None, f"{place.backend}/{place.document}"))
    return left
