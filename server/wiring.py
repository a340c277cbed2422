"""The composition root: settings in, a working Crossfade out. Heavy imports happen here, when something needs them."""

from __future__ import annotations

import getpass
import uuid
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from ..core.app.crossfade import Crossfade
from ..core.app.dependencies import Dependencies
from ..core.model.catalogue import Backend as BackendEntry
from ..core.model.catalogue import Catalogue
from ..core.ports.backend import Backend
from ..core.ports.catalogue import CatalogueSource
from ..core.ports.clock import Clock
from .clock import SystemClock
from .settings import Settings


def build(settings: Settings, actor: str, clock: Clock | None = None) -> Crossfade:
    """Everything wired. The catalogue is read when it is first asked for, so that a stop works without one.

    Raises:
        StoreUnavailable: the database cannot be opened.
    """
    from ..adapters.all_backends import all_backends
    from ..adapters.store.store import open_store

    clock = clock or SystemClock()
    backends = all_backends(clock)
    return Crossfade(
        Dependencies(
            catalogue=catalogue_source(settings.catalogue_folder, settings.root, backends),
            store=open_store(settings.database),
            backends=backends,
            clock=clock,
            runner=uuid.uuid4().hex,
            actor=actor,
            lease=timedelta(seconds=settings.lease_seconds),
        )
    )


def catalogue_source(folder: Path, home: Path, backends: Mapping[str, Backend]) -> CatalogueSource:
    """The catalogue of a folder, its backends' settings checked by their adapters and its paths made absolute."""
    from ..adapters.catalogue_yaml.source import YamlCatalogue
    from .backend_rules import backend_problems

    source = YamlCatalogue(folder, lambda catalogue: backend_problems(catalogue, backends, home))
    return LocatedCatalogue(source, home)


class LocatedCatalogue:
    """A catalogue whose relative backend paths start at the home."""

    def __init__(self, source: CatalogueSource, home: Path) -> None:
        self._source = source
        self._home = home
        self._seen: tuple[Catalogue, Catalogue] | None = None

    def current(self) -> Catalogue:
        catalogue = self._source.current()
        if self._seen is None or self._seen[0] is not catalogue:
            self._seen = (catalogue, located(catalogue, self._home))
        return self._seen[1]


def located(catalogue: Catalogue, home: Path) -> Catalogue:
    environments = {
        name: environment.model_copy(
            update={"backends": {key: located_entry(entry, home) for key, entry in environment.backends.items()}}
        )
        for name, environment in catalogue.environments.items()
    }
    return catalogue.model_copy(update={"environments": environments})


def located_entry(entry: BackendEntry, home: Path) -> BackendEntry:
    path = entry.settings.get("path")
    if not isinstance(path, str):
        return entry
    return entry.model_copy(update={"settings": {**entry.settings, "path": str(home / Path(path).expanduser())}})


def person() -> str:
    """Who sits at this terminal, for the audit."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
