"""Search words over a catalogue."""

from __future__ import annotations

import re

from ..documents import canonical
from ..model.catalogue import Catalogue, Parameter, Surface
from ..names import same_name

EXACT = 1_000.0
"""Score of a surface that is named by its key: above any count of words."""
_WORD = re.compile(r"[a-z0-9]+")
_PLURAL = re.compile(r"(?<=[a-z]{3})s$")


def words_of(text: str) -> list[str]:
    """The words of a text, lower case, without the plural's s."""
    return [_PLURAL.sub("", word) for word in _WORD.findall(text.lower())]


class SurfaceIndex:
    """The words of a catalogue's surfaces and parameters, taken apart once."""

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

    def ranked(self, query: str) -> tuple[list[str], bool]:
        """All surfaces, the best fit first, and whether the first fits at all."""
        wanted = set(words_of(query))
        scores = {
            key: sum(weight * len(wanted & words) for words, weight in weighted)
            for key, weighted in self._surfaces.items()
        }
        exact = same_name(query, scores)
        if exact is not None:
            scores[exact] += EXACT
        order = sorted(scores, key=lambda key: (-scores[key], key))
        return order, bool(order) and scores[order[0]] > 0

    def parameters(self, surface: str, query: str) -> dict[str, int]:
        """Parameter -> how many words of the query fit it, the best first."""
        wanted = set(words_of(query))
        fits = {name: len(wanted & words) for name, words in self._parameters[surface].items()}
        return dict(sorted(fits.items(), key=lambda fit: (-fit[1], fit[0])))

    def attributes(self, query: str) -> dict[str, int]:
        """Attribute -> how many words of the query its name and values have."""
        wanted = set(words_of(query))
        return {name: len(wanted & words) for name, words in self._attributes.items()}


def _weighted_words(key: str, surface: Surface) -> list[tuple[frozenset[str], float]]:
    """Words with their weight: a name counts more than a description."""
    parameters = " ".join(f"{name} {parameter.description}" for name, parameter in surface.parameters.items())
    values = " ".join(canonical(parameter.json_schema) for parameter in surface.parameters.values())
    texts = (
        (f"{key} {surface.name}", 4.0),
        (" ".join(surface.tags), 3.0),
        (parameters, 2.0),
        (values, 1.5),
        (surface.description, 1.0),
    )
    return [(frozenset(words_of(text)), weight) for text, weight in texts]


def _parameter_words(name: str, parameter: Parameter) -> frozenset[str]:
    return frozenset(words_of(f"{name} {parameter.description} {canonical(parameter.json_schema)}"))


_indexes: list[SurfaceIndex] = []


def index_of(catalogue: Catalogue) -> SurfaceIndex:
    """The index of a catalogue, kept until another catalogue is asked for."""
    for index in _indexes:
        if index.catalogue is catalogue:
            return index
    made = SurfaceIndex(catalogue)
    _indexes[:] = [made]
    return made
