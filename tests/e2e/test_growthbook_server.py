"""From a hypothesis to a running experiment and back, with a GrowthBook server as the assigner and a folder of
parameters beside it, through a client alone."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from pydantic import JsonValue

from crossfade.adapters.http import limiter
from crossfade.core.errors import BackendFailed
from crossfade.server.cli.doctor_lines import health_lines

from ..postgresql import another_store
from ..servers.growthbook import CLIENT_KEY, ENVIRONMENT, KEY_ENV, OTHER_ENVIRONMENT, OWNER, GrowthbookServer
from ..servers.growthbook_sdk import met as served
from ..servers.growthbook_sdk import value
from .museum import Museum, SetClock, brief, launched, opened, visiting

KEY = "guide-first"
FEATURE, UNIT = "gallery.guide_first", "visitor_id"
UNITS = [f"visitor-{number}" for number in range(1_000)]
FILE = "{ kind: growthbook_file, settings: { path: out/flags/flags.json } }"


@pytest.fixture
def museum(tmp_path: Path, growthbook: GrowthbookServer) -> Museum:
    """A museum whose visitors are assigned by GrowthBook and find texts in a folder."""
    museum = opened(tmp_path)
    file = museum.own_catalogue()
    settings = (
        f"{{ url: '{growthbook.url}', api_key_env: {KEY_ENV}, environment: {ENVIRONMENT}, owner: '{OWNER}', "
        "calls_a_minute: 100000 }"
    )
    text = file.read_text()
    assert FILE in text
    file.write_text(text.replace(FILE, f"{{ kind: growthbook, settings: {settings} }}"))
    return museum


def met(growthbook: GrowthbookServer, context: dict[str, Any] | None = None) -> dict[str, str]:
    found = served(growthbook.answer("GET", f"/api/features/{CLIENT_KEY}", None)[1], FEATURE, UNIT, UNITS, context)
    return {unit: variant for unit, (key, variant) in found.items() if key == KEY}


def explained(museum: Museum, attributes: dict[str, JsonValue] | None = None) -> dict[str, str]:
    """What `explain` says of the same units."""
    app = museum.app(SetClock())
    found = {unit: app.explain(KEY, unit, attributes or {}).variant for unit in UNITS}
    return {unit: variant for unit, variant in found.items() if variant is not None}


async def test_a_hypothesis_runs_ramps_pauses_resumes_and_stops_and_leaves_what_others_have(
    museum: Museum, growthbook: GrowthbookServer
) -> None:
    theirs = {"id": "checkout", "valueType": "boolean", "defaultValue": "true", "owner": OWNER}
    growthbook.by_hand("POST", "/api/v2/features", theirs)
    before = [growthbook.payload(each) for each in (ENVIRONMENT, OTHER_ENVIRONMENT)]
    async with visiting(museum, SetClock()) as visitor:
        draft = await visitor.call(
            "create_experiment", brief(audience={"country": ["NL", "BE"]}, more={"ramp": [{"coverage": 0.2}]})
        )
        plan = await visitor.paste(draft.body["next"])
        applied = await visitor.call("apply_plan", digest=plan.body["digest"])
        assert (applied.body["status"], applied.body["state"]) == ("applied", "running"), applied.text
        assert len(growthbook.calls) < 45  # of 60 a minute
        belgian: dict[str, JsonValue] = {"country": "BE"}
        first = met(growthbook, belgian)
        assert 0 < len(first) < 120
        assert first == explained(museum, belgian)
        assert met(growthbook, {"country": "DE"}) == met(growthbook) == {}
        assert (await visitor.changed("ramp"))["state"] == "running"
        all_in = met(growthbook, belgian)
        assert len(all_in) > 200
        assert first.items() <= all_in.items()
        assert all_in == explained(museum, belgian)
        guided = next(unit for unit, variant in all_in.items() if variant == "guide")
        assert value(growthbook.payload(), FEATURE, {**belgian, UNIT: guided}) is True
        assert (await visitor.changed("pause"))["state"] == "paused"
        assert met(growthbook, belgian) == {}
        assert (await visitor.changed("resume"))["state"] == "running"
        assert met(growthbook, belgian) == all_in
        assert (await visitor.changed("stop"))["state"] == "stopped"
        assert met(growthbook, belgian) == {}
    assert growthbook.payload() == before[0]
    assert growthbook.features.kept["checkout"]["version"] == 1
    (experiment,) = growthbook.experiments.kept.values()
    assert (experiment["status"], experiment["archived"]) == ("stopped", True)


async def test_what_somebody_changed_in_growthbook_is_told_and_put_back(
    museum: Museum, growthbook: GrowthbookServer
) -> None:
    async with visiting(museum, SetClock()) as visitor:
        await visitor.launch()
        assert "findings" not in (await visitor.call("get_experiment", key=KEY)).body
        due = met(growthbook)
        (experiment,) = growthbook.experiments.kept.values()
        experiment["phases"][-1]["coverage"] = 0.07
        assert met(growthbook) != due
        seen = await visitor.call("get_experiment", key=KEY)
        assert [each["code"] for each in seen.body["findings"]] == ["delivery.drifted"]
        plan = await visitor.paste(seen.body["next"])
        applied = await visitor.call("apply_plan", digest=plan.body["digest"])
        assert (applied.body["status"], applied.body["state"]) == ("applied", "running"), applied.text
        assert "coverage 0.07 -> 1" in visitor.questions[-1]
        assert met(growthbook) == due == explained(museum)


async def test_the_kill_switch_needs_no_catalogue(museum: Museum, growthbook: GrowthbookServer) -> None:
    async with visiting(museum, SetClock()) as visitor:
        await visitor.launch()
    assert met(growthbook)
    (museum.catalogue / "catalogue.yaml").write_text("broken: [")
    before = len(growthbook.calls)
    stopped = museum.app(SetClock()).stop(KEY)
    assert len(growthbook.calls) - before < 30  # of 60 a minute
    assert (stopped.status, stopped.state) == ("applied", "stopped")
    assert met(growthbook) == {}


async def test_two_experiments_of_a_layer_share_no_visitor(museum: Museum, growthbook: GrowthbookServer) -> None:
    async with visiting(museum, SetClock()) as visitor:
        await visitor.launch()
        first = met(growthbook)
        order = {"room_order": ["maps", "coins", "modern"]}
        await visitor.launch("maps-first", change="Maps come first", variants={"maps": order})
        second = served(growthbook.payload(), "gallery.room_order", UNIT, UNITS)
        assert len(second) > 200
        assert not first.keys() & {*second}
        assert met(growthbook) == first


async def test_a_drafts_test_units_meet_it_before_and_after_the_launch(
    museum: Museum, growthbook: GrowthbookServer
) -> None:
    app, tester = museum.app(SetClock()), {UNIT: "tester-1"}
    async with visiting(museum, SetClock()) as visitor:
        await visitor.draft()
        assert app.preview(KEY, "guide", ["tester-1"], "curator").status == "applied"
        assert value(growthbook.payload(), FEATURE, tester) is True
        assert met(growthbook) == {}
        await visitor.changed("launch")
        assert value(growthbook.payload(), FEATURE, tester) is True
        assert len(met(growthbook)) > 200
        assert app.preview(KEY, None, [], "curator").status == "applied"
        assert value(growthbook.payload(), FEATURE, tester) == (app.explain(KEY, "tester-1", {}).variant == "guide")


async def test_the_doctor_and_an_import_tell_what_there_is(museum: Museum, growthbook: GrowthbookServer) -> None:
    async with visiting(museum, SetClock()) as visitor:
        await visitor.launch()
    app = museum.app(SetClock())
    told = "\n".join(health_lines(app.health(), "here", "there"))
    assert "contract-tested" in told
    assert "60 calls a minute" in told
    rule = {"type": "rollout", "value": "true", "coverage": 0.25, "hashAttribute": UNIT, "allEnvironments": True}
    body = {"id": "gallery.tour", "valueType": "boolean", "defaultValue": "false", "owner": OWNER, "rules": [rule]}
    growthbook.by_hand("POST", "/api/v2/features", body)
    [found] = app.import_from("flags", by="curator")
    assert (len(found.kept), found.gone) == (1, [])
    assert growthbook.features.kept["gallery.tour"]["version"] == 1


async def test_another_store_is_told_whose_it_is_and_changes_nothing(
    museum: Museum, growthbook: GrowthbookServer, tmp_path: Path
) -> None:
    async with visiting(museum, SetClock()) as visitor:
        await visitor.launch()
    held = growthbook.held()
    with another_store():
        other = Museum(tmp_path / "another")  # made from nothing: all copies of the empty store have one name
        other.own_catalogue().write_text((museum.catalogue / "catalogue.yaml").read_text())
        async with visiting(other, SetClock()) as visitor:
            await visitor.call("create_experiment", brief("maps-first"))
            plan = await visitor.call("plan_change", key="maps-first", change="launch")
            assert not plan.body.get("ready")
            assert "flags/features belongs to another store" in plan.text
    assert growthbook.held() == held


def test_a_stop_closes_traffic_also_when_launches_have_used_up_the_rate(
    museum: Museum, growthbook: GrowthbookServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is left for it closes traffic, which comes first; the rest is done by a repeat, once calls may be made."""
    monkeypatch.setattr(limiter, "MOST_WAIT", 0.0)
    file = museum.catalogue / "catalogue.yaml"
    file.write_text(file.read_text().replace("calls_a_minute: 100000", "calls_a_minute: 60"))
    app = museum.app(SetClock())
    launched(app, KEY)
    assert met(growthbook)
    with app.dependencies.store.read() as view:
        place = next(each.place for each in view.placements(KEY) if each.opens_traffic)
    backend = app.dependencies.backend(place.kind)
    for _ in range(60):
        with suppress(BackendFailed):
            backend.read(place.settings, place.document, KEY)
    growthbook.calls.clear()
    answer = app.stop(KEY)
    assert len(growthbook.calls) == 15
    assert met(growthbook) == {}
    assert answer.status == "needs_attention"
    assert "allows 60 calls a minute" in str(answer.reason)
