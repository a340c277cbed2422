"""The catalogue with its local paths made absolute."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import JsonValue

from ..core.model.catalogue import Backend as BackendEntry
from ..core.model.catalogue import Catalogue
from ..core.ports.backend import Backend
from ..core.ports.catalogue import CatalogueSource


class LocatedCatalogue:
    """A catalogue in which every setting that its adapter calls a local path starts at the home, unless absolute."""

    def __init__(self, source: CatalogueSource, home: Path, backends: Mapping[str, Backend]) -> None:
        self._source = source
        self._home = home
        self._backends = backends
        self._seen: tuple[Catalogue, Catalogue] | None = None

    def current(self) -> Catalogue:
        catalogue = self._source.current()
        if self._seen is None or self._seen[0] is not catalogue:
            self._seen = (catalogue, located(catalogue, self._home, self._backends))
        return self._seen[1]


def located(catalogue: Catalogue, home: Path, backends: Mapping[str, Backend]) -> Catalogue:
    environments = {
        name: environment.model_copy(
            update={
                "backends": {
                    key: located_entry(entry, home, backends.get(entry.kind))
                    for key, entry in environment.backends.items()
                }
            }
        )
        for name, environment in catalogue.environments.items()
    }
    return catalogue.model_copy(update={"environments": environments})


def located_entry(entry: BackendEntry, home: Path, backend: Backend | None) -> BackendEntry:
    """The entry with its local paths absolute; as it is when no adapter serves it."""
    paths: dict[str, JsonValue] = {
        name: _absolute(home, path)
        for name in (backend.local_paths if backend is not None else ())
        if isinstance(path := entry.settings.get(name), str)
    }
    return entry.model_copy(update={"settings": {**entry.settings, **paths}}) if paths else entry


def _absolute(home: Path, path: str) -> str:
    """The path from the home on; unchanged, for the adapter to refuse, when it starts at the home of nobody."""
    try:
        return str(home / Path(path).expanduser())
    except RuntimeError:
        return path
