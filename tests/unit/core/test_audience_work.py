"""How much work large audiences are, counted in calls of functions: the same on every machine."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest
from pydantic import JsonValue

from crossfade.core.audience import contains, overlap, parse, share
from crossfade.core.documents import JsonObject

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
