"""Ramps and schedules through a real client, with a clock that is moved, and the sweeper of a real server process."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from .museum import COMMAND, NOON, Museum, SetClock, launched, opened, visiting, visiting_process

KEY = "guide-first"
RAMP = [{"coverage": 0.05, "hours": 24}, {"coverage": 0.25, "days": 2}]


@pytest.fixture
def museum(tmp_path: Path) -> Museum:
    return opened(tmp_path)


def coverage(museum: Museum) -> float:
    payload: dict[str, Any] = json.loads(museum.flags.read_text())
    return payload["features"]["gallery.guide_first"]["rules"][0]["coverage"]


async def test_the_stages_of_a_ramp_come_one_after_the_other_in_the_payload(museum: Museum) -> None:
    clock = SetClock()
    sweeper = museum.app(clock)
    async with visiting(museum, clock) as visitor:
        await visitor.draft(more={"ramp": RAMP})
        blocked = await visitor.call("plan_change", key=KEY, change="launch")
        assert blocked.codes() == ["schedule.sweeper_live"]
        sweeper.tick("cron", 300)
        applied = await visitor.call("apply_plan", digest=await visitor.planned())
        assert applied.body["status"] == "applied"
        assert "then, unasked: 25 % after 1 day, everybody after 3 days" in visitor.questions[0]
        met = [coverage(museum)]
        for days in (1, 3):
            clock.at = NOON + timedelta(days=days)
            sweeper.tick("cron", 300)
            met.append(coverage(museum))
        assert met == [0.05, 0.25, 1]
        assert len(visitor.questions) == 1
        shown = await visitor.call("get_experiment", key=KEY)
        assert shown.body["operation"]["change"] == "ramp"
        assert "due" not in shown.body


async def test_a_person_goes_on_and_back_through_the_client(museum: Museum) -> None:
    clock = SetClock()
    async with visiting(museum, clock) as visitor:
        await visitor.launch(more={"ramp": [{"coverage": 0.1}, {"coverage": 0.5}]})
        plan = await visitor.call("plan_change", key=KEY, change="ramp")
        assert (await visitor.call("apply_plan", digest=plan.body["digest"])).body["status"] == "applied"
        assert coverage(museum) == 0.5
        plan = await visitor.call("plan_change", key=KEY, change="ramp", stage=1)
        assert plan.finding("ramp.lowered")["severity"] == "warn"
        await visitor.call("apply_plan", digest=plan.body["digest"])
        assert coverage(museum) == 0.1
        assert len(visitor.questions) == 3


async def test_a_server_that_runs_shows_life_from_its_first_call_on(museum: Museum) -> None:
    async with visiting_process(museum) as visitor:
        reply = await visitor.launch(more={"ramp": RAMP})
        assert reply.body["status"] == "applied", reply.text


def test_a_tick_at_a_terminal_catches_up_and_says_so(museum: Museum) -> None:
    past = datetime.now(UTC) - timedelta(days=20)  # the command has the machine's clock, and this is past for it
    app = museum.app(SetClock(past))
    app.beat("sweeper", 300)
    launched(app, more={"ramp": RAMP})
    done = subprocess.run([*COMMAND, "tick"], env=museum.environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"done: {KEY}, ")
    assert "stage 3 of 3, everybody; nobody was there when stage 2 was due" in done.stdout
    assert coverage(museum) == 1
    again = subprocess.run([*COMMAND, "tick"], env=museum.environment, capture_output=True, text=True, check=False)
    assert (again.returncode, again.stdout) == (0, "nothing is due\n")


def test_a_tick_that_leaves_something_undone_fails(museum: Museum) -> None:
    app = museum.app(SetClock(datetime.now(UTC) - timedelta(days=20)))
    app.beat("sweeper", 300)
    launched(app, more={"ramp": RAMP})
    museum.flags.write_text(museum.flags.read_text().replace("0.05", "0.06"))
    done = subprocess.run([*COMMAND, "tick"], env=museum.environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "waits: " in done.stdout
    assert "is not what was delivered" in done.stdout
