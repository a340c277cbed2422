"""One audience, three readers: the core, and GrowthBook's SDKs in Python and JavaScript, on units of every kind."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

import pytest
from growthbook import GrowthBook
from pydantic import JsonValue

from crossfade.adapters.growthbook_payload.audience import compile_audience
from crossfade.core.audience import kept_out_by, parse
from crossfade.core.documents import JsonObject
from crossfade.core.model.delivery import Audience

from ..unit.core.audience_words import ATTRIBUTES, random_audience
from .javascript_sdk import install, run

AUDIENCES, UNITS = 200, 50
SEED = 20_261_127
SCRIPT = """
const { GrowthBook } = require("@growthbook/growthbook");
const asked = JSON.parse(require("fs").readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(asked.map(([condition, units]) => units.map((attributes) => {
  const features = { f: { defaultValue: false, rules: [{ condition, force: true }] } };
  const growthbook = new GrowthBook({ attributes }).initSync({ payload: { features } });
  const { value } = growthbook.evalFeature("f");
  growthbook.destroy();
  return value;
}))));
"""
PLAUSIBLE: dict[str, list[JsonValue]] = {
    "country": ["SE", "NO", "US"],
    "city": ["Oslo", "Bergen", "New York", "elsewhere"],
    "premium": [True, False],
    "age": [-1, 0, 1, 2, 3, 4, 5],
    "minutes": [-0.5, 0, 0.25, 0.5, 1, 1.5, 2],
    "version": [
        *("0.9.9", "1.0.0", "v1.0.0", "1.1.0", "1.1.4", "1.10.0", "2.0.0-rc.1", "2.0.0-beta", "2.0.0+7", "2.0.1"),
        *("1", "2", "1.1", "v1.0"),
    ],
    "joined": ["2025-12-31", "2026-01-01", "2026-01-02", "2026-01-04", "2026-01-05", "2026-02-01"],
}
ODD: list[JsonValue] = [
    None, True, False, 0, 1, 2.5, "", "1", "2", "SE", "se", "true", "1.1", "v2", "2.0.0\n", "2026-1-1",
    "2026-01-01T00:00", "2026-01-01\n", "9", "10.0.0-", "1.0.0-x-y", "999999.0.0", "01.0.0", [], ["SE"],
    [1], {}, {"SE": 1}, "\u0661", 2**53,
]  # fmt: skip


def units(chance: random.Random) -> list[JsonObject]:
    """Units of which many lack an attribute, or have something of another type or form in it."""
    made: list[JsonObject] = []
    for _ in range(UNITS):
        unit: JsonObject = {}
        for name, values in PLAUSIBLE.items():
            drawn = chance.random()
            if drawn < 0.6:
                unit[name] = chance.choice(values)
            elif drawn < 0.8:
                unit[name] = chance.choice(ODD)
        made.append(unit)
    return made


def questions() -> Iterator[tuple[JsonObject, Audience, list[JsonObject]]]:
    chance = random.Random(SEED)
    for _ in range(AUDIENCES):
        raw = random_audience(chance)
        audience, problems = parse(raw, ATTRIBUTES)
        assert not problems
        yield raw, audience, units(chance)


def by_python(condition: JsonObject, context: JsonObject) -> bool:
    sdk = GrowthBook(attributes=dict(context))
    sdk.set_features({"f": {"defaultValue": False, "rules": [{"condition": condition, "force": True}]}})
    return bool(sdk.eval_feature("f").value)


def test_the_core_and_the_python_sdk_agree_on_who_is_in() -> None:
    inside = 0
    for raw, audience, contexts in questions():
        condition = json.loads(json.dumps(compile_audience(audience)))
        for context in contexts:
            expected = kept_out_by(audience, context) is None
            inside += expected
            assert by_python(condition, context) == expected, (raw, condition, context)
    assert 0.2 < inside / (AUDIENCES * UNITS) < 0.8


@pytest.mark.clients
def test_the_core_and_the_javascript_sdk_agree_on_who_is_in() -> None:
    asked = list(questions())
    answers = run(install(), SCRIPT, [[compile_audience(audience), contexts] for _, audience, contexts in asked])
    for (raw, audience, contexts), found in zip(asked, answers, strict=True):
        expected = [kept_out_by(audience, context) is None for context in contexts]
        assert found == expected, (raw, [unit for unit, a, b in zip(contexts, found, expected, strict=True) if a != b])
