"""How much work large audiences are, counted in calls of functions: the same on every machine."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest
from pydantic import JsonValue

from crossfade.core.audience import contains, is_counted_in_full, overlap, parse, share
from crossfade.core.documents import JsonObject
from crossfade.core.model.catalogue import Attribute

from .audience_words import ATTRIBUTES


def calls_of(work: Callable[[], object]) -> int:
    count = 0

    def called(*_: object) -> None:
        nonlocal count
        count += 1

    sys.setprofile(called)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def decided(raw: JsonObject) -> None:
    audience, problems = parse(raw, ATTRIBUTES)
    assert problems == []
    share(audience, ATTRIBUTES)
    assert overlap(audience, audience, ATTRIBUTES)
    assert contains(audience, audience, ATTRIBUTES)


def values_of(name: str, count: int) -> list[JsonValue]:
    made: dict[str, list[JsonValue]] = {
        "age": [2 * number for number in range(count)],
        "city": [f"c{number}" for number in range(count)],
        "version": [f"1.{number}" for number in range(count)],
    }
    return made[name]


@pytest.mark.parametrize("name", ["age", "city", "version"])
@pytest.mark.parametrize("form", ["in", "not"])
def test_twice_as_many_values_are_about_twice_the_work(name: str, form: str) -> None:
    few, many = (calls_of(lambda n=n: decided({name: {form: values_of(name, n)}})) for n in (500, 1_000))
    assert many < 2.5 * few


COLOURS = {f"c{number}": 0.1 for number in range(10)}
MANY = {f"a{number:02}": Attribute(type="string", description="A colour.", shares=COLOURS) for number in range(11)}


def scattered(alternatives: int) -> JsonObject:
    """Alternatives that each leave out another value of every attribute, so that units can be in any set of them."""
    parts: list[JsonValue] = [
        {name: {"not": f"c{(7 * n + n * place) % 10}"} for place, name in enumerate(MANY)} for n in range(alternatives)
    ]
    return {"any": parts}


def test_a_share_of_alternatives_beyond_counting_is_one_that_is_surely_reached() -> None:
    few, many = (parse(scattered(count), MANY)[0] for count in (4, 10))
    assert is_counted_in_full(few, MANY)
    assert not is_counted_in_full(many, MANY)
    assert share(few[:1], MANY)[0] < share(many, MANY)[0] < 1
    assert calls_of(lambda: share(many, MANY)) < 200_000


def alternatives_of(count: int) -> dict[str, JsonObject]:
    return {
        "one attribute": {"any": [{"age": 2 * number} for number in range(count)]},
        "two attributes": {"any": [{"age": 2 * number, "city": f"c{number % 4}"} for number in range(count)]},
        "in all of several": {"all": [{"any": [{"age": 2 * number} for number in range(count)]} for _ in range(4)]},
    }


@pytest.mark.parametrize("form", alternatives_of(1))
def test_twice_as_many_alternatives_that_become_few_are_about_twice_the_work(form: str) -> None:
    few, many = (calls_of(lambda n=n: parse(alternatives_of(n)[form], ATTRIBUTES)) for n in (60, 120))
    assert many < 5 * few  # four times, where each of two attributes is compared with each other one
    assert many < 150_000
