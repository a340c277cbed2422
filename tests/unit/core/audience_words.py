"""Random audiences over a few attributes of every type, for properties and for oracles."""

from __future__ import annotations

import random
from datetime import date

from hypothesis import strategies as st
from pydantic import JsonValue

from crossfade.core.documents import JsonObject
from crossfade.core.model.catalogue import Attribute

ATTRIBUTES = {
    "country": Attribute(type="string", description="Where.", shares={"SE": 0.5, "NO": 0.3, "US": 0.2}),
    "city": Attribute(type="string", description="Town.", shares={"Oslo": 0.3, "Bergen": 0.1}, open=True, present=0.9),
    "premium": Attribute(type="boolean", description="Pays.", shares={"true": 0.4, "false": 0.6}, present=0.7),
    "age": Attribute(type="integer", description="Years.", present=0.8, quantiles={0: 0, 1: 0.1, 4: 0.5, 9: 1}),
    "minutes": Attribute(type="number", description="Listened to.", quantiles={0: 0, 1: 0.4, 2: 1}),
    "version": Attribute(type="semver", description="Of the app.", shares={"1.0.0": 0.2, "1.1.0": 0.5}, open=True),
    "joined": Attribute(
        type="date",
        description="First day.",
        present=0.5,
        quantiles={date(2026, 1, 1): 0, date(2026, 1, 5): 0.5, date(2026, 1, 9): 1},
    ),
}
VALUES: dict[str, list[JsonValue]] = {
    "country": ["SE", "NO", "US"],
    "city": ["Oslo", "Bergen", "New York"],
    "premium": [True, False],
    "age": [0, 1, 2, 3, 4],
    "minutes": [0, 0.5, 1, 1.5],
    "version": ["1", "1.1", "1.1.4", "2.0.0-rc.1", "2.0.0"],
    "joined": ["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-05"],
}
MEASURED: dict[str, list[JsonValue]] = {
    name: [value for value in VALUES[name] if value != "New York"]
    for name in ("country", "city", "premium", "age", "joined")
}
"""Those whose shares the catalogue knows: what it does not know is counted as everybody, which does not add up."""
HAS_ORDER = ("age", "minutes", "version", "joined")


def random_audience(chance: random.Random, depth: int = 3, words: dict[str, list[JsonValue]] = VALUES) -> JsonObject:
    """An audience that can be read, of up to `depth` nested joints."""
    kind = chance.choice(["leaf", "leaf", "any", "all", "not"]) if depth else "leaf"
    if kind == "not":
        return {"not": random_audience(chance, depth - 1, words)}
    if kind != "leaf":
        return {kind: [random_audience(chance, depth - 1, words) for _ in range(chance.randint(1, 3))]}
    names = chance.sample(sorted(words), chance.randint(1, 2))
    return {name: random_wish(chance, name, words[name]) for name in names}


def random_wish(chance: random.Random, name: str, values: list[JsonValue]) -> JsonValue:
    form = chance.choice(["value", "list", "not", "exists", "bounds"])
    if form == "value":
        return chance.choice(values)
    if form == "list":
        return chance.sample(values, chance.randint(1, len(values)))
    if form == "not":
        return {"not": chance.sample(values, chance.randint(1, len(values)))}
    if form == "bounds" and name in HAS_ORDER:
        wish: JsonObject = {chance.choice(["gte", "gt"]): chance.choice(values)}
        return wish | {chance.choice(["lte", "lt"]): chance.choice(values)} if chance.random() < 0.7 else wish
    return {"exists": chance.random() < 0.5}


@st.composite
def audiences(draw: st.DrawFn, words: dict[str, list[JsonValue]] = VALUES) -> JsonObject:
    return random_audience(random.Random(draw(st.integers(0, 2**32))), words=words)
