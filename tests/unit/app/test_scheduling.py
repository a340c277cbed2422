"""A launch planned early holds its buckets and opens on its day, as agreed or not at all; an end comes unasked."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from crossfade.core.app.crossfade import Crossfade
from crossfade.core.errors import BackendFailed, Stale
from crossfade.core.model.answers import Applied
from crossfade.core.model.experiment import Change

from ...e2e.museum import NOON, Museum, SetClock, agreed, drafted, launched, swept

KEY = "guide-first"
DAY = timedelta(days=1)
START = datetime(2026, 3, 9, tzinfo=UTC)
LATER: dict[str, Any] = {"start": "2026-03-09"}


@pytest.fixture
def museum(tmp_path: Path) -> Museum:
    return swept(tmp_path)


def tick(app: Crossfade) -> list[str]:
    return [str(each) for each in app.tick("test", 60).carried]


def applied(app: Crossfade, change: Change) -> Applied:
    answer = app.apply_plan(agreed(app, KEY, change))
    assert answer.status == "applied", answer.reason
    return answer


def scheduled(app: Crossfade, **more: Any) -> None:
    drafted(app, **{**LATER, **more})
    assert applied(app, "launch").state == "scheduled"


def is_served(museum: Museum) -> bool:
    return museum.flags.exists() and f'"key":"{KEY}"' in museum.flags.read_text().replace(" ", "")


def test_a_launch_before_its_day_takes_the_buckets_and_lets_nobody_in(museum: Museum) -> None:
    app = museum.app(SetClock())
    scheduled(app)
    shown = app.get_experiment(KEY)
    assert (shown.state, shown.buckets, shown.delivered) == ("scheduled", ["0-2999"], None)
    assert shown.due == ["2026-03-09 00:00 UTC start"]
    assert shown.next == f'plan_change(key="{KEY}", change="pause") or plan_change(key="{KEY}", change="stop")'
    assert not is_served(museum)
    with app.dependencies.store.read() as view:
        [held] = view.held("open/gallery/content")
    assert held.until == date(2026, 3, 23)


def test_who_says_yes_is_told_the_day(museum: Museum) -> None:
    app = museum.app(SetClock())
    drafted(app, **LATER, more={"schedule": {"end": "2026-03-29"}})
    plan = app.plan_change(KEY, "launch")
    assert plan.digest is not None
    question = app.question(plan.digest) or ""
    assert "opens on 2026-03-09, 00:00 UTC, unasked; until then the buckets are held" in question
    assert "stops at the end of 2026-03-29, UTC, unasked" in question


def test_traffic_opens_on_the_day_and_not_a_second_before(museum: Museum) -> None:
    clock = SetClock()
    app = museum.app(clock)
    scheduled(app)
    clock.at = START - timedelta(seconds=1)
    assert (tick(app), is_served(museum)) == ([], False)
    clock.at = START
    assert tick(app) == ["done: guide-first, 2026-03-09 00:00 UTC start: opened"]
    shown = app.get_experiment(KEY)
    assert (shown.state, shown.due, is_served(museum)) == ("running", None, True)
    with app.dependencies.store.read() as view:
        record, operation = view.experiment(KEY), view.last_operation(KEY)
    assert record is not None
    assert operation is not None
    assert (record.started, record.launches) == (START, 1)
    assert (operation.by, operation.assurance) == ("curator", "terminal")
    assert json.loads(museum.flags.read_text())["features"]["gallery.guide_first"]["rules"][0]["seed"] == f"{KEY}/1"


def test_who_was_down_on_the_day_opens_late_and_ramps_from_then_on(museum: Museum) -> None:
    clock = SetClock()
    app = museum.app(clock)
    scheduled(app, more={"ramp": [{"coverage": 0.1, "days": 2}]})
    clock.at = START + 3 * DAY
    assert len(tick(app)) == 1
    shown = app.get_experiment(KEY)
    assert (shown.stage, shown.due) == ("stage 1 of 2, 10 % of the allocation", ["2026-03-14 00:00 UTC stage 2"])
    clock.at = START + 5 * DAY
    assert len(tick(app)) == 1
    assert app.get_experiment(KEY).stage is None


def test_what_has_changed_since_the_yes_keeps_it_scheduled_and_a_new_yes_opens_it(museum: Museum) -> None:
    file, clock = museum.own_catalogue(), SetClock()
    scheduled(museum.app(clock))
    file.write_text(file.read_text().replace("The rooms as the app", "Rooms as the app"))
    app = museum.app(clock)
    clock.at = START
    [waits] = app.tick("test", 60).carried
    assert waits.detail == (
        "Since the yes this has changed: catalogue surface gallery. It stays scheduled. "
        f'plan_change(key="{KEY}", change="launch") asks for a new yes'
    )
    shown = app.get_experiment(KEY)
    assert (shown.state, is_served(museum)) == ("scheduled", False)
    assert shown.next.startswith(f'plan_change(key="{KEY}", change="launch") or ')
    assert applied(app, "launch").state == "running"
    assert is_served(museum)
    assert app.get_experiment(KEY).due is None


def test_what_blocks_on_the_day_keeps_it_scheduled(museum: Museum) -> None:
    file, clock = museum.own_catalogue(), SetClock()
    scheduled(museum.app(clock))
    blackout = "    blackouts: [{ start: 2026-03-12, end: 2026-03-13, why: A fair }]\n"
    file.write_text(file.read_text().replace("    max_live: 6\n", f"    max_live: 6\n{blackout}"))
    clock.at = START
    [waits] = museum.app(clock).tick("test", 60).carried
    assert waits.detail.startswith("These block it now: blackout.window. It stays scheduled.")


def test_a_catalogue_that_is_broken_on_the_day_delays_it(museum: Museum) -> None:
    file, clock = museum.own_catalogue(), SetClock()
    scheduled(museum.app(clock))
    whole = file.read_text()
    file.write_text("surfaces: [")
    clock.at = START
    [waits] = museum.app(clock).tick("test", 60).carried
    assert not waits.done
    file.write_text(whole)
    clock.at += DAY
    assert museum.app(clock).tick("test", 60).carried[0].done
    assert is_served(museum)


def test_a_start_that_fails_is_undone_and_tried_again(museum: Museum, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SetClock()
    app = museum.app(clock)
    scheduled(app)
    clock.at = START

    def full(*_: object, **__: object) -> None:
        raise BackendFailed("The disk is full.")

    with monkeypatch.context() as broken:
        broken.setattr(app.dependencies.backends["growthbook_file"], "write", full)
        [waits] = app.tick("test", 60).carried
    assert waits.detail == "It was undone: flags: The disk is full."
    shown = app.get_experiment(KEY)
    assert (shown.state, shown.buckets, shown.delivered) == ("scheduled", ["0-2999"], None)
    clock.at += timedelta(minutes=1)
    assert len(tick(app)) == 1
    assert app.get_experiment(KEY).state == "running"


def test_what_is_scheduled_can_be_stopped_and_gives_its_buckets_back(museum: Museum) -> None:
    clock = SetClock()
    app = museum.app(clock)
    scheduled(app)
    assert app.stop(KEY).state == "stopped"
    clock.at = START
    assert tick(app) == []
    assert app.get_experiment(KEY).buckets is None


def test_what_is_scheduled_can_be_paused_and_resumed_before_its_day_and_after_it(museum: Museum) -> None:
    clock = SetClock()
    app = museum.app(clock)
    scheduled(app)
    assert applied(app, "pause").state == "paused"
    assert app.get_experiment(KEY).due is None
    assert applied(app, "resume").state == "scheduled"
    assert app.get_experiment(KEY).due == ["2026-03-09 00:00 UTC start"]
    applied(app, "pause")
    clock.at = START + DAY
    assert tick(app) == []
    assert applied(app, "resume").state == "running"
    assert is_served(museum)


def test_an_end_stops_what_runs_after_its_last_day_and_needs_nobody(museum: Museum) -> None:
    clock = SetClock()
    app = museum.app(clock)
    launched(app, more={"schedule": {"end": "2026-03-28"}})
    assert app.get_experiment(KEY).due == ["2026-03-29 00:00 UTC end"]
    clock.at = datetime(2026, 3, 28, 23, 59, 59, tzinfo=UTC)
    assert tick(app) == []
    clock.at += timedelta(seconds=1)  # the day on which clocks go forward in Europe
    assert tick(app) == ["done: guide-first, 2026-03-29 00:00 UTC end: stopped"]
    shown = app.get_experiment(KEY)
    assert (shown.state, shown.due, is_served(museum)) == ("stopped", None, False)


@pytest.mark.parametrize("pausing", [True, False])
def test_an_end_comes_before_all_else_that_is_due_and_in_a_pause_too(museum: Museum, *, pausing: bool) -> None:
    clock = SetClock()
    app = museum.app(clock)
    launched(app, more={"schedule": {"end": "2026-03-28"}, "ramp": [{"coverage": 0.1, "days": 2}]})
    if pausing:
        applied(app, "pause")
    clock.at = NOON + 60 * DAY
    assert len(tick(app)) == 1
    assert app.get_experiment(KEY).state == "stopped"


def test_an_end_on_a_leap_day_is_the_whole_of_it(museum: Museum) -> None:
    clock = SetClock(datetime(2028, 2, 14, 8, tzinfo=UTC))
    app = museum.app(clock)
    launched(app, more={"schedule": {"end": "2028-02-29"}})
    assert app.get_experiment(KEY).due == ["2028-03-01 00:00 UTC end"]


def test_a_plan_made_before_the_day_is_not_applied_on_it(museum: Museum) -> None:
    clock = SetClock(START - timedelta(hours=1))
    app = museum.app(clock)
    drafted(app, **LATER)
    digest = agreed(app, KEY, "launch")
    clock.at = START
    with pytest.raises(Stale, match="opens"):
        app.apply_plan(digest)
