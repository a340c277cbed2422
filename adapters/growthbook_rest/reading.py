"""An entry as GrowthBook has it now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from ...core.documents import JsonObject
from .api import Api
from .experiments import is_ours, seen
from .features import ours_in, rules_before, seen_rule
from .gate import gate_name, is_on, layers_of
from .marks import GateMark, mark_of, set_default
from .values import decoded


@dataclass(frozen=True)
class Held:
    """All that GrowthBook has of one experiment of ours."""

    name: str
    environment: str
    gate: JsonObject | None
    experiment: JsonObject | None
    taken: bool
    """Whether the experiment's key is another's."""
    features: Mapping[str, JsonObject | None]

    @property
    def mark(self) -> GateMark | None:
        return mark_of(self.gate)

    @property
    def known(self) -> JsonValue:
        """The experiment's id in GrowthBook."""
        return self.experiment.get("id") if self.experiment is not None else None

    @property
    def entry(self) -> JsonObject | None:
        """In the shape of `compiled`; None where neither an experiment nor a rule of ours is there."""
        rules = {name: self._rules(feature) for name, feature in sorted(self.features.items())}
        archived = self.experiment is None or self.experiment.get("archived") is True
        if archived and not any(rules.values()):
            return None
        due = {*(self.mark.features if self.mark is not None else [])}
        shown: JsonObject = {name: list[JsonValue](each) for name, each in rules.items() if each or name in due}
        return {"defaults": self._defaults([name for name, each in rules.items() if each]), "rules": shown}

    def due_defaults(self, delivered: JsonObject) -> JsonObject:
        """Of delivered defaults those that are ours to set still, as we set them last."""
        due: JsonObject = {}
        for name, value in delivered.items():
            feature = self.features.get(name)
            ours, last = set_default(feature, value)
            if feature is None or ours:
                due[name] = last if ours else value
        return due

    def shadows(self) -> list[str]:
        found = [each for each in self.features.values() if each is not None]
        return [rule for each in found for rule in rules_before(each, self.name, self.known, self.environment)]

    def _rules(self, feature: JsonObject | None) -> list[JsonObject]:
        if feature is None:
            return []
        shared, serves = seen(self.experiment, self.gate, self.name, self.environment), self._serves()
        found = ours_in(feature, self.name, self.known, self.environment)
        return [seen_rule(rule, feature, shared, self.environment, serves) for rule in found]

    def _serves(self) -> bool:
        """Whether it runs, or is a draft's: that has test units alone, and its gate is open to nobody."""
        experiment = self.experiment
        if experiment is None or self.gate is None or not is_on(self.gate, self.environment):
            return False
        nobody = not any(layers_of(self.gate, self.environment))
        status = experiment.get("status")
        return experiment.get("archived") is not True and (status == "running" or (status == "draft" and nobody))

    def _defaults(self, names: Iterable[str]) -> JsonObject:
        found: JsonObject = {}
        for name in names:
            feature = self.features.get(name)
            if feature is not None and set_default(feature)[0]:
                found[name] = decoded(feature.get("defaultValue"), feature.get("valueType"))
        return found


def look(api: Api, name: str, environment: str, also: Iterable[str] = ()) -> Held:
    """
    Args:
        also: features to look at beside those that the gate names.
    """
    gate = api.feature(gate_name(environment, name))
    alike = api.experiments(name)
    ours = [each for each in alike if is_ours(each, environment, name)]
    experiment = next((each for each in ours if each.get("archived") is not True), ours[0] if ours else None)
    mark = mark_of(gate)
    names = {*also, *(mark.features if mark is not None else [])}
    if mark is None or not mark.knows or (experiment or {}).get("archived") is False:
        # Also those of a writer that slept while others went on, which the mark does not know.
        linked = (experiment or {}).get("linkedFeatures")
        names |= {str(each) for each in linked} if isinstance(linked, list) else set()
    features = {each: api.feature(each) for each in sorted(names)}
    return Held(name, environment, gate, experiment, bool(alike) and not ours, features)
