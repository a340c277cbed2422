"""A delivery that somebody changed by hand is told and mended, through a client alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from .ledger import Ledger
from .museum import Museum, Reply, SetClock, Visitor, opened, visiting

KEY = "guide-first"
FEATURE = "gallery.guide_first"


@pytest.fixture
def museum(tmp_path: Path) -> Museum:
    return opened(tmp_path)


def damage(museum: Museum) -> None:
    """Let half of the units in, and lose what the variants show."""
    payload = json.loads(museum.flags.read_text())
    payload["features"][FEATURE]["rules"][0]["coverage"] = 0.5
    museum.flags.write_text(json.dumps(payload))
    museum.texts.unlink()


async def look(visitor: Visitor) -> Reply:
    return await visitor.call("get_experiment", key=KEY)


async def drift(visitor: Visitor) -> dict[str, Any]:
    """Target -> what the resource tells of it."""
    read = await visitor.client.read_resource(f"experiment://{KEY}/drift")
    text = getattr(read.contents[0], "text", "")
    return {each["target"]: each for each in json.loads(text)["documents"]}


async def test_a_damaged_delivery_is_told_and_mended_by_what_the_replies_say(museum: Museum) -> None:
    async with visiting(museum, SetClock()) as visitor:
        await visitor.launch()
        assert "findings" not in (await look(visitor)).body
        sound = Ledger(museum).flag_rules
        damage(museum)
        seen = await look(visitor)
        assert [finding["code"] for finding in seen.body["findings"]] == ["delivery.drifted"] * 2
        assert "WARN delivery.drifted at /environment: flags/payload is not as it was delivered" in seen.text
        assert len(seen.text.encode()) + len(json.dumps(seen.body, separators=(",", ":")).encode()) < 4_096
        told = await drift(visitor)
        assert {target: each["is"] for target, each in told.items()} == {
            "flags/payload": "changed",
            "texts/gallery": "gone",
        }
        assert told["flags/payload"]["differs"] == [f"rules.{FEATURE}.{KEY}.coverage 1 -> 0.5"]
        plan = await visitor.paste(seen.body["next"])
        applied = await visitor.call("apply_plan", digest=plan.body["digest"])
        assert (applied.body["status"], applied.body["state"]) == ("applied", "running")
        assert f"rules.{FEATURE}.{KEY}.coverage 0.5 -> 1" in visitor.questions[-1]
        assert "findings" not in (await look(visitor)).body
        needless = await visitor.call("plan_change", key=KEY, change="reconcile")
        assert needless.text.startswith(f"nothing to reconcile: {KEY} is as delivered")
        assert needless.body["steps"] == []
    assert Ledger(museum).flag_rules == sound
    assert Ledger(museum).faults() == []


async def test_a_person_who_declines_leaves_the_delivery_as_it_is(museum: Museum) -> None:
    async with visiting(museum, SetClock()) as visitor:
        await visitor.launch()
    damage(museum)
    held = museum.flags.read_bytes()
    async with visiting(museum, SetClock(), approve=False) as visitor:
        plan = await visitor.call("plan_change", key=KEY, change="reconcile")
        declined = await visitor.call("apply_plan", digest=plan.body["digest"])
        assert declined.body["status"] == "declined"
    assert (museum.flags.read_bytes(), museum.texts.exists()) == (held, False)
