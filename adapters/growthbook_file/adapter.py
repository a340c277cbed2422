"""The adapter: one GrowthBook SDK payload in one file, which any GrowthBook SDK evaluates without a server."""

from __future__ import annotations

from ...core.documents import JsonObject
from ...core.errors import BackendFailed
from ...core.model.delivery import Assignment
from ...core.ports.clock import Clock
from ..file_settings import path_of, path_problems, require_name
from ..json_file import JsonFile
from .payload import experiments_in, find_entry, fitted_entry, last_fence, place_entry, stamped
from .rules import compile_entry, replace_coverage, replace_previews

DOCUMENT = "payload"


class GrowthbookFile:
    """An assigner. Its one setting is `path`, the absolute path of the payload, made by the first write.

    An entry is {"defaults": {feature: value}, "rules": {feature: [rules]}}; a feature is "<surface>.<parameter>". Only
    features of parameters that the experiment varies are touched, and a default that others set stays.
    """

    kind: str = "growthbook_file"
    local_paths: tuple[str, ...] = ("path",)

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

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

    def with_previews(self, entry: JsonObject, previews: dict[str, list[str]]) -> JsonObject:
        """Raises Invalid where a previewed variant holds null, which a GrowthBook rule cannot force."""
        return replace_previews(entry, previews)

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
            place=lambda payload: stamped(place_entry(payload, entry, after, fence), self._clock.now()),
        )


def _file(settings: JsonObject, document: str) -> JsonFile:
    if document != DOCUMENT:
        raise BackendFailed("A payload file holds one document.", got=document[:200])
    return JsonFile(path_of(settings))
