"""A ramp lets in more of the units that are reserved, and changes nothing else of what was delivered."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from crossfade.core.app.crossfade import Crossfade
from crossfade.core.errors import CrossfadeError, Invalid, NotAllowed, Stale
from crossfade.core.model.experiment import Change

from ...e2e.museum import NOON, Museum, SetClock, agreed, drafted, launched, swept

KEY = "guide-first"
RAMP = [{"coverage": 0.05, "hours": 24}, {"coverage": 0.25, "days": 2}]
STAGED: dict[str, Any] = {"more": {"ramp": RAMP}}


@pytest.fixture
def museum(tmp_path: Path) -> Museum:
    return swept(tmp_path)


def yes(app: Crossfade, change: Change = "ramp", stage: int | None = None) -> str:
    plan = app.plan_change(KEY, change, stage=stage)
    assert plan.digest is not None
    app.approve(plan.digest, approved=True, assurance="terminal", by="curator")
    return plan.digest


def ramped(app: Crossfade, stage: int | None = None) -> None:
    assert app.apply_plan(yes(app, stage=stage)).status == "applied"


def rule(museum: Museum) -> dict[str, Any]:
    payload: dict[str, Any] = json.loads(museum.flags.read_text())
    return payload["features"]["gallery.guide_first"]["rules"][0]


def test_a_launch_enters_at_the_first_stage_and_reserves_the_whole_allocation(museum: Museum) -> None:
    app = museum.app(SetClock())
    launched(app, **STAGED)
    delivered = rule(museum)
    assert delivered["coverage"] == 0.05
    assert delivered["filters"][0]["ranges"] == [[0, 0.3]]
    shown = app.get_experiment(KEY)
    assert (shown.stage, shown.buckets) == ("stage 1 of 3, 5 % of the allocation", ["0-2999"])
    assert shown.due == ["2026-03-03 12:00 UTC stage 2", "2026-03-05 12:00 UTC stage 3"]
    assert shown.next.startswith(f'plan_change(key="{KEY}", change="ramp") or ')
    assert app.find_experiments().experiments[0].stage == shown.stage


def test_without_a_ramp_everybody_enters_at_once_and_there_is_none_to_go_on_with(museum: Museum) -> None:
    app = museum.app(SetClock())
    launched(app)
    assert rule(museum)["coverage"] == 1
    assert (app.get_experiment(KEY).stage, app.get_experiment(KEY).due) == (None, None)
    with pytest.raises(NotAllowed, match="has no ramp"):
        app.plan_change(KEY, "ramp")


def test_who_says_yes_to_a_launch_is_told_its_ramp(museum: Museum) -> None:
    app = museum.app(SetClock())
    drafted(app, **STAGED)
    plan = app.plan_change(KEY, "launch")
    assert plan.digest is not None
    question = app.question(plan.digest)
    assert question is not None
    assert "1.5 % of everybody, 5 % of the 30 % reserved: buckets 0-2999" in question
    assert "then, unasked: 25 % after 1 day, everybody after 3 days" in question


def test_a_ramp_goes_to_the_next_stage_and_changes_the_coverage_alone(museum: Museum) -> None:
    app = museum.app(SetClock())
    launched(app, **STAGED)
    before = rule(museum)
    plan = app.plan_change(KEY, "ramp", full=True)
    [step] = plan.steps
    assert step.does == [
        "stage 2 of 3, 25 % of the allocation: 7.5 % of units instead of 1.5 %",
        "who is in keeps its variant; those who enter had production values",
        "then, unasked: everybody after 2 days",
    ]
    assert json.dumps(step.before).replace("0.05", "0.25") == json.dumps(step.after)
    ramped(app)
    assert rule(museum) == {**before, "coverage": 0.25}
    assert app.get_experiment(KEY).stage == "stage 2 of 3, 25 % of the allocation"


def test_at_the_last_stage_everybody_is_in_and_no_stage_is_left(museum: Museum) -> None:
    app = museum.app(SetClock())
    launched(app, **STAGED)
    ramped(app, stage=3)
    shown = app.get_experiment(KEY)
    assert (rule(museum)["coverage"], shown.stage, shown.due) == (1, None, None)
    with pytest.raises(NotAllowed, match="lets everybody in already"):
        app.plan_change(KEY, "ramp")


def test_a_lower_stage_is_warned_of_and_does_not_go_up_again_by_itself(museum: Museum) -> None:
    app = museum.app(SetClock())
    launched(app, **STAGED)
    ramped(app, stage=2)
    plan = app.plan_change(KEY, "ramp", stage=1)
    assert plan.ready
    assert [(each.code, each.severity) for each in plan.findings] == [("ramp.lowered", "warn")]
    assert plan.digest is not None
    assert "Warning ramp.lowered: Coverage falls from 25 % to 5 %" in (app.question(plan.digest) or "")
    ramped(app, stage=1)
    assert (rule(museum)["coverage"], app.get_experiment(KEY).due) == (0.05, None)


@pytest.mark.parametrize("stage", [0, 4, -1])
def test_a_stage_that_the_ramp_has_not_is_refused_with_those_it_has(museum: Museum, stage: int) -> None:
    app = museum.app(SetClock())
    launched(app, **STAGED)
    with pytest.raises(Invalid) as refused:
        app.plan_change(KEY, "ramp", stage=stage)
    assert (refused.value.got, refused.value.allowed) == (stage, ["1", "2", "3"])


def test_the_stage_that_stands_is_no_change(museum: Museum) -> None:
    app = museum.app(SetClock())
    launched(app, **STAGED)
    with pytest.raises(NotAllowed, match="is at this stage"):
        app.plan_change(KEY, "ramp", stage=1)


def test_only_a_ramp_goes_to_a_stage(museum: Museum) -> None:
    app = museum.app(SetClock())
    launched(app, **STAGED)
    with pytest.raises(Invalid, match="Only a ramp"):
        app.plan_change(KEY, "pause", stage=2)


def test_what_is_paused_resumes_at_its_stage_which_begins_anew(museum: Museum) -> None:
    clock = SetClock()
    app = museum.app(clock)
    launched(app, **STAGED)
    ramped(app)
    app.apply_plan(yes(app, "pause"))
    assert app.get_experiment(KEY).due is None
    clock.at = NOON + timedelta(days=9)
    app.apply_plan(yes(app, "resume"))
    shown = app.get_experiment(KEY)
    assert rule(museum)["coverage"] == 0.25
    assert shown.due == ["2026-03-13 12:00 UTC stage 3"]


def test_a_stage_without_a_duration_waits_for_a_person(museum: Museum) -> None:
    app = museum.app(SetClock())
    launched(app, more={"ramp": [{"coverage": 0.1}, {"coverage": 0.5, "hours": 36}]})
    assert app.get_experiment(KEY).due is None
    ramped(app)
    assert app.get_experiment(KEY).due == ["2026-03-04 00:00 UTC stage 3"]


def test_a_ramp_needs_no_catalogue(museum: Museum) -> None:
    file, app = museum.own_catalogue(), museum.app(SetClock())
    launched(app, **STAGED)
    file.write_text("surfaces: [")
    ramped(museum.app(SetClock()))
    assert rule(museum)["coverage"] == 0.25


def test_what_was_changed_by_somebody_else_is_not_ramped(museum: Museum) -> None:
    app = museum.app(SetClock())
    launched(app, **STAGED)
    museum.flags.write_text(museum.flags.read_text().replace("0.05", "0.06"))
    with pytest.raises(NotAllowed) as refused:
        app.plan_change(KEY, "ramp")
    assert refused.value.code == "drifted"
    assert refused.value.next == f'plan_change(key="{KEY}", change="pause"), then resume it: that delivers it again'


def test_a_plan_of_a_ramp_that_a_pause_has_overtaken_is_refused(museum: Museum) -> None:
    app = museum.app(SetClock())
    launched(app, **STAGED)
    digest = yes(app)
    app.apply_plan(agreed(app, KEY, "pause"))
    app.apply_plan(agreed(app, KEY, "resume"))
    with pytest.raises(Stale) as stale:
        app.apply_plan(digest)
    assert stale.value.next == f'plan_change(key="{KEY}", change="ramp", stage=2)'


def test_test_units_outlive_a_ramp(museum: Museum) -> None:
    app = museum.app(SetClock())
    launched(app, **STAGED)
    app.preview(KEY, "guide", ["visitor-7"], "curator")
    ramped(app)
    assert app.explain(KEY, "visitor-7", {}).because == "preview"


def test_a_unit_that_is_not_let_in_yet_is_told_so_and_enters_later(museum: Museum) -> None:
    app = museum.app(SetClock())
    launched(app, **STAGED)
    units = [f"visitor-{number}" for number in range(60)]
    early = {unit: app.explain(KEY, unit, {}) for unit in units}
    waiting = [unit for unit, told in early.items() if told.because == "coverage"]
    assert waiting
    assert early[waiting[0]].detail.endswith("is above the coverage 0.05")
    ramped(app, stage=3)
    assert {app.explain(KEY, unit, {}).because for unit in waiting} == {"assigned"}


def test_a_draft_and_a_paused_experiment_have_no_ramp_to_go_on_with(museum: Museum) -> None:
    app = museum.app(SetClock())
    drafted(app, **STAGED)
    with pytest.raises(CrossfadeError, match="is draft, so it cannot ramp"):
        app.plan_change(KEY, "ramp")


def test_the_size_counts_the_days_after_the_ramp(museum: Museum) -> None:
    app = museum.app(SetClock())
    drafted(app)
    whole = app.update_experiment(KEY, 1, [], {"tags": ["a"], "design": {"days": 14}})
    ramp = app.update_experiment(KEY, 2, [], {"ramp": [{"coverage": 0.5, "days": 7}]})
    assert whole.size is not None
    assert ramp.size is not None
    assert ramp.size.control / whole.size.control == pytest.approx(0.6, abs=0.01)
