"""From a hypothesis to a running experiment and back, with Confidence as the assigner and texts in a folder, through a
client alone. Confidence is a fake of its published description; who is in is told by its real resolver."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import JsonValue

from crossfade.core.documents import JsonObject
from crossfade.server.cli.doctor_lines import health_lines

from ..servers.confidence import ConfidenceServer, settings_for
from ..servers.confidence_product import Product
from .museum import Museum, SetClock, agreed, brief, drafted, opened, visiting

pytestmark = pytest.mark.backends

KEY = "guide-first"
UNITS = [f"visitor-{number}" for number in range(1_000)]
FILE = "{ kind: growthbook_file, settings: { path: out/flags/flags.json } }"
BELGIAN: dict[str, JsonValue] = {"country": "BE"}


@pytest.fixture
def museum(tmp_path: Path, confidence: ConfidenceServer) -> Museum:
    museum = opened(tmp_path)
    file = museum.own_catalogue()
    text = file.read_text()
    assert FILE in text
    backend = json.dumps({"kind": "confidence", "settings": settings_for(confidence.url)})  # JSON is YAML
    file.write_text(text.replace(FILE, backend))
    return museum


def met(confidence: ConfidenceServer, context: dict[str, Any] | None = None, key: str = KEY) -> dict[str, str]:
    product = Product(confidence.state())
    found = {unit: product.variant(key, {**(context or {}), "visitor_id": unit}) for unit in UNITS}
    return {unit: variant for unit, variant in found.items() if variant is not None}


async def test_a_hypothesis_runs_after_five_calls_and_ramps_pauses_resumes_and_stops(
    museum: Museum, confidence: ConfidenceServer
) -> None:
    async with visiting(museum, SetClock()) as visitor:
        await visitor.call("find_surfaces", query="rooms of the gallery")
        more = {"ramp": [{"coverage": 0.2}]}
        draft = await visitor.call("create_experiment", brief(audience={"country": ["NL", "BE"]}, more=more))
        plan = await visitor.paste(draft.body["next"])
        applied = await visitor.call("apply_plan", digest=plan.body["digest"])
        assert (applied.body["status"], applied.body["state"]) == ("applied", "running"), applied.text
        assert [step.partition("/")[0] for step in applied.body["steps"]] == ["texts", "flags"]
        first = met(confidence, BELGIAN)
        assert 0 < len(first) < 120
        assert met(confidence, {"country": "DE"}) == met(confidence) == {}
        await visitor.changed("ramp")
        all_in = met(confidence, BELGIAN)
        assert len(all_in) > 200
        assert first.items() <= all_in.items()
        assert (await visitor.changed("pause"))["state"] == "paused"
        assert met(confidence, BELGIAN) == {}
        assert "findings" not in (await visitor.call("get_experiment", key=KEY)).body
        assert (await visitor.changed("resume"))["state"] == "running"
        assert met(confidence, BELGIAN) == all_in  # the segment was kept meanwhile
        assert "findings" not in (await visitor.call("get_experiment", key=KEY)).body
        assert (await visitor.changed("stop"))["state"] == "stopped"
    assert met(confidence, BELGIAN) == {}
    assert confidence.allocated() == []
    flag = confidence.held()[f"flags/{KEY}"]
    assert not {"rules", "clients"} & flag.keys()


async def test_who_reads_is_told_what_nobody_here_can_tell(museum: Museum, confidence: ConfidenceServer) -> None:
    async with visiting(museum, SetClock()) as visitor:
        draft = await visitor.call("create_experiment", brief())
        plan = await visitor.paste(draft.body["next"])
        assert "units that the assigner gives out itself" in plan.text
        assert "buckets" not in plan.text
        await visitor.call("apply_plan", digest=plan.body["digest"])
        found = {each["code"]: each for each in draft.body["findings"]}
        assert "its resolver tells who is in" in found["assigner.allocates"]["message"]
        shown = await visitor.call("get_experiment", key=KEY)
        assert shown.body["buckets"] == ["3000 in all, picked by the assigner"]
    app = museum.app(SetClock())
    told = app.explain(KEY, "visitor-1", {})
    assert (told.because, told.variant, told.parameters) == ("assigner", None, {})
    assert "its resolver tells who is in" in told.detail
    assert "30 % of its units, by the assigner" in " ".join(told.steps)
    found = {each.name: each for each in app.health().backends}["flags"]
    assert any("contract" in line for line in health_lines(app.health(), "s", "c"))
    assert (found.owner, (found.promises or {}).get("proof")) == ("ours", "contract")
    app.preview(KEY, "guide", ["curator-1"], by="curator")
    told = app.explain(KEY, "curator-1", {})
    assert (told.because, told.variant) == ("preview", "guide")
    assert told.detail == "named test unit of guide, whose exposures the assigner tells like all others"
    app.stop(KEY)
    assert app.explain(KEY, "visitor-1", {}).because == "not_running"


def test_nobody_is_told_what_a_unit_gets_of_a_launch_that_is_stuck(
    museum: Museum, confidence: ConfidenceServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, answer, failing = museum.app(SetClock()), confidence.answer, list[str]()
    drafted(app)
    digest = agreed(app, KEY, "launch")

    def spoilt(method: str, target: str, authorization: str, raw: bytes) -> tuple[int, Any]:
        opens = method == "PATCH" and b"enabled" in raw
        found = (500, {"message": "overloaded"}) if failing else answer(method, target, authorization, raw)
        failing.extend([target] if opens else [])
        return found

    monkeypatch.setattr(confidence, "answer", spoilt)
    assert app.apply_plan(digest).status == "needs_attention"
    told = app.explain(KEY, "visitor-1", {})
    assert (told.because, told.variant) == ("not_running", None)
    assert "traffic may be open: the assigner alone knows who is in" in told.detail


async def test_a_launch_that_others_leave_no_room_for_is_undone_and_told(
    museum: Museum, confidence: ConfidenceServer
) -> None:
    tag: JsonValue = ["crossfade.open.gallery.content"]
    theirs: JsonObject = {
        "displayName": "Theirs",
        "allocation": {"proportion": {"value": "0.8"}, "exclusivityTags": tag},
    }
    made = confidence.admin("POST", "/v1/segments", theirs)
    confidence.admin("POST", f"/v1/{made['name']}:allocate", {})
    async with visiting(museum, SetClock()) as visitor:
        await visitor.draft()
        digest = await visitor.planned(KEY, "launch")
        applied = await visitor.call("apply_plan", digest=digest)
        assert (applied.body["status"], applied.body["state"]) == ("undone", "draft"), applied.text
        assert "no such share left" in applied.text
        assert confidence.allocated() == ["Theirs"]
        assert "rules" not in confidence.held()[f"flags/{KEY}"]
        confidence.admin("POST", f"/v1/{made['name']}:archive", {})
        assert (await visitor.changed("launch"))["state"] == "running"
    assert len(met(confidence)) > 200
    ours = [each for each in confidence.held().values() if str(each.get("displayName")).startswith("crossfade ")]
    assert len(ours) == 1  # the one that got no units before


async def test_what_somebody_changed_in_confidence_is_told_and_put_back(
    museum: Museum, confidence: ConfidenceServer
) -> None:
    async with visiting(museum, SetClock()) as visitor:
        await visitor.launch()
        due = met(confidence)
        (rule,) = confidence.held()[f"flags/{KEY}"]["rules"]
        confidence.admin("PATCH", f"/v1/{rule['name']}?updateMask=enabled", {"name": rule["name"], "enabled": False})
        assert met(confidence) == {}
        seen = await visitor.call("get_experiment", key=KEY)
        assert [each["code"] for each in seen.body["findings"]] == ["delivery.drifted"]
        plan = await visitor.paste(seen.body["next"])
        applied = await visitor.call("apply_plan", digest=plan.body["digest"])
        assert (applied.body["status"], applied.body["state"]) == ("applied", "running"), applied.text
        assert met(confidence) == due
        assert "findings" not in (await visitor.call("get_experiment", key=KEY)).body


async def test_the_kill_switch_needs_no_catalogue_and_ends_what_was_paused(
    museum: Museum, confidence: ConfidenceServer
) -> None:
    async with visiting(museum, SetClock()) as visitor:
        await visitor.launch()
        await visitor.changed("pause")
        assert confidence.allocated() != []
    (museum.catalogue / "catalogue.yaml").write_text("broken: [")
    stopped = museum.app(SetClock()).stop(KEY)
    assert (stopped.status, stopped.state) == ("applied", "stopped")
    assert confidence.allocated() == []


async def test_two_experiments_of_a_layer_share_no_visitor(museum: Museum, confidence: ConfidenceServer) -> None:
    async with visiting(museum, SetClock()) as visitor:
        await visitor.launch()
        first = met(confidence)
        order = {"room_order": ["maps", "coins", "modern"]}
        await visitor.launch("maps-first", change="Maps come first", variants={"maps": order})
    second = met(confidence, key="maps-first")
    assert len(second) > 200
    assert not first.keys() & second.keys()
    assert met(confidence) == first


async def test_a_drafts_test_units_meet_it_before_and_after_the_launch(
    museum: Museum, confidence: ConfidenceServer
) -> None:
    tester = {"visitor_id": "tester-1"}
    app = museum.app(SetClock())
    async with visiting(museum, SetClock()) as visitor:
        await visitor.draft()
        assert app.preview(KEY, "guide", ["tester-1"], "curator").status == "applied"
        assert Product(confidence.state()).variant(KEY, tester) == "guide"
        assert app.explain(KEY, "tester-1", {}).variant == "guide"
        assert met(confidence) == {}
        await visitor.changed("launch")
        assert Product(confidence.state()).variant(KEY, tester) == "guide"
        running = met(confidence)
        assert app.preview(KEY, "control", ["tester-2"], "curator").status == "applied"
        assert app.preview(KEY, None, [], "curator").status == "applied"
        assert met(confidence) == running
    assert len(confidence.allocated()) == 1
