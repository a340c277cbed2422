"""The adapter: JSON documents, one a surface, in which a product looks up what a variant shows."""

from __future__ import annotations

from pydantic import JsonValue

from ...core.documents import JsonObject
from ...core.model.delivery import Content
from ...core.ports.backend import Probe
from ...core.ports.capabilities import Promises
from ..documents import Collection, Document, member, require_name, swap_entry
from ..fences import fence_of, with_fence
from ..owners import Owner, adopted, is_ours, nobody, require_ours, stranger, with_owner

ENTRIES = "experiments"


class Parameters:
    """A content store. Its settings are those of the place where the documents lie, which the first write makes.

    A document is named like its surface: {"surface", "parameters": {name: value in production}, "experiments":
    {experiment: entry}, "fences", "owner"}; an entry is {"variants": {variant: {parameter: value}}}. Nothing here
    writes `parameters`.
    """

    def __init__(self, place: Collection, owner: Owner = nobody) -> None:
        self.kind: str = f"parameters_{place.kind}"
        self.local_paths: tuple[str, ...] = place.local_paths
        self.promises: Promises = place.promises
        self._place = place
        self._owner = owner

    def location(self, settings: JsonObject) -> str | None:
        return self._place.location(settings)

    def problems(self, settings: JsonObject) -> list[tuple[str, str]]:
        return self._place.problems(settings)

    def probe(self, settings: JsonObject) -> Probe:
        ours, strangers = False, dict[str, str]()
        for document in self._place.names(settings):
            surface = self._surface(settings, document).read() or {}
            other = stranger(surface, self._owner())
            strangers.update({document: other} if other is not None else {})
            ours = ours or is_ours(surface, self._owner())
        return Probe(ours, strangers, self._place.version(settings))

    def content_document(self, surface: str) -> str:
        return surface

    def compile_content(self, content: Content) -> JsonObject:
        variants: JsonObject = {variant: dict(values) for variant, values in sorted(content.variants.items())}
        return {"variants": variants}

    def production(self, settings: JsonObject, surface: str) -> dict[str, JsonValue]:
        return dict(member(self._surface(settings, surface).read() or {}, "parameters"))

    def entries(self, settings: JsonObject) -> list[tuple[str, str]]:
        return [
            (document, entry)
            for document in self._place.names(settings)
            for entry in sorted(member(self._surface(settings, document).read() or {}, ENTRIES))
        ]

    def strangers(self, settings: JsonObject, document: str | None = None) -> dict[str, str]:
        documents = self._place.names(settings) if document is None else [document]
        owners = {each: stranger(self._surface(settings, each).read() or {}, self._owner()) for each in documents}
        return {each: owner for each, owner in owners.items() if owner is not None}

    def adopt(self, settings: JsonObject, document: str, *, before: str) -> None:
        def edit(surface: JsonObject | None) -> JsonObject | None:
            return None if surface is None else adopted(surface, before, self._owner())

        self._surface(settings, document).update(edit)

    def read(self, settings: JsonObject, document: str, entry: str) -> JsonObject | None:
        require_name(entry, "entry")
        return _find(self._surface(settings, document).read() or {}, entry)

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
            self._surface(settings, document),
            before=before,
            after=after,
            fence=fence,
            find=lambda surface: _find(surface, entry),
            fence_of=lambda surface: fence_of(surface, entry),
            place=lambda surface: with_owner(
                _place({"surface": document, "parameters": {}, **surface}, entry, after, fence), self._owner()
            ),
            guard=lambda surface: require_ours(surface, self._owner()),
        )

    def _surface(self, settings: JsonObject, document: str) -> Document:
        return self._place.document(settings, require_name(document, "document"))


def _find(surface: JsonObject, entry: str) -> JsonObject | None:
    entries = member(surface, ENTRIES)
    return member(entries, entry) if entry in entries else None


def _place(surface: JsonObject, entry: str, after: JsonObject | None, fence: int) -> JsonObject:
    entries = {name: each for name, each in member(surface, ENTRIES).items() if name != entry}
    if after is not None:
        entries[entry] = after
    return with_fence({**surface, ENTRIES: dict(sorted(entries.items()))}, entry, fence, entries)
