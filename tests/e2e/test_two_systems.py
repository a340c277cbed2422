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
from crossfade.core.documents import JsonObject
from crossfade.core.errors import BackendFailed

from ..servers.etcd import etcd_server
from ..servers.unleash import ENVIRONMENT, FLAGS, TOKEN_ENV, UnleashServer
from ..servers.unleash_sdk import Product
from .museum import Museum, SetClock, brief, opened, visiting

pytestmark = pytest.mark.backends

KEY, OTHER = "guide-first", "guide-again"
BANNER = {"defaultValue": False, "rules": [{"force": True, "condition": {"country": "NL"}}]}
FEATURE = "gallery.guide_first"
UNITS = [f"visitor-{number}" for number in range(20_000)]
FILES = {
    "flags": "{ kind: growthbook_file, settings: { path: out/flags/flags.json } }",
    "texts": "{ kind: parameters_folder, settings: { path: out/texts } }",
}


@dataclass
class Kept:
    """A document, where it lies."""

    get: Callable[[], bytes | None]
    put: Callable[[bytes], object]

    def others(self) -> str:
        """A feature of others is in the payload; all but our marks and the time of the last write, as text."""
        held: dict[str, Any] = json.loads(self.get() or b'{"status": 200, "features": {}}')
        if "banner" not in held["features"]:
            held["features"]["banner"] = BANNER
            self.put(json.dumps(held).encode())
        return json.dumps({name: value for name, value in held.items() if name not in ("crossfade", "dateUpdated")})

    def slow_down(self) -> None:
        """A payload's units by half."""
        held = self.get()
        assert held is not None
        self.put(held.replace(b'"coverage": 1.0', b'"coverage": 0.5'))


@dataclass
class Systems:
    museum: Museum
    texts: Kept
    assigner: type[Unleash] | type[GrowthbookPayload]
    assign: Callable[[str, list[str]], dict[str, str]]
    """What the assigner's own SDK serves of an experiment: unit -> variant, without those that have none."""
    disturb: Callable[[], object]
    """Changes what the assigner has of the experiment, by hand."""
    others: Callable[[], object]
    """Adds something of others to the assigner, where it is not yet, and gives what the assigner has of them."""

    def content(self) -> dict[str, Any]:
        found = self.texts.get()
        return json.loads(found) if found else {}

    def edit(self, change: Callable[[dict[str, Any]], object]) -> None:
        content = self.content()
        change(content)
        self.texts.put(json.dumps(content).encode())


def delivered_by(museum: Museum, flags: dict[str, Any], texts: dict[str, Any]) -> None:
    file = museum.own_catalogue()
    text = file.read_text()
    for name, settings in (("flags", flags), ("texts", texts)):
        assert FILES[name] in text
        text = text.replace(FILES[name], json.dumps(settings))  # JSON is YAML
    file.write_text(text)


@pytest.fixture(params=["files", "growthbook", "unleash"])
def systems(request: pytest.FixtureRequest, tmp_path: Path) -> Systems:
    """The embedded backends, as the catalogue names them, and two pairs of real systems: nothing else differs."""
    museum = opened(tmp_path)
    if request.param == "files":
        payload, texts = (
            in_a_file(museum.home / "out/flags/flags.json"),
            in_a_file(museum.home / "out/texts/gallery.json"),
        )
        return with_a_payload(museum, texts, payload)
    prefix, key = f"{tmp_path.name}/texts/", f"{tmp_path.name}/payload"
    there = {"endpoints": [etcd_server().url]}
    delivered_texts = {"kind": "parameters_etcd", "settings": {**there, "prefix": prefix}}
    texts = in_etcd(f"{prefix}gallery")
    if request.param == "growthbook":
        delivered_by(museum, {"kind": "growthbook_etcd", "settings": {**there, "key": key}}, delivered_texts)
        return with_a_payload(museum, texts, in_etcd(key))
    unleash: UnleashServer = request.getfixturevalue("unleash")
    settings = {"url": unleash.url, "token_env": TOKEN_ENV, "environment": ENVIRONMENT}
    delivered_by(museum, {"kind": "unleash", "settings": settings}, delivered_texts)
    return Systems(
        museum,
        texts,
        Unleash,
        lambda key, units: by_unleash(unleash, key, units),
        lambda: slow_down(unleash),
        lambda: others_in(unleash),
    )


def with_a_payload(museum: Museum, texts: Kept, payload: Kept) -> Systems:
    def assign(key: str, units: list[str]) -> dict[str, str]:
        return by_growthbook(payload.get(), key, units)

    return Systems(museum, texts, GrowthbookPayload, assign, payload.slow_down, payload.others)


def in_a_file(path: Path) -> Kept:
    def put(content: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    return Kept(lambda: path.read_bytes() if path.exists() else None, put)


def in_etcd(key: str) -> Kept:
    server = etcd_server()
    return Kept(lambda: server.get(key), lambda content: server.put(key, content))


def by_unleash(unleash: UnleashServer, key: str, units: list[str]) -> dict[str, str]:
    product = Product(unleash.state())
    found = {unit: product.variant(key, {"visitor_id": unit}) for unit in units}
    return {unit: variant for unit, variant in found.items() if variant is not None}


def slow_down(unleash: UnleashServer) -> None:
    (main,) = unleash.strategies(KEY)
    parameters: Any = main["parameters"]
    at = f"{FLAGS}/{KEY}/environments/{ENVIRONMENT}/strategies/{main['id']}"
    assert unleash.admin("PUT", at, {**main, "parameters": {**parameters, "rollout": "7"}}).status_code == 200


def others_in(unleash: UnleashServer) -> list[JsonObject]:
    """A flag of others is on for everybody; all flags but those that we keep, with their strategies."""
    if unleash.admin("POST", FLAGS, {"name": "banner", "type": "release"}).status_code == 201:
        path = f"{FLAGS}/banner/environments/{ENVIRONMENT}"
        everybody: JsonObject = {"rollout": "100", "stickiness": "default", "groupId": "banner"}
        strategy: JsonObject = {"name": "flexibleRollout", "parameters": everybody}
        assert unleash.admin("POST", f"{path}/strategies", strategy).status_code == 200
        assert unleash.admin("POST", f"{path}/on").status_code == 200
    listed = unleash.admin("GET", FLAGS).json()["features"]
    names = [each["name"] for each in listed if not each["name"].startswith("crossfade.")]
    # Unleash notes the stage of a flag's life by itself, some time after it was made.
    return [{name: value for name, value in unleash.flag(each).items() if name != "lifecycle"} for each in names]


def by_growthbook(payload: bytes | None, key: str, units: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    features: dict[str, Any] = json.loads(payload)["features"] if payload else {}
    for unit in units:
        sdk = GrowthBook(attributes={"visitor_id": unit}, features=features)
        got = sdk.eval_feature(FEATURE)
        if got.experiment is not None and got.experiment.key == key and got.experimentResult is not None:
            found[unit] = got.experimentResult.key
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

        served = systems.assign(KEY, UNITS)
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
    assert systems.assign(KEY, UNITS[:500]) == {}
    assert systems.content()["experiments"] == {}


async def test_drift_is_seen_in_both_systems_and_one_plan_mends_it(systems: Systems) -> None:
    async with visiting(systems.museum, SetClock()) as visitor:
        await visitor.launch()
        due, held = systems.assign(KEY, UNITS[:1_000]), systems.content()
        systems.disturb()
        systems.edit(lambda content: content["experiments"][KEY]["variants"]["guide"].update(guide_first=False))
        assert systems.assign(KEY, UNITS[:1_000]) != due
        seen = await visitor.call("get_experiment", key=KEY)
        told = [each["message"] for each in seen.body["findings"] if each["code"] == "delivery.drifted"]
        assert len(told) == 2, seen.text
        assert any("flags" in each for each in told)
        assert any("texts" in each for each in told)
        plan = await visitor.paste(seen.body["next"])
        applied = await visitor.call("apply_plan", digest=plan.body["digest"])
        assert applied.body["status"] == "applied", applied.text
    assert systems.assign(KEY, UNITS[:1_000]) == due
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
    assert systems.assign(KEY, UNITS[:500]) == {}


async def test_two_experiments_of_a_layer_share_no_unit_and_leave_nothing_when_they_end(systems: Systems) -> None:
    def somebody(content: dict[str, Any]) -> None:
        content |= {"surface": "gallery", "parameters": {"guide_first": False}, "owner_of_this": "the web team"}

    systems.edit(somebody)
    systems.others()
    others, texts = systems.others(), without_our_marks(systems.content())
    async with visiting(systems.museum, SetClock()) as visitor:
        for key in (KEY, OTHER):
            await visitor.draft(key, allocation=0.4)
            applied = await visitor.call("apply_plan", digest=await visitor.planned(key, "launch"))
            assert applied.body["status"] == "applied", applied.text
        first, second = systems.assign(KEY, UNITS), systems.assign(OTHER, UNITS)
        assert first.keys().isdisjoint(second)
        for served in (first, second):
            within(len(served) / len(UNITS), 0.4, len(UNITS))
            within(sum(variant == "guide" for variant in served.values()) / len(served), 0.5, len(served))
        for key in (KEY, OTHER):
            stopped = await visitor.call("apply_plan", digest=await visitor.planned(key, "stop"))
            assert stopped.body["status"] == "applied", stopped.text
    assert systems.museum.app().leftovers() == []
    assert systems.others() == others
    assert without_our_marks(systems.content()) == texts


def without_our_marks(content: dict[str, Any]) -> str:
    """As text, without what stays to keep late writers and other stores away."""
    left = {name: value for name, value in content.items() if name not in ("owner", "fences")}
    return json.dumps({**left, "experiments": left.get("experiments", {})}, sort_keys=True)


def refuse(*args: object, **more: object) -> None:
    raise BackendFailed("It takes nothing.")


def within(share: float, expected: float, count: int) -> None:
    """Within three standard errors."""
    assert abs(share - expected) <= 3 * math.sqrt(expected * (1 - expected) / count), (share, expected)
