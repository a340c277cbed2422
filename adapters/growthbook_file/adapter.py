"""The adapter: one GrowthBook SDK payload in one file, which any GrowthBook SDK evaluates without a server."""

from __future__ import annotations

from ...core.documents import JsonObject
from ...core.errors import BackendFailed
from ...core.model.delivery import Assignment
from ...core.ports.backend import Standing
from ...core.ports.clock import Clock
from ..file_settings import path_of, path_problems, require_name
from ..json_file import JsonFile
from ..owners import Owner, adopted, nobody, require_ours, stranger
from .payload import (
    SECTION,
    due_entry,
    experiments_in,
    find_entry,
    fitted_entry,
    last_fence,
    place_entry,
    rules_before,
    section_of,
    stamped,
)
from .rules import compile_entry, replace_coverage, replace_previews

DOCUMENT = "payload"


class GrowthbookFile:
    """An assigner. Its one setting is `path`, the absolute path of the payload, made by the first write.

    An entry is {"defaults": {feature: value}, "rules": {feature: [rules]}}; a feature is "<surface>.<parameter>". Only
    features of parameters that the experiment varies are touched, and a default that others set stays.
    """

    kind: str = "growthbook_file"
    local_paths: tuple[str, ...] = ("path",)

    def __init__(self, clock: Clock, owner: Owner = nobody) -> None:
        self._clock = clock
        self._owner = owner

    def problems(self, settings: JsonObject) -> list[tuple[str, str]]:
        return path_problems(settings, "file")

    def assignment_document(self, assignment: Assignment) -> str:
        return DOCUMENT

    def compile_assignment(self, assignment: Assignment) -> JsonObject:
        """The entry for an assignment. Pure.

        Raises:
            Invalid: a previewed variant holds null, which a GrowthBook rule cannot force.
        """
        return compile_entry(assignment)

    def entries(self, settings: JsonObject, layer: str | None = None) -> list[tuple[str, str]]:
        payload = _file(settings, DOCUMENT).read() or {}
        return [(DOCUMENT, experiment) for experiment in experiments_in(payload, layer)]

    def fitted(self, settings: JsonObject, document: str, entry: str, wanted: JsonObject) -> JsonObject:
        return fitted_entry(_file(settings, document).read() or {}, wanted)

    def standing(self, settings: JsonObject, document: str, entry: str, delivered: JsonObject) -> Standing:
        payload = _file(settings, document).read() or {}
        return Standing(
            actual=find_entry(payload, entry),
            due=due_entry(payload, entry, delivered),
            shadows=rules_before(payload, entry),
        )

    def with_previews(self, entry: JsonObject, previews: dict[str, list[str]]) -> JsonObject:
        """Raises Invalid where a previewed variant holds null, which a GrowthBook rule cannot force."""
        return replace_previews(entry, previews)

    def strangers(self, settings: JsonObject, document: str | None = None) -> dict[str, str]:
        payload = _file(settings, document or DOCUMENT).read() or {}
        other = stranger(section_of(payload), self._owner())
        return {DOCUMENT: other} if other is not None else {}

    def adopt(self, settings: JsonObject, document: str, *, before: str) -> None:
        def edit(payload: JsonObject) -> JsonObject:
            return {**payload, SECTION: adopted(section_of(payload), before, self._owner())}

        _file(settings, document).change(edit)

    def with_coverage(self, entry: JsonObject, coverage: float) -> JsonObject:
        return replace_coverage(entry, coverage)

    def read(self, settings: JsonObject, document: str, entry: str) -> JsonObject | None:
        payload = _file(settings, document).read()
        return None if payload is None else find_entry(payload, require_name(entry, "entry"))

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
            find=lambda payload: find_entry(payload, entry),
            fence_of=lambda payload: last_fence(payload, entry),
            place=lambda payload: stamped(place_entry(payload, entry, after, fence, self._owner()), self._clock.now()),
            guard=lambda payload: require_ours(section_of(payload), self._owner()),
        )


def _file(settings: JsonObject, document: str) -> JsonFile:
    if document != DOCUMENT:
        raise BackendFailed("A payload file holds one document.", got=document[:200])
    return JsonFile(path_of(settings))
