"""What is read of others' conditions holds nobody out whom GrowthBook's SDK lets in."""

from __future__ import annotations

import random

import pytest
from growthbook import GrowthBook
from pydantic import JsonValue

from crossfade.adapters.growthbook_payload.conditions import read_condition
from crossfade.core.audience import kept_out_by, parse
from crossfade.core.documents import JsonObject

from ..unit.core.audience_words import ATTRIBUTES
from .test_audiences_agree import PLAUSIBLE

CONDITIONS, UNITS = 1_000, 20
SEED = 20_261_128
ORDERED = ("age", "minutes", "joined")


def random_leaf(chance: random.Random) -> JsonObject:
    name = chance.choice(sorted(PLAUSIBLE))
    values = PLAUSIBLE[name]
    value, some = chance.choice(values), chance.sample(values, chance.randint(0, len(values)))
    if name == "version":
        operator = chance.choice(["$vgt", "$vgte", "$vlt", "$vlte", "$veq", "$vne"])
        return {name: {operator: value}}
    asked: list[JsonObject] = [{"$eq": value}, {"$ne": value}, {"$in": some}, {"$nin": some}]
    asked.append({"$exists": chance.random() < 0.5})
    asked.append({"$not": {"$eq": value}})
    if name in ORDERED:
        asked += [{operator: value} for operator in ("$gt", "$gte", "$lt", "$lte")]
        asked += [{"$gte": value, "$lt": chance.choice(values)}]
    return {name: value if chance.random() < 0.2 else chance.choice(asked)}


def random_condition(chance: random.Random, depth: int = 3) -> JsonObject:
    if depth == 0 or chance.random() < 0.3:
        return random_leaf(chance)
    parts = [random_condition(chance, depth - 1) for _ in range(chance.randint(1, 3))]
    joint = chance.choice(["$and", "$or", "$nor", "$not", "beside"])
    if joint == "beside":
        return {name: wanted for part in parts for name, wanted in part.items()}
    return {joint: parts[0] if joint == "$not" else list[JsonValue](parts)}


def random_unit(chance: random.Random) -> JsonObject:
    return {name: chance.choice(values) for name, values in PLAUSIBLE.items() if chance.random() < 0.7}


def lets_in(condition: JsonObject, unit: JsonObject) -> bool:
    """Whether GrowthBook's SDK has the unit meet the condition."""
    features = {"f": {"defaultValue": False, "rules": [{"condition": condition, "force": True}]}}
    growthbook = GrowthBook(attributes=unit, features=features)
    return growthbook.eval_feature("f").value is True


def test_whom_the_sdk_lets_in_is_in_the_audience() -> None:
    chance = random.Random(SEED)
    met = narrow = 0
    for _ in range(CONDITIONS):
        condition = random_condition(chance)
        audience, _ = parse(read_condition(condition)[0], ATTRIBUTES)
        for unit in (random_unit(chance) for _ in range(UNITS)):
            out = kept_out_by(audience, unit) is not None
            met, narrow = met + lets_in(condition, unit), narrow + out
            assert not (out and lets_in(condition, unit)), (condition, unit)
    assert met > CONDITIONS
    assert narrow > CONDITIONS


@pytest.mark.parametrize("condition", [None, 7, [], {"not": 1}, {"a": {"$in": []}}, {"a": {"b": 1}}, {"a": None}])
def test_what_cannot_be_read_is_told_and_lets_everybody_in(condition: JsonValue) -> None:
    audience, unread = read_condition(condition)
    assert (audience, len(unread)) == ({}, 1)


def test_a_condition_as_deep_as_nobody_writes_is_told_and_lets_everybody_in() -> None:
    deep: JsonObject = {"country": "SE"}
    for _ in range(300):
        deep = {"$and": [deep]}
    assert read_condition(deep) == (
        {},
        ["conditions more than 20 deep have no word here; everybody counts as meeting them"],
    )
