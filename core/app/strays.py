"""What is delivered and no store knows of: after a database was lost, or a document came back from a backup."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..checks.engine import Case
from ..errors import CatalogueBroken
from ..model.catalogue import Catalogue
from ..model.experiment import EXPERIMENT_KEY
from ..model.plan import Place
from ..planning.buckets import layer_name
from ..planning.compile import place_of
from ..ports.backend import assigns, holds_content
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
    found = {key for _, key in assigner.entries(settings, layer)} - {part.key for part in case.held} - {case.key}
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
        places = list(_places(deps, deps.catalogue.current(), key))
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


def _places(deps: Dependencies, catalogue: Catalogue, key: str) -> Iterator[Place]:
    """Every document of the catalogue that can hold the experiment; those that let units in come first."""
    entries = [
        (environment, name, deps.backend(entry.kind), entry.settings)
        for environment, each in catalogue.environments.items()
        for name, entry in each.backends.items()
    ]
    for environment, name, backend, settings in entries:
        if assigns(backend):
            documents = {document for document, found in backend.entries(settings) if found == key}
            yield from (place_of(catalogue, environment, name, document) for document in sorted(documents))
    for environment, name, backend, _ in entries:
        if holds_content(backend):
            for surface in catalogue.surfaces:
                yield place_of(catalogue, environment, name, backend.content_document(surface))
