"""Which live experiments a draft would meet: the same units, at the same time, in other layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pydantic import TypeAdapter

from ..audience import overlap, parse
from ..documents import JsonObject, canonical
from ..keeping import Latest
from ..model.catalogue import Catalogue
from ..model.delivery import Audience
from ..model.experiment import Spec
from ..ports.store import LiveGroup

MOST_PAIRS = 100_000
"""Pairs of audiences whose overlap is remembered; then all are forgotten."""
MOST_PLACES = 10_000
"""Sets of parameters whose components are remembered; then all are forgotten."""
_AUDIENCE: TypeAdapter[JsonObject | str] = TypeAdapter(JsonObject | str)


@dataclass(frozen=True)
class Meeting:
    """The groups that can meet a draft's units: those that change the same component, and the others."""

    interacting: list[LiveGroup]
    others: list[LiveGroup]


class Neighbourhood:
    """Which audiences of a catalogue meet, and which parameters change one component. Each pair of audiences is
    decided once: thousands of experiments ask for few different audiences."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self._pairs: dict[tuple[str, str], bool] = {}
        self._components: dict[tuple[str, tuple[str, ...]], frozenset[str]] = {}

    def meet(self, one: str, other: str) -> bool:
        """Whether a unit can be in both audiences, which are JSON texts."""
        known = self._pairs.get((one, other))
        if known is None:
            if len(self._pairs) >= MOST_PAIRS:
                self._pairs.clear()
            known = overlap(self._read(one), self._read(other), self.catalogue.attributes)
            self._pairs[one, other] = known
        return known

    def components(self, surface: str, parameters: Sequence[str]) -> frozenset[str]:
        """What the parameters change: the component that the catalogue names, else the parameter itself."""
        place = surface, tuple(parameters)
        found = self._components.get(place)
        if found is None:
            if len(self._components) >= MOST_PLACES:
                self._components.clear()
            known = self.catalogue.surfaces[surface].parameters if surface in self.catalogue.surfaces else {}
            found = self._components[place] = frozenset(
                f"component {known[name].component}" if name in known and known[name].component else f"{surface}/{name}"
                for name in parameters
            )
        return found

    def _read(self, text: str) -> Audience:
        found, _ = parse(_AUDIENCE.validate_json(text), self.catalogue.attributes)
        return found


neighbourhood_of = Latest(Neighbourhood).of
"""What is known of a catalogue's audiences and components."""


def surfaces_beside(catalogue: Catalogue, surface: str) -> list[str]:
    """The surface and every other one that has its unit: the same person, device or session is met there."""
    unit = catalogue.surfaces[surface].unit
    return [key for key, each in catalogue.surfaces.items() if each.unit == unit]


def audiences_met(spec: Spec, catalogue: Catalogue, audiences: Sequence[str]) -> list[str]:
    """Those of the audiences, as JSON texts, in which a unit of the draft's audience can be."""
    known, own = neighbourhood_of(catalogue), canonical(spec.audience)
    return [each for each in audiences if known.meet(own, each)]


def meeting(spec: Spec, catalogue: Catalogue, live: Sequence[LiveGroup], start: date) -> Meeting:
    """The live groups outside the draft's own layer, whose buckets exclude each other.

    Args:
        live: groups whose audiences meet the draft's.
        start: the first day of its run; a group whose members all end before it is not met.
    """
    changed_by = neighbourhood_of(catalogue).components
    own = changed_by(spec.surface, spec.touched)
    met = Meeting([], [])
    for group in live:
        if (group.surface, group.layer) == (spec.surface, spec.layer) or _is_over(group, start):
            continue
        shares = not own.isdisjoint(changed_by(group.surface, group.touched))
        (met.interacting if shares else met.others).append(group)
    return met


def _is_over(group: LiveGroup, start: date) -> bool:
    """Whether every member is known to end before a day."""
    ends = [member.until for member in group.members]
    return len(ends) == group.count and all(end is not None and end < start for end in ends)
