"""The adapter: a folder of JSON documents, one a surface, in which a product looks up what a variant shows."""

from __future__ import annotations

from pydantic import JsonValue

from ...core.documents import JsonObject
from ...core.model.delivery import Content
from ..fences import fence_of, with_fence
from ..file_settings import is_name, path_of, path_problems, require_name
from ..json_file import JsonFile, member
from ..owners import Owner, adopted, nobody, require_ours, stranger, with_owner

ENTRIES = "experiments"


class ParametersFolder:
    """A content store. Its one setting is `path`, the absolute path of the folder, made by the first write.

    A document is "<surface>.json": {"surface", "parameters": {name: value in production}, "experiments": {experiment:
    entry}, "fences", "owner"}; an entry is {"variants": {variant: {parameter: value}}}. Nothing here writes
    `parameters`.
    """

    kind: str = "parameters_folder"
    local_paths: tuple[str, ...] = ("path",)

    def __init__(self, owner: Owner = nobody) -> None:
        self._owner = owner

    def problems(self, settings: JsonObject) -> list[tuple[str, str]]:
        return path_problems(settings, "folder")

    def content_document(self, surface: str) -> str:
        return surface

    def compile_content(self, content: Content) -> JsonObject:
        variants: JsonObject = {variant: dict(values) for variant, values in sorted(content.variants.items())}
        return {"variants": variants}

    def production(self, settings: JsonObject, surface: str) -> dict[str, JsonValue]:
        return dict(member(_file(settings, surface).read() or {}, "parameters"))

    def entries(self, settings: JsonObject) -> list[tuple[str, str]]:
        return [
            (document, entry)
            for document in _documents(settings)
            for entry in sorted(member(_file(settings, document).read() or {}, ENTRIES))
        ]

    def strangers(self, settings: JsonObject, document: str | None = None) -> dict[str, str]:
        documents = _documents(settings) if document is None else [document]
        owners = {each: stranger(_file(settings, each).read() or {}, self._owner()) for each in documents}
        return {each: owner for each, owner in owners.items() if owner is not None}

    def adopt(self, settings: JsonObject, document: str, *, before: str) -> None:
        _file(settings, document).change(lambda surface: adopted(surface, before, self._owner()))

    def read(self, settings: JsonObject, document: str, entry: str) -> JsonObject | None:
        require_name(entry, "entry")
        return _find(_file(settings, document).read() or {}, entry)

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
        _file(settings, document).swap(
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


def _file(settings: JsonObject, document: str) -> JsonFile:
    return JsonFile(path_of(settings) / f"{require_name(document, 'document')}.json")


def _documents(settings: JsonObject) -> list[str]:
    return sorted(each.stem for each in path_of(settings).glob("*.json") if is_name(each.stem))


def _find(surface: JsonObject, entry: str) -> JsonObject | None:
    entries = member(surface, ENTRIES)
    return member(entries, entry) if entry in entries else None


def _place(surface: JsonObject, entry: str, after: JsonObject | None, fence: int) -> JsonObject:
    entries = {name: each for name, each in member(surface, ENTRIES).items() if name != entry}
    if after is not None:
        entries[entry] = after
    return with_fence({**surface, ENTRIES: dict(sorted(entries.items()))}, entry, fence, entries)
