"""What the Python SDK of Unleash makes of what we deliver, against our own rule."""

from __future__ import annotations

import json
import random
from collections import Counter
from typing import Any

import mmh3
import pytest
from pydantic import JsonValue

from crossfade.adapters.unleash import Unleash
from crossfade.adapters.unleash.audience import compile_audience
from crossfade.adapters.unleash.hashing import VARIANT_SEED, murmur3
from crossfade.core.assignment import decide
from crossfade.core.audience import kept_out_by, parse
from crossfade.core.audience.values import evaluable
from crossfade.core.documents import JsonObject
from crossfade.core.errors import Invalid
from crossfade.core.model.delivery import Assignment
from crossfade.core.planning.dry_run import UNITS, dry_run

from ..assignments import of_three
from ..servers.unleash import ENVIRONMENT, TOKEN_ENV, UnleashServer
from ..servers.unleash_sdk import Product
from ..unit.core.audience_words import ATTRIBUTES, random_audience
from .test_audiences_agree import PLAUSIBLE

pytestmark = pytest.mark.backends

SAMPLE = [f"user-{number}" for number in range(5_000)]


def assignment(experiment: str, lo: int, hi: int, **more: Any) -> Assignment:
    """Of variants that are not in the order in which Unleash keeps them."""
    return of_three(experiment, (lo, hi), **{"variants": ["today", "new-1", "new_2"], **more})


def deliver(server: UnleashServer, before: Assignment | None, after: Assignment) -> None:
    backend = Unleash()
    settings: JsonObject = {"url": server.url, "token_env": TOKEN_ENV, "environment": ENVIRONMENT}
    entries = [None if each is None else backend.compile_assignment(each) for each in (before, after)]
    backend.write(settings, "flags", after.experiment, before=entries[0], after=entries[1], fence=1)


def met(server: UnleashServer, experiment: str, units: list[str] = SAMPLE) -> dict[str, str]:
    product = Product(server.state())
    found = {unit: product.variant(experiment, {"user_id": unit}) for unit in units}
    return {unit: variant for unit, variant in found.items() if variant is not None}


def by_our_rule(made: Assignment, units: list[str] = SAMPLE) -> dict[str, str]:
    hashing = Unleash().hashing
    found = {unit: decide(made, {"user_id": unit}, hashing).variant for unit in units}
    return {unit: variant for unit, variant in found.items() if variant is not None}


def near(count: int, share: float, of: int) -> bool:
    """Within three standard errors of a share."""
    return abs(count - of * share) < 3 * (of * share * (1 - share)) ** 0.5


def test_experiments_of_a_layer_share_no_unit_split_by_their_weights_and_ramp_without_moving_anybody(
    unleash: UnleashServer,
) -> None:
    first, second = assignment("first", 0, 3_000), assignment("second", 3_000, 10_000, coverage=0.2)
    deliver(unleash, None, first)
    deliver(unleash, None, second)
    in_first, in_second = met(unleash, "first"), met(unleash, "second")
    assert (in_first, in_second) == (by_our_rule(first), by_our_rule(second))
    assert not in_first.keys() & in_second.keys()
    assert near(len(in_first), 0.3, len(SAMPLE))
    assert near(len(in_second), 0.7 * 0.2, len(SAMPLE))
    counts = Counter(in_first.values())
    assert all(
        near(counts[name], weight, len(in_first)) for name, weight in zip(first.variants, first.weights, strict=True)
    )
    wider = second.model_copy(update={"coverage": 0.6})
    deliver(unleash, second, wider)
    later = met(unleash, "second")
    assert near(len(later), 0.7 * 0.6, len(SAMPLE))
    assert in_second.items() <= later.items()
    assert met(unleash, "first") == in_first


def test_the_trial_of_a_launch_counts_what_the_sdk_says(unleash: UnleashServer) -> None:
    made = assignment("first", 1_000, 9_000, coverage=0.4)
    deliver(unleash, None, made)
    trial = dry_run(made, [], {}, Unleash().hashing)
    assert trial.entered == Counter(met(unleash, "first", [*UNITS]).values())
    assert trial.split_p is not None
    assert trial.share_p is not None
    assert min(trial.split_p, trial.share_p) > 1e-3


def test_test_units_get_their_variant_whatever_their_slot_and_all_variants_carry_their_values(
    unleash: UnleashServer,
) -> None:
    audience = parse({"country": "SE"}, ATTRIBUTES)[0]
    tests = {"new_2": SAMPLE[:40], "today": SAMPLE[40:60]}
    made = assignment("first", 0, 500, previews=tests, audience=audience, coverage=0.01)
    deliver(unleash, None, made)
    deliver(unleash, None, assignment("second", 500, 10_000))
    found = met(unleash, "first")
    assert found == {unit: name for name, units in tests.items() for unit in units}
    product = Product(unleash.state())
    assert product.values("first", {"user_id": SAMPLE[0]}) == {"title": None}
    assert product.values("first", {"user_id": SAMPLE[50]}) == {"title": "For you"}
    assert not found.keys() & met(unleash, "second").keys()  # a test unit of one is in no other of its layer


def test_a_draft_has_only_its_test_units(unleash: UnleashServer) -> None:
    deliver(unleash, None, assignment("first", 0, 1, ranges=[], previews={"new-1": ["tester"]}))
    assert met(unleash, "first", [*SAMPLE, "tester"]) == {"tester": "new-1"}


def questions() -> list[tuple[JsonObject, list[list[JsonObject]], list[JsonObject], Any]]:
    """Audiences that Unleash can express, and units of which many lack an attribute."""
    chance, found = random.Random(20_261_127), list[Any]()
    while len(found) < 200:
        raw = random_audience(chance)
        audience, problems = parse(raw, ATTRIBUTES)
        assert not problems
        try:
            compiled = compile_audience(audience)
        except Invalid:
            continue  # somebody without an attribute is asked for, or a bound before a release
        units: list[JsonObject] = [
            {name: chance.choice(values) for name, values in PLAUSIBLE.items() if chance.random() < 0.7}
            for _ in range(50)
        ]
        found.append((raw, compiled, units, audience))
    return found


def test_the_core_and_the_sdk_agree_on_who_is_in() -> None:
    inside = asked = 0
    for raw, alternatives, units, audience in questions():
        product = Product(state_of(alternatives))
        for unit in units:
            expected = kept_out_by(audience, unit) is None
            found = product.variant("asked", {"user_id": "somebody", "properties": unit}) == "in"
            assert found == expected, (raw, unit, alternatives)
            inside, asked = inside + expected, asked + 1
    assert 0.2 < inside / asked < 0.8


ODD = ["", " ", "x", "1 ", "1e0", "v1", "2.0.0\n", "2026-01-01\n", "01.0.0", "999999.0.0", "true", "None", "٣"]


@pytest.mark.parametrize("name", ["age", "version", "joined", "premium"])
def test_a_text_that_is_no_value_of_its_type_meets_nothing(name: str) -> None:
    wishes: list[JsonValue] = [{"exists": True}, {"not": [ATTRIBUTE_VALUES[name]]}]
    for wish in wishes:
        audience, problems = parse({name: wish}, ATTRIBUTES)
        assert not problems
        product = Product(state_of(compile_audience(audience)))
        for odd in ODD:
            met = product.variant("asked", {"user_id": "somebody", "properties": {name: odd}}) == "in"
            assert not met or evaluable(odd, ATTRIBUTES[name].type) or (name, odd) in ALIKE, (wish, odd)


ATTRIBUTE_VALUES: dict[str, JsonValue] = {"age": 3, "version": "1.1.0", "joined": "2026-01-03", "premium": False}
ALIKE = [("age", "1e0"), ("premium", "true")]
"""A context of Unleash holds texts alone, so that a number and its text are one."""


def state_of(alternatives: list[list[JsonObject]]) -> JsonObject:
    """A flag that is on for an audience."""
    parameters: JsonObject = {"rollout": "100", "stickiness": "user_id", "groupId": "asked"}
    variants: list[JsonValue] = [{"name": "in", "weight": 1_000, "stickiness": "user_id"}]
    nobody: list[JsonObject] = [{"contextName": "user_id", "operator": "IN", "values": []}]
    strategies: list[JsonValue] = [
        {"name": "flexibleRollout", "parameters": parameters, "constraints": [*each], "variants": variants}
        for each in alternatives or [nobody]
    ]
    return {"version": 2, "features": [{"name": "asked", "enabled": True, "strategies": strategies}]}


def test_our_hash_is_murmur3() -> None:
    chance = random.Random(3)
    for length in range(1, 70):
        texts = [chance.randbytes(length) for _ in range(9)]
        for seed in (0, VARIANT_SEED):
            assert list(murmur3(texts, seed)) == [mmh3.hash(text, seed, signed=False) for text in texts]
    made = assignment("first", 0, 10_000, coverage=0.5)
    odd = ["é", "\U0001f600", "a" * 200, "0", "u1", *(f"{number}" for number in range(2_000))]
    hashing = Unleash().hashing
    drawn = Counter(hashing.drawn(made, unit).variant for unit in odd)
    assert hashing.counts(made, odd) == [drawn[name] for name in made.variants]
    assert json.dumps([*hashing.buckets("production/home/top", odd)]) == json.dumps(
        [hashing.buckets("production/home/top", [unit])[0] for unit in odd]
    )


def test_variants_of_any_names_are_kept_in_the_order_that_decides_who_gets_which(unleash: UnleashServer) -> None:
    names = [
        "today",
        "b",
        "a",
        "a_",
        "a-",
        "a1",
        "aa",
        "a_b",
        "a-b",
        "ab",
        "a-1",
        "a_1",
        "1",
        "10",
        "2",
        "z",
        "z-",
        "ch",
        "c_h",
        "co",
    ]
    alike = {
        "weights": [0.05] * len(names),
        "parameters": {"title": list(range(len(names)))},
        "production": {"title": 0},
    }
    made = assignment("exp-a", 0, 10_000, variants=names, **alike)
    deliver(unleash, None, made)
    assert met(unleash, "exp-a", SAMPLE[:2_000]) == by_our_rule(made, SAMPLE[:2_000])
