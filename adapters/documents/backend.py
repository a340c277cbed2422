"""A backend whose entries lie in documents, each with a section of our own marks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

from ...core.documents import JsonObject
from ...core.ports.backend import Location, Probe
from ...core.ports.capabilities import Promises
from ..entries import require_name
from ..owners import Owner, adopted, is_ours, require_ours, stranger
from .document import Document, Place
from .entries import swap_entry

AnyPlace = TypeVar("AnyPlace", bound=Place)


class DocumentBackend(ABC, Generic[AnyPlace]):
    """What every such backend does alike. How a document looks inside is for each to say, in the methods at the end;
    they are pure, and a missing document is {}."""

    def __init__(self, kind: str, place: AnyPlace, owner: Owner) -> None:
        """
        Args:
            kind: begins the adapter's kind, which the place's ends.
            owner: gives the id of the store that it writes for.
        """
        self.kind: str = f"{kind}_{place.kind}"
        self.local_paths: tuple[str, ...] = place.local_paths
        self.promises: Promises = place.promises
        self._place = place
        self._owner = owner

    def location(self, settings: JsonObject) -> str | None:
        return self._place.location(settings)

    def locations(self, settings: JsonObject) -> list[Location]:
        return self._place.locations(settings)

    def problems(self, settings: JsonObject) -> list[tuple[str, str]]:
        return self._place.problems(settings)

    def probe(self, settings: JsonObject) -> Probe:
        owner = self._owner()
        sections = {name: self._section(self._whole(settings, name)) for name in self._names(settings)}
        ours = any(is_ours(section, owner) for section in sections.values())
        return Probe(ours, _strangers(sections, owner), self._place.version(settings))

    def strangers(self, settings: JsonObject, document: str | None = None) -> dict[str, str]:
        names = self._names(settings) if document is None else [document]
        return _strangers({name: self._section(self._whole(settings, name)) for name in names}, self._owner())

    def adopt(self, settings: JsonObject, document: str, *, before: str) -> None:
        def edit(whole: JsonObject | None) -> JsonObject | None:
            if whole is None:
                return None
            return self._with_section(whole, adopted(self._section(whole), before, self._owner()))

        self._document(settings, document).update(edit)

    def read(self, settings: JsonObject, document: str, entry: str) -> JsonObject | None:
        require_name(entry, "entry")
        return self._find(self._whole(settings, document), entry)

    def write(
        self,
        settings: JsonObject,
        document: str,
        entry: str,
        *,
        before: JsonObject | None,
        after: JsonObject | None,
        fence: int,
    ) -> None:
        require_name(entry, "entry")
        swap_entry(
            self._document(settings, document),
            before=before,
            after=after,
            fence=fence,
            find=lambda whole: self._find(whole, entry),
            fence_of=lambda whole: self._fence(whole, entry),
            place=lambda whole: self._put(whole, document, entry, after, fence),
            guard=lambda whole: require_ours(self._section(whole), self._owner()),
        )

    def _whole(self, settings: JsonObject, name: str) -> JsonObject:
        return self._document(settings, name).read() or {}

    @abstractmethod
    def _document(self, settings: JsonObject, name: str) -> Document:
        """
        Raises:
            BackendFailed: there can be no document of that name.
        """
        ...

    @abstractmethod
    def _names(self, settings: JsonObject) -> list[str]:
        """The documents that may hold entries."""
        ...

    @abstractmethod
    def _section(self, whole: JsonObject) -> JsonObject:
        """The part of a document that holds our marks."""
        ...

    @abstractmethod
    def _with_section(self, whole: JsonObject, section: JsonObject) -> JsonObject: ...

    @abstractmethod
    def _find(self, whole: JsonObject, entry: str) -> JsonObject | None: ...

    @abstractmethod
    def _fence(self, whole: JsonObject, entry: str) -> int: ...

    @abstractmethod
    def _put(self, whole: JsonObject, name: str, entry: str, after: JsonObject | None, fence: int) -> JsonObject:
        """The document with an entry put, or taken out, and marked as ours and with the fence."""
        ...


def _strangers(sections: dict[str, JsonObject], owner: str | None) -> dict[str, str]:
    found = {name: stranger(section, owner) for name, section in sections.items()}
    return {name: other for name, other in found.items() if other is not None}
