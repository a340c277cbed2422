"""Search words over a catalogue."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable

from pydantic import JsonValue

from ..keeping import Latest
from ..model.catalogue import Catalogue, Parameter, Surface
from ..names import same_name
from ..words import asked_words, words_of

EXACT = 1_000.0
"""Score of a surface that is named by its key: above any count of words."""
PLAINLY = math.log(1 + 4)
"""Rarity of a word that a quarter of all things have."""
NAMED = 500.0
"""Score of a surface whose name is among the words."""


class Rarity:
    """How much a word says: the inverse document frequency ln(1 + N / n) of a word that n of N things have (Sparck
    Jones 1972, "A statistical interpretation of term specificity"), with 1 added so that none says nothing."""

    def __init__(self, things: Iterable[frozenset[str]]) -> None:
        every = list(things)
        self._count = len(every)
        self._having = Counter(word for words in every for word in words)

    def of(self, words: Iterable[str]) -> float:
        return sum(math.log(1 + self._count / self._having[word]) for word in words if word in self._having)


class SurfaceIndex:
    """The words of a catalogue's surfaces, parameters and metrics, taken apart once."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self._surfaces = {key: _weighted_words(key, surface) for key, surface in catalogue.surfaces.items()}
        self._parameters = {
            key: {name: _parameter_words(name, each) for name, each in surface.parameters.items()}
            for key, surface in catalogue.surfaces.items()
        }
        self._attributes = {
            name: frozenset(words_of(" ".join([name, *each.shares]))) for name, each in catalogue.attributes.items()
        }
        self._metrics = {
            name: frozenset(words_of(f"{name} {each.name} {each.description}"))
            for name, each in catalogue.metrics.items()
        }
        self._rarity = Rarity(
            frozenset(word for words, _ in weighted for word in words) for weighted in self._surfaces.values()
        )
        self._metric_rarity = Rarity(self._metrics.values())
        self._parameter_rarity = {key: Rarity(words.values()) for key, words in self._parameters.items()}
        self._names = {key: (words_of(key), words_of(surface.name)) for key, surface in catalogue.surfaces.items()}

    def ranked(self, query: str) -> tuple[list[str], bool]:
        """All surfaces, the best fit first, and whether the first fits at all. One that is named comes before all
        whose descriptions fit, and rare words count more than those that many surfaces share."""
        wanted = frozenset(asked_words(query))
        scores = {
            key: sum(weight * self._rarity.of(wanted & words) for words, weight in weighted)
            for key, weighted in self._surfaces.items()
        }
        said = words_of(query)
        for key, names in self._names.items():
            if any(_occurs(words, said) for words in names):
                scores[key] += NAMED
        exact = same_name(query, scores)
        if exact is not None:
            scores[exact] += EXACT
        order = sorted(scores, key=lambda key: (-scores[key], key))
        return order, bool(order) and scores[order[0]] > 0

    def parameters(self, surface: str, query: str) -> dict[str, float]:
        """Parameter -> how well the query fits it, the best first."""
        # The surface's own name says nothing of its parameters.
        wanted = frozenset(asked_words(query)).difference(words_of(surface))
        rarity = self._parameter_rarity[surface]
        fits = {name: rarity.of(wanted & words) for name, words in self._parameters[surface].items()}
        return dict(sorted(fits.items(), key=lambda fit: (-fit[1], fit[0])))

    def metrics(self, surface: str, query: str) -> list[str]:
        """The metrics suggested for a surface: those first that the query fits plainly, else in the owner's order."""
        wanted = frozenset(asked_words(query)).difference(words_of(surface))
        suggested = self.catalogue.surfaces[surface].suggested_metrics
        fits = {name: self._metric_rarity.of(wanted & self._metrics[name]) for name in suggested}
        return sorted(suggested, key=lambda name: -fits[name] if fits[name] >= PLAINLY else 0)

    def attributes(self, query: str) -> dict[str, int]:
        """Attribute -> how many words of the query its name and values have."""
        wanted = set(asked_words(query))
        return {name: len(wanted & words) for name, words in self._attributes.items()}


def _occurs(words: list[str], within: list[str]) -> bool:
    return any(within[start : start + len(words)] == words for start in range(len(within) - len(words) + 1))


def _weighted_words(key: str, surface: Surface) -> list[tuple[frozenset[str], float]]:
    """Words with their weight: a name counts more than a description."""
    parameters = " ".join(f"{name} {parameter.description}" for name, parameter in surface.parameters.items())
    values = " ".join(_values(parameter.json_schema) for parameter in surface.parameters.values())
    texts = (
        (f"{key} {surface.name}", 4.0),
        (" ".join(surface.tags), 3.0),
        (parameters, 2.0),
        (values, 1.5),
        (surface.description, 1.0),
    )
    return [(frozenset(words_of(text)), weight) for text, weight in texts]


def _parameter_words(name: str, parameter: Parameter) -> frozenset[str]:
    return frozenset(words_of(f"{name} {parameter.description} {_values(parameter.json_schema)}"))


def _values(schema: JsonValue) -> str:
    """The texts that a value of the schema can hold and the names of its fields, not the schema's own words."""
    if not isinstance(schema, dict):
        return ""
    options, fields = schema.get("enum"), schema.get("properties")
    texts = [option for option in options if isinstance(option, str)] if isinstance(options, list) else []
    inner = [f"{name} {_values(part)}" for name, part in fields.items()] if isinstance(fields, dict) else []
    return " ".join([*texts, *inner, _values(schema.get("items"))])


index_of = Latest(SurfaceIndex).of
"""The index of a catalogue."""
