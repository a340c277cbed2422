"""What is due is carried out on the yes that was given for it, once, and late rather than never."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from crossfade.core.app.crossfade import Crossfade
from crossfade.core.app.ticking import Carried
from crossfade.core.errors import BackendFailed
from crossfade.core.model.plan import AuditEvent, Operation

from ...e2e.museum import NOON, Museum, SetClock, agreed, launched, swept

KEY = "guide-first"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
STAGED: dict[str, Any] = {"more": {"ramp": [{"coverage": 0.05, "hours": 24}, {"coverage": 0.25, "days": 2}]}}


@pytest.fixture
def museum(tmp_path: Path) -> Museum:
    return swept(tmp_path)


def tick(app: Crossfade) -> list[str]:
    return [str(each) for each in app.tick("test", 60).carried]


def coverage(museum: Museum) -> float:
    payload: dict[str, Any] = json.loads(museum.flags.read_text())
    return payload["features"]["gallery.guide_first"]["rules"][0]["coverage"]


def last(app: Crossfade) -> Operation:
    with app.dependencies.store.read() as view:
        found = view.last_operation(KEY)
    assert found is not None
    return found


def audited(app: Crossfade, what: str) -> list[AuditEvent]:
    with app.dependencies.store.read() as view:
        return [event for event in view.audit_of(KEY, 100) if event.what == what]


def test_each_stage_comes_when_it_is_due_and_not_before(museum: Museum) -> None:
    clock = SetClock()
    app = museum.app(clock)
    launched(app, **STAGED)
    clock.at = NOON + DAY - timedelta(seconds=1)
    assert (tick(app), coverage(museum)) == ([], 0.05)
    clock.at = NOON + DAY
    assert tick(app) == ["done: guide-first, 2026-03-03 12:00 UTC stage 2: stage 2 of 3, 25 % of the allocation"]
    assert coverage(museum) == 0.25
    assert (tick(app), app.get_experiment(KEY).due) == ([], ["2026-03-05 12:00 UTC stage 3"])
    clock.at = NOON + 3 * DAY
    assert tick(app) == ["done: guide-first, 2026-03-05 12:00 UTC stage 3: stage 3 of 3, everybody"]
    assert coverage(museum) == 1
    assert (tick(app), app.get_experiment(KEY).due) == ([], None)


def test_who_was_down_goes_to_the_stage_that_is_due_now_and_says_so(museum: Museum) -> None:
    clock = SetClock()
    app = museum.app(clock)
    launched(app, **STAGED)
    clock.at = NOON + 30 * DAY
    [line] = tick(app)
    assert line.endswith("stage 3 of 3, everybody; nobody was there when stage 2 was due")
    assert (coverage(museum), app.get_experiment(KEY).due) == (1, None)


def test_a_stage_rests_on_the_yes_to_the_launch(museum: Museum) -> None:
    clock = SetClock()
    app = museum.app(clock)
    launched(app, **STAGED)
    launch = last(app)
    clock.at = NOON + DAY
    tick(app)
    ramp = last(app)
    assert (ramp.change, ramp.status) == ("ramp", "applied")
    assert (ramp.by, ramp.assurance) == (launch.by, launch.assurance) == ("curator", "terminal")
    [begun] = audited(app, "due_begun")
    assert (begun.who, begun.after) == (
        "sweeper",
        {"kind": "ramp", "at": "2026-03-03T12:00:00+00:00", "rests_on": launch.handle, "digest": ramp.handle},
    )
    with app.dependencies.store.read() as view:
        assert view.approval(ramp.handle) is None  # nobody was asked again


def test_a_person_who_goes_on_moves_the_stages_that_follow(museum: Museum) -> None:
    clock = SetClock()
    app = museum.app(clock)
    launched(app, **STAGED)
    clock.at = NOON + HOUR
    app.apply_plan(agreed(app, KEY, "ramp"))
    clock.at = NOON + DAY
    assert tick(app) == []
    clock.at = NOON + HOUR + 2 * DAY
    assert len(tick(app)) == 1
    assert coverage(museum) == 1


def test_what_is_paused_or_stopped_does_not_go_on(museum: Museum) -> None:
    clock = SetClock()
    app = museum.app(clock)
    launched(app, **STAGED)
    app.apply_plan(agreed(app, KEY, "pause"))
    clock.at = NOON + 30 * DAY
    assert tick(app) == []
    app.apply_plan(agreed(app, KEY, "stop"))
    assert (tick(app), app.get_experiment(KEY).stage) == ([], None)


def test_what_fails_waits_longer_each_time_and_comes_in_the_end(
    museum: Museum, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SetClock()
    app = museum.app(clock)
    launched(app, **STAGED)
    clock.at = NOON + DAY
    assigner = app.dependencies.backends["growthbook_file"]

    def full(*_: object, **__: object) -> None:
        raise BackendFailed("The disk is full.")

    with monkeypatch.context() as broken:
        broken.setattr(assigner, "write", full)
        [waits] = app.tick("test", 60).carried
        assert (waits.done, waits.detail) == (False, "It was undone: flags: The disk is full.")
        assert tick(app) == []  # not at once again
        clock.at += timedelta(minutes=1)
        assert len(tick(app)) == 1
        clock.at += timedelta(minutes=1)
        assert tick(app) == []  # twice as long now
    clock.at += timedelta(minutes=1)
    assert tick(app)[0].startswith("done")
    assert coverage(museum) == 0.25


def test_a_stage_that_somebody_else_has_made_impossible_says_why_and_what_to_do(museum: Museum) -> None:
    clock = SetClock()
    app = museum.app(clock)
    launched(app, **STAGED)
    museum.flags.write_text(museum.flags.read_text().replace("0.05", "0.06"))
    clock.at = NOON + DAY
    [waits] = app.tick("test", 60).carried
    assert not waits.done
    assert "is not what was delivered" in waits.detail
    assert 'plan_change(key="guide-first", change="pause"), then resume it' in waits.detail
    [failed] = audited(app, "due_failed")
    assert failed.after is not None
    assert failed.after["reason"] == waits.detail
    for hours in (1, 2, 3):
        clock.at = NOON + DAY + hours * HOUR
        assert len(tick(app)) == 1
    assert len(audited(app, "due_failed")) == 1  # told once


def test_what_a_dead_process_left_is_finished_first(museum: Museum) -> None:
    clock = SetClock()
    app = museum.app(clock)
    launched(app, **STAGED)
    clock.at = NOON + DAY

    class Killed(BaseException): ...

    def die(*_: object, **__: object) -> None:
        raise Killed

    dying = museum.app(clock)
    backends = dying.dependencies.backends
    with pytest.MonkeyPatch.context() as broken:
        broken.setattr(backends["growthbook_file"], "write", die)
        with pytest.raises(Killed):
            dying.tick("dying", 60)
    assert tick(app) == []  # its lease still runs
    clock.at += timedelta(minutes=1)
    done = app.tick("test", 60)
    assert [(each.change, each.status) for each in done.finished] == [("ramp", "applied")]
    assert (done.carried, coverage(museum)) == ([], 0.25)


def test_of_many_processes_that_tick_at_once_one_does_it(museum: Museum) -> None:
    clock = SetClock()
    apps = [museum.app(clock) for _ in range(4)]
    launched(apps[0], **STAGED)
    clock.at = NOON + DAY
    done: list[Carried] = []
    ready = threading.Barrier(len(apps))

    def one(app: Crossfade) -> None:
        ready.wait()
        done.extend(app.tick(app.dependencies.runner, 60).carried)

    threads = [threading.Thread(target=one, args=(app,)) for app in apps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 1, [str(each) for each in done]
    assert done[0].done
    assert len(audited(apps[0], "due_begun")) == 1
    assert coverage(museum) == 0.25


@pytest.mark.parametrize(
    ("launched_at", "due"),
    [
        # Berlin, the night in which clocks go forward, and the one in which they go back: a day has 24 hours.
        ("2026-03-28T23:30:00+01:00", "2026-03-29 22:30 UTC stage 2"),
        ("2026-10-24T23:30:00+02:00", "2026-10-25 21:30 UTC stage 2"),
        ("2028-02-28T20:00:00+00:00", "2028-02-29 20:00 UTC stage 2"),
        ("2026-12-31T20:00:00+00:00", "2027-01-01 20:00 UTC stage 2"),
    ],
)
def test_a_stage_of_24_hours_ends_24_hours_later_in_any_time_zone_and_year(
    museum: Museum, launched_at: str, due: str
) -> None:
    at = datetime.fromisoformat(launched_at).astimezone(UTC)
    clock = SetClock(at)
    app = museum.app(clock)
    launched(app, **STAGED)
    shown = app.get_experiment(KEY).due
    assert shown is not None
    assert shown[0] == due
    clock.at = at + DAY - timedelta(seconds=1)
    assert tick(app) == []
    clock.at = at + DAY
    assert len(tick(app)) == 1


def test_a_round_leaves_a_sign_of_life(museum: Museum) -> None:
    clock = SetClock()
    app = museum.app(clock)
    app.tick("cron", 300)
    app = Crossfade(replace(app.dependencies, runner="other"))
    with app.dependencies.store.read() as view:
        signs = {each.name: (each.at, each.every) for each in view.heartbeats()}
    assert signs["cron"] == (NOON, 300)
