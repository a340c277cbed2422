"""One experiment across two systems: one assigns visitors, the other holds what their variant shows. Only the catalogue
says which systems those are."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from growthbook import GrowthBook

from crossfade.adapters.growthbook_payload import GrowthbookPayload
from crossfade.adapters.unleash import Unleash
from crossfade.core.errors import BackendFailed

from ..servers.etcd import EtcdServer, etcd_server
from ..servers.unleash import ENVIRONMENT, FLAGS, TOKEN_ENV, UnleashServer
from ..servers.unleash_sdk import Product
from .museum import Museum, SetClock, brief, opened, visiting

pytestmark = pytest.mark.backends

KEY = "guide-first"
FEATURE = "gallery.guide_first"
UNITS = [f"visitor-{number}" for number in range(20_000)]
FILES = {
    "flags": "{ kind: growthbook_file, settings: { path: out/flags/flags.json } }",
    "texts": "{ kind: parameters_folder, settings: { path: out/texts } }",
}


@dataclass
class Systems:
    museum: Museum
    etcd: EtcdServer
    at: str
    """What the keys in etcd begin with."""
    assigner: type[Unleash] | type[GrowthbookPayload]
    assign: Callable[[list[str]], dict[str, str]]
    """What the assigner's own SDK serves: unit -> variant, without those that have none."""
    disturb: Callable[[], object]
    """Changes what the assigner has of the experiment, by hand."""

    def content(self) -> dict[str, Any]:
        found = self.etcd.get(f"{self.at}texts/gallery")
        return json.loads(found) if found else {}

    def edit(self, change: Callable[[dict[str, Any]], object]) -> None:
        content = self.content()
        change(content)
        self.etcd.put(f"{self.at}texts/gallery", json.dumps(content).encode())


def delivered_by(museum: Museum, flags: dict[str, Any], texts: dict[str, Any]) -> None:
    file = museum.own_catalogue()
    text = file.read_text()
    for name, settings in (("flags", flags), ("texts", texts)):
        assert FILES[name] in text
        text = text.replace(FILES[name], json.dumps(settings))  # JSON is YAML
    file.write_text(text)


@pytest.fixture(params=["unleash", "growthbook"])
def systems(request: pytest.FixtureRequest, tmp_path: Path) -> Systems:
    museum, etcd = opened(tmp_path), etcd_server()
    at = f"{tmp_path.name}/"
    there = {"endpoints": [etcd.url]}
    texts = {"kind": "parameters_etcd", "settings": {**there, "prefix": f"{at}texts/"}}
    if request.param == "unleash":
        unleash: UnleashServer = request.getfixturevalue("unleash")
        settings = {"url": unleash.url, "token_env": TOKEN_ENV, "environment": ENVIRONMENT}
        delivered_by(museum, {"kind": "unleash", "settings": settings}, texts)
        return Systems(museum, etcd, at, Unleash, lambda units: by_unleash(unleash, units), lambda: slow_down(unleash))
    key = f"{at}payload"
    delivered_by(museum, {"kind": "growthbook_etcd", "settings": {**there, "key": key}}, texts)

    def disturb() -> None:
        held = etcd.get(key)
        assert held is not None
        etcd.put(key, held.replace(b'"coverage": 1.0', b'"coverage": 0.5'))

    return Systems(museum, etcd, at, GrowthbookPayload, lambda units: by_growthbook(etcd.get(key), units), disturb)


def by_unleash(unleash: UnleashServer, units: list[str]) -> dict[str, str]:
    product = Product(unleash.state())
    found = {unit: product.variant(KEY, {"visitor_id": unit}) for unit in units}
    return {unit: variant for unit, variant in found.items() if variant is not None}


def slow_down(unleash: UnleashServer) -> None:
    (main,) = unleash.strategies(KEY)
    parameters: Any = main["parameters"]
    at = f"{FLAGS}/{KEY}/environments/{ENVIRONMENT}/strategies/{main['id']}"
    assert unleash.admin("PUT", at, {**main, "parameters": {**parameters, "rollout": "7"}}).status_code == 200


def by_growthbook(payload: bytes | None, units: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    features: dict[str, Any] = json.loads(payload)["features"] if payload else {}
    for unit in units:
        sdk = GrowthBook(attributes={"visitor_id": unit}, features=features)
        result = sdk.eval_feature(FEATURE).experimentResult
        if result is not None and result.inExperiment:
            found[unit] = result.key
    return found


async def test_five_calls_let_one_system_assign_and_the_other_show(systems: Systems) -> None:
    async with visiting(systems.museum, SetClock()) as visitor:
        found = await visitor.call("find_surfaces", query="rooms of the gallery")
        assert found.body["best"]["key"] == "gallery"
        draft = await visitor.call("create_experiment", brief(allocation=0.3))
        plan = await visitor.paste(draft.body["next"])
        applied = await visitor.call("apply_plan", digest=plan.body["digest"])
        assert (applied.body["status"], applied.body["state"]) == ("applied", "running"), applied.text
        assert [step.partition("/")[0] for step in applied.body["steps"]] == ["texts", "flags"]

        served = systems.assign(UNITS)
        within(len(served) / len(UNITS), 0.3, len(UNITS))
        guided = sum(variant == "guide" for variant in served.values())
        within(guided / len(served), 0.5, len(served))
        shown = systems.content()["experiments"][KEY]["variants"]
        assert {variant: shown[variant]["guide_first"] for variant in set(served.values())} == {
            "control": False,
            "guide": True,
        }
        stopped = await visitor.call("apply_plan", digest=await visitor.planned(KEY, "stop"))
        assert stopped.body["status"] == "applied", stopped.text
        assert [step.partition("/")[0] for step in stopped.body["steps"]] == ["flags", "texts"]
    assert systems.assign(UNITS[:500]) == {}
    assert systems.content()["experiments"] == {}


async def test_drift_is_seen_in_both_systems_and_one_plan_mends_it(systems: Systems) -> None:
    async with visiting(systems.museum, SetClock()) as visitor:
        await visitor.launch()
        due, held = systems.assign(UNITS[:1_000]), systems.content()
        systems.disturb()
        systems.edit(lambda content: content["experiments"][KEY]["variants"]["guide"].update(guide_first=False))
        assert systems.assign(UNITS[:1_000]) != due
        seen = await visitor.call("get_experiment", key=KEY)
        told = [each["message"] for each in seen.body["findings"] if each["code"] == "delivery.drifted"]
        assert len(told) == 2, seen.text
        assert any("flags" in each for each in told)
        assert any("texts" in each for each in told)
        plan = await visitor.paste(seen.body["next"])
        applied = await visitor.call("apply_plan", digest=plan.body["digest"])
        assert applied.body["status"] == "applied", applied.text
    assert systems.assign(UNITS[:1_000]) == due
    assert systems.content()["experiments"] == held["experiments"]


async def test_a_system_that_refuses_leaves_the_other_as_it_was(
    systems: Systems, monkeypatch: pytest.MonkeyPatch
) -> None:
    def somebody(content: dict[str, Any]) -> None:
        content |= {"surface": "gallery", "parameters": {"guide_first": False}, "experiments": {}}

    systems.edit(somebody)
    async with visiting(systems.museum, SetClock()) as visitor:
        await visitor.draft()
        digest = await visitor.planned(KEY, "launch")
        monkeypatch.setattr(systems.assigner, "write", refuse)
        applied = await visitor.call("apply_plan", digest=digest)
        assert (applied.body["status"], applied.body["state"]) == ("undone", "draft"), applied.text
        monkeypatch.undo()
    assert systems.content()["experiments"] == {}
    assert systems.content()["parameters"] == {"guide_first": False}
    assert systems.assign(UNITS[:500]) == {}


def refuse(*args: object, **more: object) -> None:
    raise BackendFailed("It takes nothing.")


def within(share: float, expected: float, count: int) -> None:
    """Within three standard errors."""
    assert abs(share - expected) <= 3 * math.sqrt(expected * (1 - expected) / count), (share, expected)
