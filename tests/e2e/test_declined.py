"""A no is a no: planned again and applied again, the same change asks nobody."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from .ledger import Ledger
from .museum import Museum, SetClock, Visitor, drafted, launched, opened, visiting

KEY = "guide-first"


@pytest.fixture
def museum(tmp_path: Path) -> Museum:
    return opened(tmp_path)


async def declined(visitor: Visitor, clock: SetClock) -> str:
    """The digest of a new plan of what a person has just said no to."""
    await visitor.draft(KEY)
    first = await visitor.planned(KEY)
    assert (await visitor.call("apply_plan", digest=first)).body["status"] == "declined"
    clock.sleep(60)
    second = await visitor.planned(KEY)
    assert second != first
    return second


async def test_the_same_change_planned_again_tells_who_declined_and_when_and_asks_nobody(museum: Museum) -> None:
    clock = SetClock()
    async with visiting(museum, clock, approve=False) as visitor:
        again = await declined(visitor, clock)
        plan = await visitor.call("plan_change", key=KEY, change="launch")
        reply = await visitor.call("apply_plan", digest=again)
        assert len(visitor.questions) == 1
    person = f"or a person runs `{museum.app().dependencies.command} approve {again}` in a terminal; then apply_plan("
    assert reply.body["status"] == "declined"
    assert reply.body["approval"].startswith("no, host by ")
    assert "said no to the same change on 2026-03-02 12:00 UTC (plan p-" in reply.body["reason"]
    change = f'update_experiment(key="{KEY}", version=1, changes={{...}}) makes it another question'
    for each in (plan, reply):
        assert change in each.body["next"]
        assert person in each.body["next"]
    assert reply.body["reason"] in plan.body["next"]
    assert reply.body["reason"] in reply.text
    assert Ledger(museum).audit.count("attempt_refused") == 1


async def test_other_buckets_make_it_no_other_question(museum: Museum) -> None:
    clock = SetClock()
    async with visiting(museum, clock, approve=False) as visitor:
        await visitor.draft(KEY)
        await visitor.call("apply_plan", digest=await visitor.planned(KEY))
    app = museum.app(clock)
    launched(app, "maps", change="Maps first", variants={"maps": {"room_order": ["maps", "coins"]}})
    async with visiting(museum, clock) as visitor:
        plan = await visitor.call("plan_change", key=KEY, change="launch")
        assert "buckets 3000-5999" in plan.text
        assert (await visitor.call("apply_plan", digest=plan.body["digest"])).body["status"] == "declined"
        assert visitor.questions == []


async def test_a_person_can_say_yes_at_a_terminal(museum: Museum) -> None:
    clock = SetClock()
    async with visiting(museum, clock, approve=False) as visitor:
        again = await declined(visitor, clock)
    museum.app(clock).approve(again, approved=True, assurance="terminal", by="curator")
    async with visiting(museum, clock) as visitor:
        assert (await visitor.call("apply_plan", digest=again)).body["status"] == "applied"
        assert visitor.questions == []


async def test_a_changed_draft_is_another_question_and_changed_back_it_is_not(museum: Museum) -> None:
    clock = SetClock()
    async with visiting(museum, clock, approve=False) as visitor:
        await declined(visitor, clock)
        drafted(museum.app(clock), "other")
        await visitor.call("update_experiment", key=KEY, version=1, changes={"iterates": "other"})
        await visitor.call("apply_plan", digest=await visitor.planned(KEY))
        assert len(visitor.questions) == 2
        await visitor.call("update_experiment", key=KEY, version=2, changes={"iterates": None})
        await visitor.call("apply_plan", digest=await visitor.planned(KEY))
        assert len(visitor.questions) == 2


async def test_a_no_ends_when_the_plan_that_it_was_said_to_would_have(museum: Museum) -> None:
    clock = SetClock()
    async with visiting(museum, clock, approve=False) as visitor:
        await declined(visitor, clock)
        clock.at += timedelta(days=1)
        await visitor.call("apply_plan", digest=await visitor.planned(KEY))
        assert len(visitor.questions) == 2


async def test_a_no_to_a_resume_leaves_the_terminal_alone(museum: Museum) -> None:
    clock = SetClock()
    async with visiting(museum, clock) as visitor:
        await visitor.launch(KEY)
        await visitor.call("apply_plan", digest=await visitor.planned(KEY, "pause"))
    async with visiting(museum, clock, approve=False) as visitor:
        await visitor.call("apply_plan", digest=await visitor.planned(KEY, "resume"))
        clock.sleep(60)
        reply = await visitor.call("apply_plan", digest=await visitor.planned(KEY, "resume"))
        assert len(visitor.questions) == 1
        assert reply.body["next"].startswith("a person runs `")
