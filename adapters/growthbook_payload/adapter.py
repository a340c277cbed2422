"""The adapter: one GrowthBook SDK payload in one document, which any GrowthBook SDK evaluates without a server."""

from __future__ import annotations

from ...core.assignment import GROWTHBOOK, Hashing
from ...core.documents import JsonObject
from ...core.errors import BackendFailed
from ...core.model.delivery import Assignment
from ...core.ports.backend import Foreign, Standing
from ...core.ports.capabilities import Capabilities
from ...core.ports.clock import Clock
from ..documents import Document, DocumentBackend, Place
from ..owners import Owner, nobody
from .foreign import foreign_in
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


class GrowthbookPayload(DocumentBackend[Place]):
    """An assigner. Its settings are those of the place where the payload lies, which the first write makes.

    An entry is {"defaults": {feature: value}, "rules": {feature: [rules]}}; a feature is "<surface>.<parameter>". Only
    features of parameters that the experiment varies are touched, and a default that others set stays.
    """

    def __init__(self, place: Place, clock: Clock, owner: Owner = nobody) -> None:
        super().__init__("growthbook", place, owner)
        self.capabilities: Capabilities = Capabilities()
        self.hashing: Hashing = GROWTHBOOK
        self._clock = clock

    def assignment_document(self, assignment: Assignment) -> str:
        return DOCUMENT

    def compile_assignment(self, assignment: Assignment) -> JsonObject:
        """The entry for an assignment. Pure.

        Raises:
            Invalid: a previewed variant holds null, which a GrowthBook rule cannot force.
        """
        return compile_entry(assignment)

    def entries(self, settings: JsonObject, layer: str | None = None) -> list[tuple[str, str]]:
        payload = self._whole(settings, DOCUMENT)
        return [(DOCUMENT, experiment) for experiment in experiments_in(payload, layer)]

    def fitted(self, settings: JsonObject, document: str, entry: str, wanted: JsonObject) -> JsonObject:
        return fitted_entry(self._whole(settings, document), wanted)

    def standing(self, settings: JsonObject, document: str, entry: str, delivered: JsonObject) -> Standing:
        payload = self._whole(settings, document)
        return Standing(
            actual=find_entry(payload, entry),
            due=due_entry(payload, entry, delivered),
            shadows=rules_before(payload, entry),
        )

    def foreign(self, settings: JsonObject) -> list[Foreign]:
        return foreign_in(self._whole(settings, DOCUMENT))

    def with_previews(self, entry: JsonObject, previews: dict[str, list[str]]) -> JsonObject:
        """Raises Invalid where a previewed variant holds null, which a GrowthBook rule cannot force."""
        return replace_previews(entry, previews)

    def with_coverage(self, entry: JsonObject, coverage: float) -> JsonObject:
        return replace_coverage(entry, coverage)

    def _document(self, settings: JsonObject, name: str) -> Document:
        if name != DOCUMENT:
            raise BackendFailed("A payload is one document.", got=name[:200])
        return self._place.document(settings, DOCUMENT)

    def _names(self, settings: JsonObject) -> list[str]:
        return [DOCUMENT]

    def _section(self, whole: JsonObject) -> JsonObject:
        return section_of(whole)

    def _with_section(self, whole: JsonObject, section: JsonObject) -> JsonObject:
        return {**whole, SECTION: section}

    def _find(self, whole: JsonObject, entry: str) -> JsonObject | None:
        return find_entry(whole, entry)

    def _fence(self, whole: JsonObject, entry: str) -> int:
        return last_fence(whole, entry)

    def _put(self, whole: JsonObject, name: str, entry: str, after: JsonObject | None, fence: int) -> JsonObject:
        return stamped(place_entry(whole, entry, after, fence, self._owner()), self._clock.now())
