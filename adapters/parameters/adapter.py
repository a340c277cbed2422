"""The adapter: JSON documents, one a surface, in which a product looks up what a variant shows."""

from __future__ import annotations

from pydantic import JsonValue

from ...core.documents import JsonObject
from ...core.model.delivery import Content
from ..documents import Collection, Document, DocumentBackend, member
from ..entries import require_name
from ..fences import fence_of, with_fence
from ..owners import Owner, nobody, with_owner

ENTRIES = "experiments"


class Parameters(DocumentBackend[Collection]):
    """A content store. Its settings are those of the place where the documents lie, which the first write makes.

    A document is named like its surface: {"surface", "parameters": {name: value in production}, "experiments":
    {experiment: entry}, "fences", "owner"}; an entry is {"variants": {variant: {parameter: value}}}. Nothing here
    writes `parameters`.
    """

    def __init__(self, place: Collection, owner: Owner = nobody) -> None:
        super().__init__("parameters", place, owner)

    def content_document(self, surface: str) -> str:
        return surface

    def compile_content(self, content: Content) -> JsonObject:
        variants: JsonObject = {variant: dict(values) for variant, values in sorted(content.variants.items())}
        return {"variants": variants}

    def production(self, settings: JsonObject, surface: str) -> dict[str, JsonValue]:
        return dict(member(self._whole(settings, surface), "parameters"))

    def entries(self, settings: JsonObject) -> list[tuple[str, str]]:
        return [
            (document, entry)
            for document in self._names(settings)
            for entry in sorted(member(self._whole(settings, document), ENTRIES))
        ]

    def _document(self, settings: JsonObject, name: str) -> Document:
        return self._place.document(settings, require_name(name, "document"))

    def _names(self, settings: JsonObject) -> list[str]:
        return self._place.names(settings)

    def _section(self, whole: JsonObject) -> JsonObject:
        return whole

    def _with_section(self, whole: JsonObject, section: JsonObject) -> JsonObject:
        return section

    def _find(self, whole: JsonObject, entry: str) -> JsonObject | None:
        entries = member(whole, ENTRIES)
        return member(entries, entry) if entry in entries else None

    def _fence(self, whole: JsonObject, entry: str) -> int:
        return fence_of(whole, entry)

    def _put(self, whole: JsonObject, name: str, entry: str, after: JsonObject | None, fence: int) -> JsonObject:
        entries = {key: each for key, each in member(whole, ENTRIES).items() if key != entry}
        if after is not None:
            entries[entry] = after
        changed: JsonObject = {"surface": name, "parameters": {}, **whole, ENTRIES: dict(sorted(entries.items()))}
        return with_owner(with_fence(changed, entry, fence, entries), self._owner())
