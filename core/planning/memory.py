"""What was tried before: which earlier experiments a draft repeats."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from ..audience import overlap, parse
from ..documents import same
from ..model.catalogue import Catalogue
from ..model.experiment import Spec, State
from ..words import telling

ALIKE = 0.5
"""Share of common words from which on two hypotheses are taken for one."""
_WORD = re.compile(r"\w+")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")


@dataclass(frozen=True)
class Precedent:
    """An experiment that ran or runs; `days` it has run so far, and the day on which it gave its buckets back."""

    key: str
    state: State
    spec: Spec
    days: int | None
    ended: date | None


@dataclass(frozen=True)
class Repeat:
    """A precedent that a draft repeats: with the same values, or with a hypothesis of nearly the same words."""

    precedent: Precedent
    parameters: list[str]
    same_values: bool
    likeness: float


def question_of(spec: Spec) -> str:
    """The words by which precedents are searched: what changes says more of an idea than why, and fewer words take less
    time."""
    return " ".join([telling(spec.hypothesis.change), *spec.touched])


def repeats(spec: Spec, catalogue: Catalogue, precedents: Sequence[Precedent]) -> list[Repeat]:
    """The precedents that the draft repeats, the closest first; those that it follows by its own word left out."""
    followed = _followed(spec, precedents)
    found = [
        repeat
        for precedent in precedents
        if precedent.key not in followed and (repeat := _repeat(spec, catalogue, precedent)) is not None
    ]
    return sorted(found, key=lambda each: (not each.same_values, -each.likeness, each.precedent.key))


def _repeat(spec: Spec, catalogue: Catalogue, precedent: Precedent) -> Repeat | None:
    earlier = precedent.spec
    parameters = sorted(set(spec.touched) & set(earlier.touched))
    if not parameters or (earlier.surface, earlier.environment) != (spec.surface, spec.environment):
        return None
    values, likeness = _share_values(spec, earlier), alike(_hypothesis(spec), _hypothesis(earlier))
    if not (values or likeness >= ALIKE):
        return None
    attributes = catalogue.attributes
    if not overlap(parse(spec.audience, attributes)[0], parse(earlier.audience, attributes)[0], attributes):
        return None  # tried on others, it is still to be learned about these
    return Repeat(precedent, parameters, values, likeness)


def _followed(spec: Spec, precedents: Sequence[Precedent]) -> set[str]:
    """The experiment that the draft iterates on, the one before it, and so on."""
    earlier = {precedent.key: precedent.spec.iterates for precedent in precedents}
    followed: set[str] = set()
    key = spec.iterates
    while key is not None and key not in followed:
        followed.add(key)
        key = earlier.get(key)
    return followed


def _share_values(spec: Spec, earlier: Spec) -> bool:
    """Whether a treatment of each sets the same parameters to the same values."""
    return any(
        one.parameters and same(one.parameters, other.parameters)
        for one in spec.variants.values()
        for other in earlier.variants.values()
        if not one.control and not other.control
    )


def _hypothesis(spec: Spec) -> str:
    return f"{spec.hypothesis.change} {spec.hypothesis.because}"


def alike(one: str, other: str) -> float:
    """How much of two texts is the same, 0-1: Dice's coefficient of their words (Dice 1945, "Measures of the Amount of
    Ecologic Association Between Species"); case and accents do not count, and scripts without blanks between words
    are taken by pairs of characters."""
    left, right = _words(one), _words(other)
    return 2 * len(left & right) / (len(left) + len(right)) if left or right else 0.0


def _words(text: str) -> set[str]:
    plain = "".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each)).casefold()
    words: set[str] = set()
    for word in _WORD.findall(plain):
        unspaced = len(word) > 1 and _UNSPACED.search(word)
        words |= {word[at : at + 2] for at in range(len(word) - 1)} if unspaced else {word}
    return words
