"""What users get from the delivered files, by the SDK that a product would use, held against what was promised."""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from growthbook import GrowthBook
from growthbook.core import gbhash
from pydantic import JsonValue, TypeAdapter

from ...adapters.all_backends import all_backends
from ...core.documents import JsonObject, canonical
from ...core.model.catalogue import Catalogue
from ..clock import SystemClock
from ..settings import bundled_example
from ..wiring import catalogue_source
from . import screen
from .journey import Running

USERS = [f"user-{number}" for number in range(20_000)]
FARTHEST = 3.0
"""Standard errors that a share may lie from what was planned."""
_OBJECT: TypeAdapter[JsonObject] = TypeAdapter(dict[str, JsonValue])


@dataclass(frozen=True)
class Met:
    """What one user gets of one parameter; the variant is None outside the experiment."""

    value: JsonValue
    variant: str | None


@dataclass(frozen=True)
class Seen:
    """One experiment as all the users meet it."""

    running: Running
    users: dict[str, Met]

    @property
    def entered(self) -> dict[str, str]:
        return {user: met.variant for user, met in self.users.items() if met.variant is not None}

    def gets_production(self, user: str) -> bool:
        return canonical(self.users[user].value) == canonical(self.running.production)


@dataclass(frozen=True)
class Promise:
    kept: bool
    what: str
    found: str


class Delivery:
    """The files below a home, and the catalogue that says where they are."""

    def __init__(self, home: Path) -> None:
        self._catalogue: Catalogue = catalogue_source(bundled_example(), home, all_backends(SystemClock())).current()
        environment = self._catalogue.environments[self._catalogue.default_environment]
        self.payload = Path(str(environment.backends[environment.default.assigner].settings["path"]))
        self.parameters = Path(str(environment.backends[environment.default.content[0]].settings["path"]))

    def meet(self, running: Running) -> Seen:
        """Ask the SDK for every user."""
        sdk = GrowthBook()
        sdk.set_payload(json.loads(self.payload.read_bytes()))
        surface = running.experiment.surface
        unit, feature = self._catalogue.unit_attribute(surface), f"{surface}.{running.parameter}"
        users: dict[str, Met] = {}
        for user in USERS:
            sdk.set_attributes({unit: user})
            answer = sdk.eval_feature(feature)
            within = answer.experiment is not None and answer.experiment.key == running.experiment.key
            variant = answer.experimentResult.key if within and answer.experimentResult else None
            users[user] = Met(answer.value, variant)
        return Seen(running, users)

    def held_out(self, surface: str) -> set[str]:
        """Users of the surface's holdouts, by the catalogue and not by what was delivered."""
        return {
            user
            for user in USERS
            for holdout in self._catalogue.holdouts_of(surface, datetime.now(UTC).date()).values()
            if (gbhash(holdout.salt, user, 2) or 0.0) < holdout.share
        }

    def production(self, running: Running) -> JsonValue:
        """The value in the surface's parameters document; what find_surfaces told where nothing has been shipped."""
        document = _OBJECT.validate_json((self.parameters / f"{running.experiment.surface}.json").read_bytes())
        shipped = document.get("parameters")
        return shipped.get(running.parameter, running.production) if isinstance(shipped, dict) else None


def promises(delivery: Delivery, first: Seen, second: Seen) -> list[Promise]:
    """Everything that has to hold for the first experiment, beside the second one in its layer."""
    held_out = delivery.held_out(first.running.experiment.surface)
    return [
        _split(first),
        _entered(first, held_out),
        _exclusion(first, second),
        _holdouts([first, second], held_out),
        _control(first, delivery.production(first.running)),
        _outside([first, second]),
    ]


def _distance(count: int, total: int, share: float) -> float:
    """Standard errors between a count and its planned share (the z-score of a proportion)."""
    return (count - total * share) / math.sqrt(total * share * (1 - share)) if total else math.inf


def _split(seen: Seen) -> Promise:
    counts = Counter(seen.entered.values())
    total = len(seen.entered)
    weights = {name: variant.weight for name, variant in (seen.running.experiment.variants or {}).items()}
    distances = {name: _distance(counts[name], total, weight) for name, weight in weights.items()}
    farthest = max(distances.values(), key=abs)
    shares = {name: f"{counts[name]:,} ({counts[name] / max(total, 1):.1%})" for name in weights}
    parts = ", ".join(f"{name} {shares[name]} for {weight:.0%}" for name, weight in weights.items())
    kept = set(counts) == set(weights) and abs(farthest) < FARTHEST
    return Promise(kept, "split follows the weights", f"{parts}; z = {abs(farthest):.2f}, below {FARTHEST:g}")


def _entered(seen: Seen, held_out: set[str]) -> Promise:
    allocation = seen.running.experiment.allocation or 0.0
    free = len(USERS) - len(held_out)
    distance = _distance(len(seen.entered), free, allocation)
    found = (
        f"{len(seen.entered):,} of {free:,} outside the holdouts ({len(seen.entered) / free:.1%}) "
        f"for {allocation:.1%}; z = {abs(distance):.2f}"
    )
    return Promise(abs(distance) < FARTHEST, "entered is the allocation", found)


def _exclusion(first: Seen, second: Seen) -> Promise:
    both = first.entered.keys() & second.entered.keys()
    found = f"{len(both)} users in both; {len(first.entered):,} in one, {len(second.entered):,} in the other"
    return Promise(not both and bool(second.entered), "one layer, no user twice", found)


def _holdouts(seen: list[Seen], held_out: set[str]) -> Promise:
    kept = sum(all(each.gets_production(user) for each in seen) for user in held_out)
    found = f"{kept:,} of {len(held_out):,} held-out users get production values"
    return Promise(kept == len(held_out), "holdouts see no experiment", found)


def _control(seen: Seen, production: JsonValue) -> Promise:
    control = next(name for name, variant in (seen.running.experiment.variants or {}).items() if variant.control)
    users = [user for user, variant in seen.entered.items() if variant == control]
    right = sum(canonical(seen.users[user].value) == canonical(production) for user in users)
    found = f"{right:,} of {len(users):,} get {seen.running.parameter} = {screen.shown(production)}"
    return Promise(right == len(users) > 0, "control is production", found)


def _outside(seen: list[Seen]) -> Promise:
    users = set(USERS).difference(*(each.entered for each in seen))
    right = sum(all(each.gets_production(user) for each in seen) for user in users)
    return Promise(right == len(users), "nobody else is touched", f"{right:,} of {len(users):,} get production values")


def sdk_name() -> str:
    return f"GrowthBook SDK {version('growthbook')}"
