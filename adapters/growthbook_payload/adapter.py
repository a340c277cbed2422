"""The adapter: one GrowthBook SDK payload in one document, which any GrowthBook SDK evaluates without a server."""

from __future__ import annotations

from ...core.assignment import GROWTHBOOK, Hashing
from ...core.documents import JsonObject
from ...core.errors import BackendFailed
from ...core.model.delivery import Assignment
from ...core.ports.backend import Foreign, Probe, Standing
from ...core.ports.capabilities import Capabilities, Promises
from ...core.ports.clock import Clock
from ..documents import Document, Place, require_name, swap_entry
from ..owners import Owner, adopted, is_ours, nobody, require_ours, stranger
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


class GrowthbookPayload:
    """An assigner. Its settings are those of the place where the payload lies, which the first write makes.

    An entry is {"defaults": {feature: value}, "rules": {feature: [rules]}}; a feature is "<surface>.<parameter>". Only
    features of parameters that the experiment varies are touched, and a default that others set stays.
    """

    def __init__(self, place: Place, clock: Clock, owner: Owner = nobody) -> None:
        self.kind: str = f"growthbook_{place.kind}"
        self.local_paths: tuple[str, ...] = place.local_paths
        self.promises: Promises = place.promises
        self.capabilities: Capabilities = Capabilities()
        self.hashing: Hashing = GROWTHBOOK
        self._place = place
        self._clock = clock
        self._owner = owner

    def location(self, settings: JsonObject) -> str | None:
        return self._place.location(settings)

    def problems(self, settings: JsonObject) -> list[tuple[str, str]]:
        return self._place.problems(settings)

    def probe(self, settings: JsonObject) -> Probe:
        section = section_of(self._payload(settings, DOCUMENT).read() or {})
        other = stranger(section, self._owner())
        strangers = {DOCUMENT: other} if other is not None else {}
        return Probe(is_ours(section, self._owner()), strangers, self._place.version(settings))

    def assignment_document(self, assignment: Assignment) -> str:
        return DOCUMENT

    def compile_assignment(self, assignment: Assignment) -> JsonObject:
        """The entry for an assignment. Pure.

        Raises:
            Invalid: a previewed variant holds null, which a GrowthBook rule cannot force.
        """
        return compile_entry(assignment)

    def entries(self, settings: JsonObject, layer: str | None = None) -> list[tuple[str, str]]:
        payload = self._payload(settings, DOCUMENT).read() or {}
        return [(DOCUMENT, experiment) for experiment in experiments_in(payload, layer)]

    def fitted(self, settings: JsonObject, document: str, entry: str, wanted: JsonObject) -> JsonObject:
        return fitted_entry(self._payload(settings, document).read() or {}, wanted)

    def standing(self, settings: JsonObject, document: str, entry: str, delivered: JsonObject) -> Standing:
        payload = self._payload(settings, document).read() or {}
        return Standing(
            actual=find_entry(payload, entry),
            due=due_entry(payload, entry, delivered),
            shadows=rules_before(payload, entry),
        )

    def foreign(self, settings: JsonObject) -> list[Foreign]:
        return foreign_in(self._payload(settings, DOCUMENT).read() or {})

    def with_previews(self, entry: JsonObject, previews: dict[str, list[str]]) -> JsonObject:
        """Raises Invalid where a previewed variant holds null, which a GrowthBook rule cannot force."""
        return replace_previews(entry, previews)

    def strangers(self, settings: JsonObject, document: str | None = None) -> dict[str, str]:
        payload = self._payload(settings, document or DOCUMENT).read() or {}
        other = stranger(section_of(payload), self._owner())
        return {DOCUMENT: other} if other is not None else {}

    def adopt(self, settings: JsonObject, document: str, *, before: str) -> None:
        def edit(payload: JsonObject | None) -> JsonObject | None:
            if payload is None:
                return None
            return {**payload, SECTION: adopted(section_of(payload), before, self._owner())}

        self._payload(settings, document).update(edit)

    def with_coverage(self, entry: JsonObject, coverage: float) -> JsonObject:
        return replace_coverage(entry, coverage)

    def read(self, settings: JsonObject, document: str, entry: str) -> JsonObject | None:
        payload = self._payload(settings, document).read()
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
        swap_entry(
            self._payload(settings, document),
            before=before,
            after=after,
            fence=fence,
            find=lambda payload: find_entry(payload, entry),
            fence_of=lambda payload: last_fence(payload, entry),
            place=lambda payload: stamped(place_entry(payload, entry, after, fence, self._owner()), self._clock.now()),
            guard=lambda payload: require_ours(section_of(payload), self._owner()),
        )

    def _payload(self, settings: JsonObject, document: str) -> Document:
        if document != DOCUMENT:
            raise BackendFailed("A payload is one document.", got=document[:200])
        return self._place.document(settings, DOCUMENT)
