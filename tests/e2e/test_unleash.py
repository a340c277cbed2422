"""From a hypothesis to a running experiment and back, with Unleash as the assigner, through a client alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import JsonValue

from crossfade.core.documents import JsonObject
from crossfade.core.errors import NotAllowed

from ..servers.unleash import ENVIRONMENT, FLAGS, TOKEN_ENV, UnleashServer
from ..servers.unleash_sdk import Product
from .museum import Museum, SetClock, brief, opened, visiting

pytestmark = pytest.mark.backends

KEY = "guide-first"
LAYER = "crossfade.open.gallery.content"
UNITS = [f"visitor-{number}" for number in range(1_000)]
EXPLAINED = UNITS[:200]
FILE = "{ kind: growthbook_file, settings: { path: out/flags/flags.json } }"


@pytest.fixture
def museum(tmp_path: Path, unleash: UnleashServer) -> Museum:
    """A museum whose visitors are assigned by Unleash and find texts in a folder."""
    museum = opened(tmp_path)
    file = museum.own_catalogue()
    settings = f"{{ url: '{unleash.url}', token_env: {TOKEN_ENV}, environment: {ENVIRONMENT} }}"
    text = file.read_text()
    assert FILE in text
    file.write_text(text.replace(FILE, f"{{ kind: unleash, settings: {settings} }}"))
    return museum


def met(unleash: UnleashServer, context: dict[str, Any] | None = None) -> dict[str, str]:
    product = Product(unleash.state())
    found = {unit: product.variant(KEY, {**(context or {}), "visitor_id": unit}) for unit in UNITS}
    return {unit: variant for unit, variant in found.items() if variant is not None}


def explained(museum: Museum, attributes: dict[str, JsonValue] | None = None) -> dict[str, str]:
    """What `explain` says of some of the units, each of which costs a call."""
    app = museum.app(SetClock())
    found = {unit: app.explain(KEY, unit, attributes or {}).variant for unit in EXPLAINED}
    return {unit: variant for unit, variant in found.items() if variant is not None}


def some(found: dict[str, str]) -> dict[str, str]:
    """Those of them."""
    return {unit: variant for unit, variant in found.items() if unit in EXPLAINED}


async def test_a_hypothesis_runs_after_five_calls_and_ramps_pauses_resumes_and_stops(
    museum: Museum, unleash: UnleashServer
) -> None:
    async with visiting(museum, SetClock()) as visitor:
        found = await visitor.call("find_surfaces", query="rooms of the gallery")
        assert found.body["best"]["key"] == "gallery"
        draft = await visitor.call(
            "create_experiment", brief(audience={"country": ["NL", "BE"]}, more={"ramp": [{"coverage": 0.2}]})
        )
        plan = await visitor.paste(draft.body["next"])
        applied = await visitor.call("apply_plan", digest=plan.body["digest"])
        assert (applied.body["status"], applied.body["state"]) == ("applied", "running"), applied.text
        belgian: dict[str, JsonValue] = {"country": "BE"}
        first = met(unleash, belgian)
        assert 0 < len(first) < 120
        assert some(first) == explained(museum, belgian)
        assert met(unleash, {"country": "DE"}) == met(unleash) == {}
        assert (await visitor.changed("ramp"))["state"] == "running"
        all_in = met(unleash, belgian)
        assert len(all_in) > 200
        assert first.items() <= all_in.items()
        assert some(all_in) == explained(museum, belgian)
        assert Product(unleash.state()).values(KEY, {**belgian, "visitor_id": next(iter(all_in))}) is not None
        assert (await visitor.changed("pause"))["state"] == "paused"
        assert met(unleash, belgian) == {}
        assert (await visitor.changed("resume"))["state"] == "running"
        assert met(unleash, belgian) == all_in
        assert (await visitor.changed("stop"))["state"] == "stopped"
        assert met(unleash, belgian) == {}
        assert unleash.admin("GET", f"{FLAGS}/{KEY}").status_code == 404
        assert [each["title"] for each in unleash.strategies(LAYER)] == ["slots"]


async def test_what_somebody_changed_in_unleash_is_told_and_put_back(museum: Museum, unleash: UnleashServer) -> None:
    async with visiting(museum, SetClock()) as visitor:
        await visitor.launch()
        assert "findings" not in (await visitor.call("get_experiment", key=KEY)).body
        due = met(unleash)
        (main,) = unleash.strategies(KEY)
        at = f"{FLAGS}/{KEY}/environments/{ENVIRONMENT}/strategies/{main['id']}"
        parameters: Any = main["parameters"]
        unleash.admin("PUT", at, {**main, "parameters": {**parameters, "rollout": "7"}})
        assert met(unleash) != due
        seen = await visitor.call("get_experiment", key=KEY)
        assert [each["code"] for each in seen.body["findings"]] == ["delivery.drifted"]
        plan = await visitor.paste(seen.body["next"])
        applied = await visitor.call("apply_plan", digest=plan.body["digest"])
        assert (applied.body["status"], applied.body["state"]) == ("applied", "running"), applied.text
        assert f"strategies.{KEY}.rollout 7 -> 100" in visitor.questions[-1]
        assert met(unleash) == due
        assert some(due) == explained(museum)
        assert "findings" not in (await visitor.call("get_experiment", key=KEY)).body


async def test_the_kill_switch_closes_a_flag_that_was_taken_apart_without_the_catalogue(
    museum: Museum, unleash: UnleashServer
) -> None:
    async with visiting(museum, SetClock()) as visitor:
        await visitor.launch()
    unleash.admin("DELETE", f"{FLAGS}/{KEY}/dependencies")
    assert len(met(unleash)) == len(UNITS)
    (museum.catalogue / "catalogue.yaml").write_text("broken: [")
    stopped = museum.app(SetClock()).stop(KEY)
    assert (stopped.status, stopped.state) == ("applied", "stopped")
    assert met(unleash) == {}


async def test_two_experiments_of_a_layer_share_no_visitor(museum: Museum, unleash: UnleashServer) -> None:
    async with visiting(museum, SetClock()) as visitor:
        await visitor.launch()
        first = met(unleash)
        order = {"room_order": ["maps", "coins", "modern"]}
        await visitor.launch("maps-first", change="Maps come first", variants={"maps": order})
        product = Product(unleash.state())
        second = [unit for unit in UNITS if product.variant("maps-first", {"visitor_id": unit})]
        assert len(second) > 200
        assert not first.keys() & {*second}
        assert met(unleash) == first


async def test_a_drafts_test_units_meet_it_before_and_after_the_launch(museum: Museum, unleash: UnleashServer) -> None:
    tester = {"visitor_id": "tester-1"}
    app = museum.app(SetClock())
    async with visiting(museum, SetClock()) as visitor:
        await visitor.draft()
        assert app.preview(KEY, "guide", ["tester-1"], "curator").status == "applied"
        assert Product(unleash.state()).variant(KEY, tester) == "guide"
        assert met(unleash) == {}
        order = {"room_order": ["maps", "coins", "modern"]}
        await visitor.launch("maps-first", change="Maps come first", variants={"maps": order})
        await visitor.changed("launch")
        assert Product(unleash.state()).variant(KEY, tester) == "guide"
        assert len(met(unleash)) > 200
        assert app.preview(KEY, None, [], "curator").status == "applied"
        assert Product(unleash.state()).variant(KEY, tester) == app.explain(KEY, "tester-1", {}).variant


async def test_a_test_unit_of_one_experiment_is_in_no_other_of_its_layer_and_all_of_them_say_so(
    museum: Museum, unleash: UnleashServer
) -> None:
    app, order = museum.app(SetClock()), {"room_order": ["maps", "coins", "modern"]}
    async with visiting(museum, SetClock()) as visitor:
        await visitor.launch()
        inside = [*met(unleash)][:3]
        await visitor.call("create_experiment", brief("maps-first", variants={"maps": order}))
        assert app.preview("maps-first", "maps", inside, "curator").status == "applied"
        assert not met(unleash).keys() & {*inside}
        assert some(met(unleash)) == explained(museum)
        assert all(app.explain("maps-first", unit, {}).variant == "maps" for unit in inside)
        with pytest.raises(NotAllowed):
            app.preview(KEY, "guide", inside[:1], "curator")
        assert app.preview("maps-first", None, [], "curator").status == "applied"
        assert met(unleash).keys() >= {*inside}
        assert some(met(unleash)) == explained(museum)


async def test_what_others_run_in_unleash_is_a_neighbour_once_it_was_imported(
    museum: Museum, unleash: UnleashServer
) -> None:
    others(unleash, "winter", {"country": ["NL"]}, {"guide_first": True})
    others(unleash, "elsewhere", {"country": ["DE"]}, {"guide_first": True})
    others(unleash, "beta", {"planet": ["Mars"]}, {"colour": "red"})
    app = museum.app(SetClock())
    dutch: dict[str, Any] = {"audience": {"country": "NL"}, "allocation": 1.0, "duration_days": 28}
    async with visiting(museum, SetClock()) as visitor:
        [done] = app.import_from("flags", by="curator")
        assert [(each.key, each.surface, each.share) for each in done.kept] == [
            ("elsewhere", "gallery", 0.5),
            ("winter", "gallery", 0.5),
        ]
        assert done.unread == ["beta: left out, as no surface is known of it"]
        draft = await visitor.call("create_experiment", brief(**dutch))
        (met_others,) = [each for each in draft.body["findings"] if each["code"] == "layer.interaction"]
        assert "winter on gallery (owner unknown, in flags)" in met_others["message"]
        assert "elsewhere" not in draft.text
        unleash.admin("POST", f"{FLAGS}/winter/environments/{ENVIRONMENT}/off")
        [again] = app.import_from("flags", by="curator")
        assert again.gone == ["winter"]
        seen = await visitor.call("get_experiment", key=KEY)
        assert "layer.interaction" not in seen.text


def others(unleash: UnleashServer, name: str, audience: dict[str, list[str]], shown: JsonObject) -> None:
    """A flag of somebody else that is on for half of an audience."""
    unleash.admin("POST", FLAGS, {"name": name, "type": "experiment"})
    payload: JsonObject = {"type": "json", "value": json.dumps(shown)}
    variant: JsonObject = {"name": "on", "weight": 1000, "weightType": "variable", "stickiness": "default"}
    body: JsonObject = {
        "name": "flexibleRollout",
        "parameters": {"rollout": "50", "stickiness": "visitor_id", "groupId": name},
        "constraints": [{"contextName": one, "operator": "IN", "values": [*few]} for one, few in audience.items()],
        "variants": [{**variant, "payload": payload}],
    }
    for path, sent in (("strategies", body), ("on", None)):
        answered = unleash.admin("POST", f"{FLAGS}/{name}/environments/{ENVIRONMENT}/{path}", sent)
        assert answered.status_code == 200, answered.text
