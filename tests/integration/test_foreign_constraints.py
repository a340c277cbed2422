"""What is read of others' constraints holds nobody out whom Unleash's SDK lets in."""

from __future__ import annotations

import random
from typing import Any

import pytest
from pydantic import JsonValue

from crossfade.adapters.unleash.foreign_constraints import read_constraints
from crossfade.core.audience import from_texts, kept_out_by, parse
from crossfade.core.documents import JsonObject

from ..servers.unleash_sdk import Product
from ..unit.core.audience_words import ATTRIBUTES
from .test_audiences_agree import PLAUSIBLE
from .test_unleash_sdk import state_of

CONSTRAINTS, UNITS = 600, 25
SEED = 20_261_129
BOOLEANS = ["true", "True", "false", "False"]
OPERATORS = {
    "version": ["SEMVER_EQ", "SEMVER_GT", "SEMVER_GTE", "SEMVER_LT", "SEMVER_LTE"],
    "joined": ["DATE_AFTER", "DATE_BEFORE"],
    "age": ["NUM_EQ", "NUM_GT", "NUM_GTE", "NUM_LT", "NUM_LTE"],
    "minutes": ["NUM_EQ", "NUM_GT", "NUM_GTE", "NUM_LT", "NUM_LTE"],
    "country": ["STR_STARTS_WITH", "STR_CONTAINS", "REGEX"],
}


def random_constraint(chance: random.Random) -> JsonObject:
    name = chance.choice(sorted(PLAUSIBLE))
    texts = BOOLEANS if name == "premium" else [str(each) for each in PLAUSIBLE[name]]
    operator = chance.choice(["IN", "NOT_IN", *OPERATORS.get(name, [])])
    some: list[JsonValue] = [*chance.sample(texts, chance.randint(0, len(texts)))]
    value = chance.choice(texts)
    dated = f"{value}T12:00:00Z" if name == "joined" and chance.random() < 0.5 else value
    asked: JsonObject = {"contextName": name, "operator": operator, "inverted": chance.random() < 0.4}
    listed = operator in ("IN", "NOT_IN") or name == "country"
    return {**asked, "values": some} if listed else {**asked, "value": dated}


def random_unit(chance: random.Random) -> JsonObject:
    return {name: chance.choice(values) for name, values in PLAUSIBLE.items() if chance.random() < 0.7}


def test_whom_the_sdk_lets_in_is_in_the_audience() -> None:
    chance = random.Random(SEED)
    met = narrow = 0
    for _ in range(CONSTRAINTS):
        constraints = [random_constraint(chance) for _ in range(chance.randint(1, 2))]
        raw, _ = read_constraints(constraints)
        audience, _ = parse(from_texts(raw, ATTRIBUTES)[0], ATTRIBUTES)
        product = Product(state_of([constraints]))
        for unit in (random_unit(chance) for _ in range(UNITS)):
            context: dict[str, Any] = {"user_id": "somebody", "properties": unit}
            lets_in, out = product.variant("asked", context) is not None, kept_out_by(audience, unit) is not None
            met, narrow = met + lets_in, narrow + out
            assert not (out and lets_in), (constraints, unit)
    assert met > CONSTRAINTS
    assert narrow > CONSTRAINTS


@pytest.mark.parametrize(
    "constraint",
    [
        {"contextName": "country", "operator": "IN", "values": []},
        {"contextName": "country", "operator": "IN", "values": ["SE"], "caseInsensitive": True},
        {"contextName": "country", "operator": "STR_STARTS_WITH", "values": ["S"]},
        {"contextName": "country", "operator": "REGEX", "value": "^S"},
        {"contextName": "age", "operator": "NUM_GT", "value": "many"},
        {"contextName": "version", "operator": "SEMVER_GT", "value": "1.0.0", "inverted": True},
        {"contextName": "version", "operator": "SEMVER_EQ", "value": "1"},
        {"contextName": "joined", "operator": "DATE_AFTER", "value": "yesterday"},
        {"contextName": "currentTime", "operator": "DATE_AFTER", "value": "2026-01-01T00:00:00Z"},
        {"contextName": "not", "operator": "IN", "values": ["SE"]},
        {"operator": "IN", "values": ["SE"]},
        {"contextName": "country", "operator": "IS_SOUTH_OF", "value": "SE"},
    ],
)
def test_what_cannot_be_read_is_told_and_lets_everybody_in(constraint: JsonObject) -> None:
    audience, unread = read_constraints([constraint])
    assert (audience, len(unread)) == ({}, 1)
    assert "everybody counts as meeting it" in unread[0]
