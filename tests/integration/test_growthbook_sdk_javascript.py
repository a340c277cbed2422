"""The payload evaluated by GrowthBook's JavaScript SDK, which has to agree with the Python one on every unit."""

from __future__ import annotations

import json
import random
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from growthbook import GrowthBook
from pydantic import JsonValue

from crossfade.adapters.documents import OneFile
from crossfade.adapters.growthbook_payload import GrowthbookPayload
from crossfade.core.documents import JsonObject
from crossfade.core.model.delivery import Assignment, Condition, Exclusion
from crossfade.core.model.plan import BucketRange

from .javascript_sdk import install, run

COUNT = 5_000
PARAMETERS = ["title", "rows", "order", "badge"]
FEATURES = [f"home.{parameter}" for parameter in PARAMETERS]

SCRIPT = """
const { GrowthBook } = require("@growthbook/growthbook");
const { payload, features, units } = JSON.parse(require("fs").readFileSync(0, "utf8"));
const met = units.map((attributes) => {
  const tracked = [];
  const growthbook = new GrowthBook({
    attributes,
    trackingCallback: (experiment, result) => { tracked.push([experiment.key, result.key]); },
  }).initSync({ payload });
  const results = features.map((feature) => {
    const { value, source, ruleId, experimentResult } = growthbook.evalFeature(feature);
    return [value, source, ruleId || "", experimentResult ? experimentResult.key : ""];
  });
  growthbook.destroy();
  return [results, tracked];
});
process.stdout.write(JSON.stringify(met));
"""


class StoppedClock:
    def now(self) -> datetime:
        return datetime(2026, 11, 1, 12, tzinfo=UTC)

    def sleep(self, seconds: float) -> None: ...


def launched() -> list[Assignment]:
    """Four experiments in two layers that between them use every part of an assignment."""
    shared: dict[str, Any] = {
        "surface": "home",
        "environment": "production",
        "unit_attribute": "user_id",
        "production": {"title": "For you", "rows": 3, "order": ["a", "b"], "badge": None},
        "exclusions": [Exclusion(holdout="q4", salt="q4-salt", share=0.1)],
    }
    young = [
        Condition(attribute="age", type="integer", lt=40),
        Condition(attribute="country", type="string", excluded=["NO"]),
    ]
    recent = [
        Condition(attribute="app_version", type="semver", gte="8.2", lt="10.0.0", excluded=["9.1.0", "9"]),
        Condition(attribute="premium", type="boolean", values=[True]),
    ]
    listed = [
        Condition(attribute="app_version", type="semver", values=["8.2.0", "10.0.0", "9"]),
        Condition(attribute="country", type="string", values=["SE", "NO"]),
    ]
    rated = [Condition(attribute="rating", type="number", gt=-0.5, lte=4.5, excluded=[0])]
    return [
        Assignment(
            experiment="young",
            layer_seed="home.top",
            ranges=[BucketRange(lo=0, hi=3_000), BucketRange(lo=7_000, hi=8_000)],
            seed="young.1",
            coverage=0.9,
            variants=["control", "new"],
            weights=[0.5, 0.5],
            parameters={"title": ["For you", "Yours"], "rows": [3, 4]},
            audience=[young],
            previews={"new": ["user-1", "7"]},
            **shared,
        ),
        Assignment(
            experiment="recent",
            layer_seed="home.top",
            ranges=[BucketRange(lo=3_000, hi=7_000)],
            seed="recent.1",
            coverage=1.0,
            variants=["control", "new", "bold"],
            weights=[0.2, 0.3, 0.5],
            parameters={"title": ["For you", "Neu ✨", ""]},
            audience=[recent],
            previews={"bold": ["user-3", "user-1"]},
            **shared,
        ),
        Assignment(
            experiment="listed",
            layer_seed="home.order",
            ranges=[BucketRange(lo=0, hi=10_000)],
            seed="listed.1",
            coverage=1.0,
            variants=["control", "new"],
            weights=[1 / 3, 2 / 3],
            parameters={"order": [["a", "b"], {"b": 1, "a": [None]}]},
            audience=[listed],
            **shared,
        ),
        Assignment(
            experiment="rated",
            layer_seed="home.badge",
            ranges=[BucketRange(lo=1, hi=9_999)],
            seed="rated.1",
            coverage=0.5,
            variants=["control", "new"],
            weights=[0.5, 0.5],
            parameters={"badge": [None, False]},
            audience=[rated],
            **shared,
        ),
    ]


def a_crowd() -> list[JsonObject]:
    """Units of which many lack an attribute, have null, or have something of another type."""
    chance = random.Random(20_261_101)
    known: dict[str, list[JsonValue]] = {
        "age": [0, -1, 17, 39, 39.5, 40, 41, 90],
        "country": ["SE", "NO", "DK", "se", ""],
        "app_version": ["8.1.9", "8.2.0", "v8.2.0", "8.2", "8.10.0", "9.0.0+1", "9.1.0", "10.0.0-rc.1", "10.0.0", ""],
        "premium": [True, False],
        "rating": [-0.5, -0.4, 0, 4.5, 4.51, 5, 1e-7],
    }
    odd: list[JsonValue] = [None, None, True, False, 0, 1, 5, "5", "39", "", [], ["SE"], [39], {}, "9.0.0"]
    units: list[JsonObject] = []
    for number in range(COUNT):
        unit: JsonObject = {"user_id": number if number % 7 == 0 else f"user-{number}"}
        if number % 97 == 0:
            unit = chance.choice([{}, {"user_id": None}, {"user_id": ""}, {"user_id": "ü-🎧"}, {"user_id": 2**53}])
        for attribute, values in known.items():
            drawn = chance.random()
            if drawn < 0.7:
                unit[attribute] = chance.choice(values)
            elif drawn < 0.85:
                unit[attribute] = chance.choice(odd)
        units.append(unit)
    return units


def by_python(payload: dict[str, Any], units: list[JsonObject]) -> list[JsonValue]:
    met: list[JsonValue] = []
    for attributes in units:
        tracked: list[JsonValue] = []

        def track(experiment: Any, result: Any, user_context: Any, tracked: list[JsonValue] = tracked) -> None:
            tracked.append([experiment.key, result.key])

        sdk = GrowthBook(attributes=dict(attributes), on_experiment_viewed=track)
        sdk.set_payload(payload)
        results: list[JsonValue] = []
        for feature in FEATURES:
            found = sdk.eval_feature(feature)
            variant = found.experimentResult.key if found.experimentResult else ""
            results.append([found.value, found.source, found.ruleId or "", variant])
        met.append([results, tracked])
    return met


@pytest.mark.clients
def test_both_sdks_agree_on_every_unit(tmp_path: Path) -> None:
    installed = install()
    adapter, place = GrowthbookPayload(OneFile(), StoppedClock()), {"path": str(tmp_path / "payload.json")}
    for assignment in launched():
        entry = adapter.compile_assignment(assignment)
        adapter.write({**place}, "payload", assignment.experiment, before=None, after=entry, fence=1)
    payload = json.loads((tmp_path / "payload.json").read_bytes())
    units = a_crowd()
    javascript = run(installed, SCRIPT, {"payload": payload, "features": FEATURES, "units": units})
    python = json.loads(json.dumps(by_python(payload, units)))
    pairs = zip(units, map(json.dumps, python), map(json.dumps, javascript), strict=True)
    assert [(unit, one, other) for unit, one, other in pairs if one != other] == []
    sources = Counter(f"{rule or 'production'}/{variant}" for results, _ in python for _, _, rule, variant in results)
    assert min(sources[f"{name}/new"] for name in ("young", "recent", "listed", "rated")) > 50
    assert sources["young:preview:new/"] == 4  # two units, two features
