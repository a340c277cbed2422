"""A process killed between any two steps of a change leaves something that the next process finishes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import anyio
import anyio.from_thread
import pytest

from crossfade.core.app.crossfade import Crossfade
from crossfade.core.app.services import Services
from crossfade.core.model.experiment import Change
from crossfade.server import serving

from .killing import Life, Nursery
from .ledger import Ledger
from .lines import RawServer
from .museum import NOON, Museum, SetClock, agreed, drafted, launched, opened

LATER = NOON + timedelta(minutes=1)
"""The lease of a process that died at noon has run out."""
NEXT_WEEK = NOON + timedelta(days=7)

JOURNAL = ["before journal", "uncommitted journal", "after journal"]
TEXTS = ["before gallery", "after gallery"]
FLAGS = ["before payload", "after payload"]
EVENTS: dict[Change, list[str]] = {
    "launch": [*JOURNAL, *TEXTS, *JOURNAL, *FLAGS, *JOURNAL],
    "pause": [*JOURNAL, *FLAGS, *JOURNAL],
    "resume": [*JOURNAL, *TEXTS, *JOURNAL, *FLAGS, *JOURNAL],
    "stop": [*JOURNAL, *FLAGS, *JOURNAL, *TEXTS, *JOURNAL],
}
REFUSED_LAUNCH = [*JOURNAL, *TEXTS, *JOURNAL, "before payload", *JOURNAL, *FLAGS, *JOURNAL, *TEXTS, *JOURNAL]
"""The flags take nothing: the launch turns round, and undoes the refused write as well."""
END: dict[Change, str] = {"launch": "running", "pause": "paused", "resume": "running", "stop": "stopped"}
POINTS = [(change, point) for change, events in EVENTS.items() for point in range(1, len(events) + 1)]
AFTER_EACH = [at for at, event in enumerate(EVENTS["launch"], start=1) if event.startswith("after")]
"""Where a launch is killed just after it has written something."""


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    nursery = Nursery()
    yield nursery
    nursery.close()


@pytest.fixture
def museum(tmp_path: Path) -> Museum:
    return opened(tmp_path)


def ready_for(app: Crossfade, change: Change) -> str:
    """An agreed plan of the change, on an experiment that has come as far as it needs; gives back its digest."""
    drafted(app) if change == "launch" else launched(app)
    if change == "resume":
        app.apply_plan(agreed(app, "guide-first", "pause"))
    return agreed(app, "guide-first", change)


def live(nursery: Nursery, museum: Museum, act: str, at: object = NOON, **more: object) -> Life:
    now = LATER if at is LATER else NEXT_WEEK if at is NEXT_WEEK else NOON
    return nursery.live(act, museum.home, museum.catalogue, now, **more)


@pytest.mark.parametrize("change", EVENTS)
def test_the_points_are_all_that_happens_in_a_change(nursery: Nursery, museum: Museum, change: Change) -> None:
    digest = ready_for(museum.app(SetClock()), change)
    assert live(nursery, museum, "apply", digest=digest).events == EVENTS[change]


@pytest.mark.parametrize(("change", "point"), POINTS, ids=str)
def test_a_kill_at_any_point_is_finished_by_the_next_process(
    nursery: Nursery, museum: Museum, change: Change, point: int
) -> None:
    digest = ready_for(museum.app(SetClock()), change)
    dead = live(nursery, museum, "apply", digest=digest, die_at=point)
    assert dead.killed
    assert dead.events == EVENTS[change][:point]

    live(nursery, museum, "resume", LATER)
    assert Ledger(museum).faults() == []
    answer = live(nursery, museum, "apply", LATER, digest=digest).answer
    assert (answer["status"], answer["state"]) == ("applied", END[change])
    ledger = Ledger(museum)
    assert ledger.faults() == []
    assert ledger.state == END[change]
    assert ledger.audit.count("operation_applied") == len(ledger.operations)


@pytest.mark.parametrize("point", AFTER_EACH)
def test_a_repeated_apply_finishes_a_killed_launch_without_a_sweep(
    nursery: Nursery, museum: Museum, point: int
) -> None:
    digest = ready_for(museum.app(SetClock()), "launch")
    live(nursery, museum, "apply", digest=digest, die_at=point)
    answer = live(nursery, museum, "apply", LATER, digest=digest).answer
    assert (answer["status"], answer["state"]) == ("applied", "running")
    assert Ledger(museum).faults() == []


@pytest.mark.parametrize("point", AFTER_EACH[:3])
def test_kills_at_every_point_of_the_recovery_change_nothing_about_its_end(
    nursery: Nursery, museum: Museum, point: int
) -> None:
    digest = ready_for(museum.app(SetClock()), "launch")
    live(nursery, museum, "apply", digest=digest, die_at=point)
    clock, again = LATER, 0
    while True:
        again += 1
        life = nursery.live("resume", museum.home, museum.catalogue, clock, die_at=again)
        if not life.killed:
            break
        clock += timedelta(minutes=1)
    ledger = Ledger(museum)
    assert ledger.faults() == []
    assert ledger.state == "running"


@pytest.mark.parametrize("point", range(1, len(REFUSED_LAUNCH) + 1))
def test_a_kill_while_a_launch_is_undone_ends_in_a_draft_without_a_trace(
    nursery: Nursery, museum: Museum, point: int
) -> None:
    digest = ready_for(museum.app(SetClock()), "launch")
    dead = live(nursery, museum, "apply", digest=digest, die_at=point, refused=["payload"])
    assert dead.events == REFUSED_LAUNCH[:point]
    answer = live(nursery, museum, "apply", LATER, digest=digest, refused=["payload"]).answer
    assert (answer["status"], answer["state"]) == ("undone", "draft")
    ledger = Ledger(museum)
    assert ledger.faults() == []
    assert ledger.state == "draft"
    assert ledger.placements == []


@pytest.mark.parametrize("point", AFTER_EACH)
def test_a_launch_found_after_its_plan_expired_is_undone_unless_traffic_may_have_opened(
    nursery: Nursery, museum: Museum, point: int
) -> None:
    digest = ready_for(museum.app(SetClock()), "launch")
    live(nursery, museum, "apply", digest=digest, die_at=point)
    intended = 2 * len(JOURNAL) + len(TEXTS)
    live(nursery, museum, "resume", NEXT_WEEK)
    ledger = Ledger(museum)
    assert ledger.faults() == []
    assert ledger.state == ("draft" if point < intended else "running")


@pytest.mark.parametrize("point", [1, *AFTER_EACH])
def test_a_stop_takes_out_whatever_a_killed_launch_has_left(nursery: Nursery, museum: Museum, point: int) -> None:
    digest = ready_for(museum.app(SetClock()), "launch")
    live(nursery, museum, "apply", digest=digest, die_at=point)
    answer = live(nursery, museum, "stop", LATER, key="guide-first").answer
    ledger = Ledger(museum)
    assert ledger.faults() == []
    assert ledger.flag_rules == []
    assert ledger.held == []
    assert answer is not None
    assert ledger.state == ("stopped" if ledger.operations else "draft")


@pytest.mark.parametrize("point", [3, 6, 9, 11, 14])
def test_a_preview_that_was_killed_is_made_by_the_same_command(nursery: Nursery, museum: Museum, point: int) -> None:
    drafted(museum.app(SetClock()))
    asked = {"key": "guide-first", "variant": "guide", "units": ["visitor-7"]}
    assert live(nursery, museum, "preview", die_at=point, **asked).killed
    live(nursery, museum, "resume", LATER)
    assert live(nursery, museum, "preview", LATER, **asked).answer["status"] == "applied"
    ledger = Ledger(museum)
    assert ledger.faults() == []
    assert [rule["id"] for rule in ledger.flag_rules] == ["guide-first:preview:guide", "guide-first"]
    assert (
        live(nursery, museum, "preview", LATER, key="guide-first", variant=None, units=[]).answer["status"] == "applied"
    )
    assert (Ledger(museum).faults(), Ledger(museum).flag_rules) == ([], [])


@pytest.mark.parametrize("point", [1, 3, 6])
def test_a_preview_that_was_killed_before_it_began_leaves_no_test_units_to_a_launch(
    nursery: Nursery, museum: Museum, point: int
) -> None:
    app = museum.app(SetClock())
    drafted(app)
    asked = {"key": "guide-first", "variant": "guide", "units": ["visitor-7"]}
    assert live(nursery, museum, "preview", die_at=point, **asked).killed
    assert app.apply_plan(agreed(app, "guide-first", "launch")).status == "applied"
    ledger = Ledger(museum)
    assert ledger.faults() == []
    assert [rule["id"] for rule in ledger.flag_rules] == ["guide-first"]


def test_a_running_server_finishes_an_abandoned_launch_without_being_called(nursery: Nursery, museum: Museum) -> None:
    museum.lease = 0.3
    digest = ready_for(museum.app(SetClock()), "launch")
    live(nursery, museum, "apply", digest=digest, die_at=5)
    assert Ledger(museum).state == "scheduled"
    server = RawServer(museum)
    assert server.logged("operation_swept")["status"] in ("applied", "undone")
    assert server.close() == 0
    ledger = Ledger(museum)
    assert ledger.faults() == []
    assert ledger.state in ("running", "draft")


async def test_a_sweep_that_breaks_is_tried_again_and_does_not_end_the_server(
    museum: Museum, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "SETTLE", 0.0)
    museum.lease = 0.001
    tried_again = anyio.Event()
    tries: list[int] = []

    def broken() -> Crossfade:
        tries.append(1)
        if len(tries) == 2:
            anyio.from_thread.run_sync(tried_again.set)
        raise RuntimeError("a fault of ours")

    async with serving.sweeping(Services(broken), museum.settings):
        with anyio.fail_after(10):
            await tried_again.wait()
