"""The adapter: one environment of a GrowthBook server, whose SDKs assign the units."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...core.assignment import GROWTHBOOK, Hashing
from ...core.documents import JsonObject, objects, same
from ...core.errors import BackendChanged, BackendFailed
from ...core.model.delivery import Assignment
from ...core.model.experiment import EXPERIMENT_KEY
from ...core.ports.backend import Foreign, Probe, Standing
from ...core.ports.capabilities import Capabilities, Promises
from ...core.ports.clock import Clock
from ..entries import require_before, require_name, too_late
from ..growthbook_payload.rules import PREVIEW, replace_coverage, replace_previews
from ..owners import Owner, is_ours, nobody
from ..system import SystemAssigner
from ..turns import alone
from .api import api_of
from .capabilities import CAPABILITIES, PROMISES
from .experiments import OFF, compiled, defaults_in, lets_in, rules_in
from .features import name_in, require_deliverable
from .foreign import experiment_of, foreign_of
from .gate import holds_here, is_on, layers_of
from .marks import GateMark, set_default
from .owner import adopt, owner_section, require_owner
from .reading import look
from .settings import GrowthbookSettings
from .writing import Writing

DOCUMENT = "features"
LOCK_SECONDS = 60.0
"""How long a write waits for the others of this process; each takes some twenty calls."""


class GrowthbookRest(SystemAssigner[GrowthbookSettings]):
    """An assigner. `experiments.py` says where the parts of an entry are, `writing.py` in which order they come.

    An entry has the shape of a payload's. Each parameter is a feature `<surface>.<parameter>` with a rule that refers
    to the experiment; the gate `crossfade.gate.<environment>.<experiment>` says who is in its buckets and bears the
    entry's mark; the feature `crossfade.owner.<environment>` bears the owner's.
    """

    kind: str = "growthbook"
    model = GrowthbookSettings
    document: str = DOCUMENT
    told: str = "An environment of GrowthBook"
    promises: Promises = PROMISES
    capabilities: Capabilities = CAPABILITIES

    def __init__(self, clock: Clock, owner: Owner = nobody) -> None:
        self.hashing: Hashing = GROWTHBOOK
        self._clock = clock
        super().__init__(owner)

    def compile_assignment(self, assignment: Assignment) -> JsonObject:
        """Raises Invalid where a previewed variant holds null, or the weights do not add up to 1."""
        return compiled(assignment)

    def entries(self, settings: JsonObject, layer: str | None = None) -> list[tuple[str, str]]:
        where = self._chosen(settings)
        api = api_of(where)
        found = set(_experiments(api.features(where.project), where.environment, layer))
        if layer is not None:
            found = {name for name in found if any(map(lets_in, api.experiments(name)))}
        return [(DOCUMENT, name) for name in sorted(found) if re.fullmatch(EXPERIMENT_KEY, name)]

    def fitted(self, settings: JsonObject, document: str, entry: str, wanted: JsonObject) -> JsonObject:
        where = self._chosen(settings, document)
        api = api_of(where)
        features = {name: api.feature(name) for name in rules_in(wanted)}
        for name, feature in features.items():
            if feature is not None:
                require_deliverable(
                    feature, objects(rules_in(wanted)[name]), where.environment, set_default(feature)[0]
                )
        mine = {
            name: value
            for name, value in defaults_in(wanted).items()
            if (feature := features.get(name)) is None or set_default(feature)[0]
        }
        return {**wanted, "defaults": mine}

    def standing(self, settings: JsonObject, document: str, entry: str, delivered: JsonObject) -> Standing:
        where = self._chosen(settings, document)
        held = look(api_of(where), require_name(entry, "entry"), where.environment, rules_in(delivered))
        due: JsonObject = {**delivered, "defaults": held.due_defaults(defaults_in(delivered))}
        return Standing(actual=held.entry, due=due, shadows=held.shadows())

    def foreign(self, settings: JsonObject) -> list[Foreign]:
        where = self._chosen(settings)
        return foreign_of(api_of(where).features(where.project), where.environment)

    def with_previews(self, entry: JsonObject, previews: dict[str, list[str]]) -> JsonObject:
        """Raises Invalid where a previewed variant holds null, which a GrowthBook rule cannot force."""
        return replace_previews(entry, previews)

    def with_coverage(self, entry: JsonObject, coverage: float) -> JsonObject:
        return replace_coverage(entry, coverage)

    def strangers(self, settings: JsonObject, document: str | None = None) -> dict[str, str]:
        where = self._chosen(settings)
        return self._strangers(owner_section(api_of(where), where))

    def probe(self, settings: JsonObject) -> Probe:
        where = self._chosen(settings)
        api = api_of(where)
        if where.environment not in api.environments():
            raise BackendFailed(
                "GrowthBook has no such environment.",
                next="Correct the backend's `environment` in the catalogue, or let GrowthBook have it.",
                got=where.environment,
            )
        section = owner_section(api, where)
        return Probe(is_ours(section, self._owner()), self._strangers(section))

    def adopt(self, settings: JsonObject, document: str, *, before: str) -> None:
        where = self._chosen(settings)
        with alone(where.location, "this environment of GrowthBook", LOCK_SECONDS):
            adopt(api_of(where), where, before, self._owner())

    def read(self, settings: JsonObject, document: str, entry: str) -> JsonObject | None:
        where = self._chosen(settings, document)
        return look(api_of(where), require_name(entry, "entry"), where.environment).entry

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
        where, name = self._chosen(settings, document), require_name(entry, "entry")
        api = api_of(where)
        with alone(where.location, "this environment of GrowthBook", LOCK_SECONDS):
            require_owner(api, where, self._owner())
            held = look(api, name, where.environment, [*rules_in(before), *rules_in(after)])
            found, mark = held.entry, _begun(before, after, fence)
            _require_turn(held.mark, mark)
            writing = Writing(api, where, held, mark, self._clock.now())
            if same(found, after):
                writing.settle(rules_in(after), on=after is not None)
                return
            half = held.mark is not None and held.mark.covers(before, after)
            if not half and not _is_closing(found, before, after):
                require_before(found, before)
            writing.put(after) if after is not None else writing.take_out()


def _begun(before: JsonObject | None, after: JsonObject | None, fence: int) -> GateMark:
    return GateMark.begun(before, after, fence, features=sorted({*rules_in(before), *rules_in(after)}))


def _require_turn(last: GateMark | None, mark: GateMark) -> None:
    """
    Raises:
        BackendChanged: a later write came first, or another one goes on under the same fence.
    """
    if last is None:
        return
    if last.fence > mark.fence:
        raise too_late()
    if not last.done and last.fence == mark.fence and {last.before, last.after} != {mark.before, mark.after}:
        raise BackendChanged(
            "Another write of this experiment is on its way to GrowthBook.",
            next="Look at the experiment, and make a new plan for what it still needs.",
        )


def _is_closing(found: JsonObject | None, before: JsonObject | None, after: JsonObject | None) -> bool:
    """Whether a removal, or what undoes one, finds what a removal leaves that ended after its first call: closing comes
    before anything is written about it."""
    entry = before if after is None else after if before is None else None
    return entry is not None and found is not None and same(_opened(found), _opened(entry))


def _opened(entry: JsonObject) -> JsonObject:
    """The entry as if its experiment were served."""
    rules: JsonObject = {
        name: [
            {key: value for key, value in rule.items() if key != OFF or PREVIEW in str(rule.get("id"))}
            for rule in objects(listed)
        ]
        for name, listed in rules_in(entry).items()
    }
    return {**entry, "rules": rules}


def _experiments(features: Iterator[JsonObject], environment: str, layer: str | None) -> Iterator[str]:
    """The experiments that have something in these features, or whose gates let units of a layer through."""
    for each in features:
        name = experiment_of(each, environment)
        if name is not None and is_on(each, environment) and (layer is None or layer in layers_of(each, environment)):
            yield name
        if layer is None:
            rules = [rule for rule in objects(each.get("rules")) if holds_here(rule, environment)]
            yield from (said.split(PREVIEW)[0] for rule in rules if (said := name_in(rule)))
