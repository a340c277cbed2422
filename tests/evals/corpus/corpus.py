"""The corpus: sound specs, the mutants that the operators make of them, and what a reviewer says of each mutant."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import yaml
from pydantic import TypeAdapter

from crossfade.core.app.crossfade import Crossfade
from crossfade.core.documents import JsonObject, pointer
from crossfade.core.model.catalogue import Catalogue
from crossfade.server.settings import Settings
from crossfade.server.wiring import build

from .operators import NAMED, OPERATORS, Change, Vocabulary

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
CATALOGUES = {"streaming": ROOT / "examples" / "streaming", "grocery": ROOT / "tests" / "catalogues" / "grocery"}
SEED = 2026
MADE = {
    "drop_field": 40,
    "drop_entry": 36,
    "swap": 44,
    "scale": 64,
    "retype": 60,
    "elsewhere": 44,
    "misspell": 44,
    "time_shift": 48,
    "duplicate": 24,
    "rename": 48,
}
"""Mutants by operator: a few of the thousands that it could make, spread over its kinds of places."""


class MondayClock:
    """The Monday on which the whole corpus is checked: before the blackouts and after every baseline."""

    def now(self) -> datetime:
        return datetime(2026, 11, 9, 9, tzinfo=UTC)

    def sleep(self, seconds: float) -> None: ...


@dataclass(frozen=True)
class Sound:
    catalogue: str
    key: str
    document: JsonObject


@dataclass(frozen=True)
class Mutant:
    operator: str
    source: Sound
    at: str
    change: str
    document: JsonObject

    @property
    def label(self) -> str:
        """What the reviewer's list calls it."""
        return f"{self.source.key} {self.at} {self.change}"


@dataclass(frozen=True)
class Verdict:
    """What a reviewer says: whether it may launch, and for what may not the (code, pointer) pairs that tell why."""

    broken: bool
    expected: frozenset[tuple[str, str]] = frozenset()


def apps(home: Path) -> dict[str, Crossfade]:
    """A server over each catalogue, in folders of their own below `home`."""
    return {
        name: build(Settings(home=home / name, catalogue=path), "tester", MondayClock())
        for name, path in CATALOGUES.items()
    }


@cache
def sound_specs() -> tuple[Sound, ...]:
    specs = TypeAdapter(dict[str, JsonObject])
    return tuple(
        Sound(name, key, document)
        for name in CATALOGUES
        for path in sorted((HERE / "specs" / name).glob("*.yaml"))
        for key, document in specs.validate_python(yaml.safe_load(path.read_text("utf-8"))).items()
    )


def mutants(catalogues: dict[str, Catalogue]) -> list[Mutant]:
    """The same mutants in the same order each time."""
    return [mutant for operator in OPERATORS for mutant in _made(operator, catalogues)]


def _made(operator: str, catalogues: dict[str, Catalogue]) -> Iterator[Mutant]:
    """Some mutants of an operator: one of each kind of place and change in turn, from any of the specs. What is as
    it was is no mutant."""
    chance = random.Random(f"{SEED} {operator}")
    kinds: dict[str, list[tuple[Sound, Change]]] = {}
    for source in sound_specs():
        for change in OPERATORS[operator](source.document, _vocabulary(source, catalogues)):
            kinds.setdefault(_kind(change), []).append((source, change))
    queues = [kinds[kind] for kind in sorted(kinds)]
    for queue in queues:
        chance.shuffle(queue)
    chance.shuffle(queues)
    left = MADE[operator]
    while left and any(queues):
        for queue in [queue for queue in queues if queue][:left]:
            source, (place, what, make) = queue.pop()
            document = make()
            if document != source.document:
                left -= 1
                yield Mutant(operator, source, pointer(*place), what, document)


def _kind(change: Change) -> str:
    """A change without the names in it; whatever is inside a value of a parameter or of an audience is one place."""
    place, what, _ = change
    shape = ["*" if isinstance(key, int) or (at and place[at - 1] in NAMED) else key for at, key in enumerate(place)]
    known = 4 if shape[0] == "variants" else 3
    return f"{pointer(*shape[:known])}{'/inside' if len(shape) > known else ''} {what.split(':')[0]}"


def _vocabulary(source: Sound, catalogues: dict[str, Catalogue]) -> Vocabulary:
    (other,) = catalogues.keys() - {source.catalogue}
    catalogue = catalogues[source.catalogue]
    blackouts = catalogue.surfaces[str(source.document["surface"])].blackouts
    today = MondayClock().now().date()
    ahead = tuple((each.start, each.end) for each in blackouts if each.start > today)
    return Vocabulary(_names(catalogue), _names(catalogues[other]), today, ahead)


def _names(catalogue: Catalogue) -> dict[str, tuple[str, ...]]:
    surfaces = catalogue.surfaces.values()
    return {
        "surface": tuple(catalogue.surfaces),
        "layer": tuple(sorted({layer for surface in surfaces for layer in surface.layers})),
        "unit": tuple(catalogue.units),
        "environment": tuple(catalogue.environments),
        "metric": tuple(catalogue.metrics),
        "parameter": tuple(sorted({name for surface in surfaces for name in surface.parameters})),
        "attribute": tuple(catalogue.attributes),
    }
