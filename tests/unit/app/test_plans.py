"""A plan is held to what matters for its change, and says in words what came between it and its apply."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from crossfade.core.errors import NotAllowed, Stale
from crossfade.core.model.brief import Brief

from ...e2e.museum import NOON, Museum, SetClock, agreed, brief, drafted, launched, opened

KEY = "guide-first"
FEW = "{ 1: 20, 7: 90, 14: 150, 28: 250 }"
"""An accrual curve that no experiment has the units to run on."""


@pytest.fixture
def museum(tmp_path: Path) -> Museum:
    return opened(tmp_path)


def close(file: Path, start: str, end: str) -> None:
    """Add a blackout of the gallery to a catalogue."""
    blackout = f"    blackouts: [{{ start: {start}, end: {end}, why: The spring fair }}]\n"
    file.write_text(file.read_text().replace("    max_live: 6\n", f"    max_live: 6\n{blackout}"))


def test_a_resume_counts_its_days_from_the_launch(museum: Museum) -> None:
    """Fourteen days from 2 March end on the 15th, on whatever day it is resumed."""
    close(museum.own_catalogue(), "2026-03-17", "2026-03-20")
    clock = SetClock()
    app = museum.app(clock)
    launched(app)
    clock.at += timedelta(days=7)
    app.apply_plan(agreed(app, KEY, "pause"))
    assert app.apply_plan(agreed(app, KEY, "resume")).status == "applied"


def test_a_resume_in_a_blackout_waits_for_its_end_and_offers_no_fix_that_cannot_be_applied(museum: Museum) -> None:
    file, clock = museum.own_catalogue(), SetClock()
    app = museum.app(clock)
    launched(app)
    app.apply_plan(agreed(app, KEY, "pause"))
    close(file, "2026-03-04", "2026-03-06")
    app = museum.app(clock)
    clock.at = NOON + timedelta(days=3)
    plan = app.plan_change(KEY, "resume")
    assert [(finding.code, finding.fixes) for finding in plan.findings] == [("blackout.window", None)]
    assert plan.next == f'a person decides: plan_change(key="{KEY}", change="resume", ask=["blackout.window"])'
    clock.at = NOON + timedelta(days=5)
    assert app.plan_change(KEY, "resume").ready


def test_a_resume_long_after_the_planned_end_asks_about_that_day_alone(museum: Museum) -> None:
    close(museum.own_catalogue(), "2026-04-17", "2026-04-20")
    clock = SetClock()
    app = museum.app(clock)
    launched(app)
    app.apply_plan(agreed(app, KEY, "pause"))
    clock.at = NOON + timedelta(days=45)
    assert app.plan_change(KEY, "resume").ready
    clock.at = NOON + timedelta(days=46)
    assert not app.plan_change(KEY, "resume").ready


def test_a_resume_is_not_held_to_the_power_that_a_launch_needs(museum: Museum) -> None:
    file, app = museum.own_catalogue(), museum.app(SetClock())
    launched(app)
    app.apply_plan(agreed(app, KEY, "pause"))
    file.write_text(file.read_text().replace("{ 1: 200000, 7: 900000, 14: 1500000, 28: 2500000 }", FEW))
    edited = museum.app(SetClock())
    assert edited.plan_change(KEY, "resume").ready
    assert not edited.create_experiment(Brief.read(brief("second"))).ready


def test_a_resume_is_held_to_what_it_delivers(museum: Museum) -> None:
    """With `country` gone from the catalogue, a rule without it would let everybody in."""
    file, app = museum.own_catalogue(), museum.app(SetClock())
    launched(app, audience={"country": "NL"}, allocation=1.0, duration_days=28)
    app.apply_plan(agreed(app, KEY, "pause"))
    file.write_text(file.read_text().replace("  country:\n", "  home_country:\n"))
    plan = museum.app(SetClock()).plan_change(KEY, "resume")
    assert [finding.code for finding in plan.findings] == ["audience.attributes_known"]


def test_test_units_need_no_power_and_a_launch_does(museum: Museum) -> None:
    app = museum.app(SetClock())
    drafted(app)
    app.update_experiment(KEY, 1, [], {"allocation": 0.001})
    assert not app.plan_change(KEY, "launch").ready
    assert app.preview(KEY, "guide", ["visitor-7"], "curator").status == "applied"


def test_test_units_are_refused_while_their_variant_cannot_be_delivered(museum: Museum) -> None:
    app = museum.app(SetClock())
    drafted(app)
    app.update_experiment(KEY, 1, [], {"variants": {"guide": {"parameters": {"guide_first": "maybe"}}}})
    with pytest.raises(NotAllowed, match=r"payload\.schema"):
        app.preview(KEY, "guide", ["visitor-7"], "curator")


def test_a_plan_that_a_preview_has_overtaken_says_so_in_words(museum: Museum) -> None:
    app = museum.app(SetClock())
    drafted(app)
    digest = agreed(app, KEY, "launch")
    app.preview(KEY, "guide", ["visitor-7"], "curator")
    with pytest.raises(Stale) as stale:
        app.apply_plan(digest)
    assert stale.value.message == f"Since the plan was made, a preview of {KEY} was applied. Nothing was applied."
