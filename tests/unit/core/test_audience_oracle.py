"""Decisions about audiences against an SMT solver, which knows nothing of normal forms."""
# pyright: basic
# The solver has no types.

from __future__ import annotations

import importlib
import operator as operators
import os
import random
from datetime import date
from typing import Any

from pydantic import JsonValue

from crossfade.core.audience import overlap, parse, sort_key
from crossfade.core.documents import JsonObject

from .audience_words import ATTRIBUTES, VALUES, random_audience

z3: Any = importlib.import_module("z3")
PAIRS = 10_000 if os.environ.get("CI") == "true" else 1_000
TEXTS = {name: values for name, values in VALUES.items() if ATTRIBUTES[name].type == "string"}
SIGNS: dict[str, Any] = {"gte": operators.ge, "gt": operators.gt, "lte": operators.le, "lt": operators.lt}
VERSIONS = sorted(VALUES["version"], key=lambda value: sort_key(str(value), "semver"))


def term(name: str) -> Any:
    """What an attribute is to the solver: a whole number for texts, days and ages, a real one for what is dense."""
    kind = ATTRIBUTES[name].type
    return {"boolean": z3.Bool, "number": z3.Real, "semver": z3.Real}.get(kind, z3.Int)(name)


def constant(name: str, value: JsonValue) -> Any:
    kind = ATTRIBUTES[name].type
    if kind == "string":
        return TEXTS[name].index(value)
    if kind == "semver":
        return VERSIONS.index(value)
    return date.fromisoformat(str(value)).toordinal() if kind == "date" else value


def present(name: str) -> Any:
    return z3.Bool(f"has {name}")


def world() -> list[Any]:
    """A closed text has the values of the catalogue only; an open one has others, too."""
    return [z3.And(term("country") >= 0, term("country") < 3)]


def holds(raw: JsonObject, *, positive: bool = True) -> Any:
    """The audience as a formula, in which a negation keeps what it negates from those who lack the attribute."""
    parts = [_part(name, wanted, positive) for name, wanted in raw.items()]
    return z3.And(*parts) if positive else z3.Or(*parts)


def _part(name: str, wanted: Any, positive: bool) -> Any:
    if name == "not":
        return holds(wanted, positive=not positive)
    if name in ("any", "all"):
        parts = [holds(each, positive=positive) for each in wanted]
        return z3.Or(*parts) if (name == "any") == positive else z3.And(*parts)
    if isinstance(wanted, dict) and "exists" in wanted:
        return present(name) if wanted["exists"] == positive else z3.Not(present(name))
    value = _value_of(name, wanted)
    return z3.And(present(name), value if positive else z3.Not(value))


def _value_of(name: str, wanted: JsonValue) -> Any:
    found = term(name)
    if not isinstance(wanted, dict):
        values = wanted if isinstance(wanted, list) else [wanted]
        equals: list[Any] = [found == constant(name, value) for value in values]
        return z3.Or(*equals)
    parts: list[Any] = []
    for operator, operand in wanted.items():
        if operator == "not":
            parts += [found != constant(name, value) for value in (operand if isinstance(operand, list) else [operand])]
        else:
            parts.append(SIGNS[operator](found, constant(name, operand)))
    return z3.And(*parts)


def meet(one: JsonObject, other: JsonObject) -> bool:
    solver = z3.Solver()
    solver.add(*world(), holds(one), holds(other))
    return solver.check() == z3.sat


def test_two_audiences_are_disjoint_exactly_when_the_solver_says_so() -> None:
    chance = random.Random(20_261_127)
    counts = {True: 0, False: 0}
    for _ in range(PAIRS):
        one, other = random_audience(chance), random_audience(chance)
        (mine, faults), (theirs, more) = parse(one, ATTRIBUTES), parse(other, ATTRIBUTES)
        assert not faults
        assert not more
        expected = meet(one, other)
        counts[expected] += 1
        assert overlap(mine, theirs, ATTRIBUTES) == expected, (one, other)
    assert min(counts.values()) > PAIRS / 20
