"""Nothing is left to come by itself unless a process shows life that carries it out, or a person lets that stand."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from crossfade.core.app.crossfade import Crossfade
from crossfade.core.model.answers import PlanView

from ...e2e.museum import NOON, Museum, SetClock, agreed, drafted, launched, opened

KEY = "guide-first"
CODE = "schedule.sweeper_live"
STAGED: dict[str, Any] = {"more": {"ramp": [{"coverage": 0.05, "hours": 24}]}}
EVERY = 15


@pytest.fixture
def museum(tmp_path: Path) -> Museum:
    return opened(tmp_path)


def blocked(plan: PlanView) -> list[str]:
    return [each.code for each in plan.findings if each.severity != "warn" and each.overridden is None]


def planned(app: Crossfade) -> PlanView:
    return app.plan_change(KEY, "launch")


def test_without_a_sweeper_a_ramp_is_not_launched_and_the_reply_says_what_to_start(museum: Museum) -> None:
    app = museum.app(SetClock())
    drafted(app, **STAGED)
    plan = planned(app)
    assert (plan.ready, blocked(plan)) == (False, [CODE])
    assert "/crossfade serve --http` running, or has cron call `" in plan.next
    launch = f'plan_change(key="{KEY}", change="launch"'
    assert plan.next.endswith(f'then {launch}); or, to do without, a person decides: {launch}, ask=["{CODE}"])')


@pytest.mark.parametrize(("age", "live"), [(0, True), (2 * EVERY - 1, True), (2 * EVERY, False)])
def test_a_sign_of_life_counts_for_twice_the_time_between_two(museum: Museum, age: int, *, live: bool) -> None:
    clock = SetClock()
    app = museum.app(clock)
    drafted(app, **STAGED)
    app.beat("server", EVERY)
    clock.at = NOON + timedelta(seconds=age)
    assert planned(app).ready == live


def test_what_leaves_nothing_to_come_needs_no_sweeper(museum: Museum) -> None:
    app = museum.app(SetClock())
    drafted(app, more={"ramp": [{"coverage": 0.05}]})
    assert planned(app).ready


def test_a_person_may_let_it_stand_and_it_still_opens_the_launch(museum: Museum) -> None:
    app = museum.app(SetClock())
    drafted(app, **STAGED)
    app.override(KEY, CODE, None, reason="we go on by hand", assurance="terminal", by="curator")
    assert app.apply_plan(agreed(app, KEY, "launch")).status == "applied"


def test_an_override_of_the_sweeper_does_not_keep_a_start_from_coming_once_there_is_one(museum: Museum) -> None:
    clock = SetClock()
    app = museum.app(clock)
    drafted(app, start="2026-03-09")
    app.override(KEY, CODE, None, reason="it will be started", assurance="terminal", by="curator")
    assert app.apply_plan(agreed(app, KEY, "launch")).state == "scheduled"
    clock.at = NOON + timedelta(days=7)
    [done] = app.tick("cron", 300).carried
    assert (done.done, app.get_experiment(KEY).state) == (True, "running")


def test_a_sweeper_that_is_lost_is_found_in_flight(museum: Museum) -> None:
    clock = SetClock()
    app = museum.app(clock)
    app.beat("server", EVERY)
    launched(app, **STAGED)
    assert app.get_experiment(KEY).findings is None
    clock.at = NOON + timedelta(minutes=1)
    shown = app.get_experiment(KEY)
    assert shown.findings is not None
    [finding] = shown.findings
    assert (finding.code, finding.severity) == (CODE, "warn")
    assert finding.message == "No process shows life that would carry out 2026-03-03 12:00 UTC stage 2."
    assert shown.next.startswith("a person keeps `")
    app.tick("cron", 300)
    assert app.get_experiment(KEY).findings is None


def test_what_was_due_and_failed_is_found_in_flight_with_its_reason(museum: Museum) -> None:
    clock = SetClock()
    app = museum.app(clock)
    app.beat("server", EVERY)
    launched(app, **STAGED)
    museum.flags.write_text(museum.flags.read_text().replace("0.05", "0.06"))
    clock.at = NOON + timedelta(days=1)
    app.tick("cron", 300)
    drifted, finding = sorted(app.get_experiment(KEY).findings or [], key=lambda each: each.code)
    assert drifted.code == "delivery.drifted"
    assert finding.code == "schedule.due_done"
    assert finding.message.startswith("2026-03-03 12:00 UTC stage 2 waits: What flags/payload has of")
