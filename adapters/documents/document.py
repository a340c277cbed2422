"""JSON documents that lie somewhere, and where that is: a file, an object in a bucket, a key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, Protocol

from ...core.documents import JsonObject
from ...core.ports.backend import Location
from ...core.ports.capabilities import Promises
from ..settings import Settings, checked_settings, location_in, locations_in, setting_problems

Edit = Callable[[JsonObject | None], JsonObject | None]
"""From the document, None when there is none, to what is to take its place; None when nothing is to be written. It may
be called again on a newer document, and what it raises leaves the document as it is."""


class Document(Protocol):
    """One JSON object, always whole: a change replaces it at once."""

    def read(self) -> JsonObject | None:
        """The document, or None when there is none.

        Raises:
            BackendFailed: it cannot be read, or is no JSON object.
        """
        ...

    def update(self, edit: Edit) -> None:
        """Replace the document by what `edit` makes of it, when nobody has changed it meanwhile. What is there on
        return is durable, also when nothing was written.

        Raises:
            BackendFailed: it cannot be read or written, or others keep it busy.
        """
        ...


def untold(place: object, settings: JsonObject) -> str | None:
    """The `version` of a place that has none, or does not tell it."""


class Place(Protocol):
    """Where an adapter keeps its documents, as the settings in the catalogue name it."""

    kind: str
    """Ends the kind of the adapters that keep their documents here."""
    local_paths: tuple[str, ...]
    """As in `Backend`."""
    promises: Promises

    def location(self, settings: JsonObject) -> str | None:
        """As in `Backend`."""
        ...

    def locations(self, settings: JsonObject) -> list[Location]:
        """As in `Spread`."""
        ...

    def problems(self, settings: JsonObject) -> list[tuple[str, str]]:
        """(pointer, message) of each setting that is wrong."""
        ...

    def version(self, settings: JsonObject) -> str | None:
        """The version of the system, where it tells.

        Raises:
            BackendFailed: it cannot be asked.
        """
        ...

    def document(self, settings: JsonObject, name: str) -> Document:
        """
        Raises:
            BackendFailed: the settings are wrong, or the name leads somewhere else.
        """
        ...


class Collection(Place, Protocol):
    """A place that keeps any number of documents, by name."""

    def names(self, settings: JsonObject) -> list[str]:
        """The documents that are there, sorted.

        Raises:
            BackendFailed: the place cannot be looked through.
        """
        ...


class RemotePlace(Generic[Settings]):
    """A place in another system, which a model of its settings describes."""

    kind: str
    local_paths: tuple[str, ...] = ()
    promises: Promises
    model: type[Settings]

    def location(self, settings: JsonObject) -> str | None:
        return location_in(self.model, settings)

    def locations(self, settings: JsonObject) -> list[Location]:
        return locations_in(self.model, settings)

    def problems(self, settings: JsonObject) -> list[tuple[str, str]]:
        return setting_problems(self.model, settings)

    def chosen(self, settings: JsonObject) -> Settings:
        """
        Raises:
            BackendFailed: one of them is wrong.
        """
        return checked_settings(self.model, settings)
