"""Where the catalogue comes from."""

from __future__ import annotations

from typing import Protocol

from ..model.catalogue import Catalogue


class CatalogueSource(Protocol):
    def current(self) -> Catalogue:
        """The catalogue as it is now; the same object for as long as nothing has changed.

        Raises:
            CatalogueBroken: it does not load; every fault is named with its file, line and field.
        """
        ...
