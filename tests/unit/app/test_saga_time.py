"""Each step knows where its time went, waits as long as it is asked to, and turns back when it is cancelled."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crossfade.core.app import saga
from crossfade.core.app.operations import operation_document, told_time
from crossfade.core.app.saga.advancing import BACKOFF
from crossfade.core.documents import JsonObject
from crossfade.core.errors import BackendFailed, NotFound

from .test_saga import LEASE, NOON, FakeBackend, Verdict, World, store, world

__all__ = ["store", "world"]


def slow(world: World, backend: FakeBackend, seconds: float) -> None:
    """Every write takes so long."""

    def take(_: JsonObject | None) -> Verdict:
        world.clock.at += timedelta(seconds=seconds)
        return None

    backend.judge = take


def asks_for(backend: FakeBackend, *pauses: float | None) -> None:
    """One failure a pause, each with the time it asks for; then writes are taken."""
    left = iter([BackendFailed("Too many.", retryable=True, retry_after=pause) for pause in pauses])
    backend.judge = lambda after: next(left, None)


def test_a_slow_backend_is_seen_in_the_step_that_waited_for_it(world: World) -> None:
    slow(world, world.texts, 3)
    slow(world, world.flags, 7)
    texts, flags = world.journal(world.change("launch")).steps
    assert (texts.backend, flags.backend) == (3, 7)
    assert texts.queue == flags.queue == texts.own == flags.own == 0


def test_a_process_that_died_is_seen_as_a_wait(world: World) -> None:
    begun = world.begin("launch")
    world.clock.at += LEASE * 2
    world.again(begun)
    assert world.journal(begun).steps[0].queue == (LEASE * 2).total_seconds()


def test_pauses_between_attempts_are_waits(world: World) -> None:
    asks_for(world.texts, None, None)
    ended = world.journal(world.change("launch"))
    assert ended.steps[0].queue == sum(BACKOFF)
    assert ended.seconds == sum(BACKOFF)


def test_a_clock_that_is_set_back_takes_no_time_away(world: World) -> None:
    begun = world.begin("launch")
    world.clock.at -= timedelta(days=1)
    ended = saga.run(world.deps(), begun)
    assert [each.seconds for each in world.journal(ended).steps] == [0, 0]


def test_a_backend_that_asks_to_be_left_alone_is_left_alone_that_long(world: World) -> None:
    asks_for(world.texts, 4.0, 0.1)
    assert world.change("launch").status == "applied"
    assert world.clock.slept == [4.0, BACKOFF[1]]


def test_who_would_have_to_wait_for_half_a_lease_turns_back(world: World) -> None:
    asks_for(world.texts, LEASE.total_seconds())
    ended = world.change("launch")
    assert (ended.status, world.clock.slept, world.there) == ("undone", [], {})


def test_a_launch_that_nobody_wants_any_more_is_undone_before_traffic_opens(world: World) -> None:
    told: list[tuple[int, int, str]] = []
    caller = saga.Caller(lambda done, of, direction: told.append((done, of, direction)), lambda: bool(told))
    ended = saga.run(world.deps(), world.begin("launch"), caller)
    assert (ended.status, ended.reason) == ("undone", "the call was cancelled before traffic opened")
    assert (world.there, world.placed, world.state, world.held) == ({}, {}, "draft", [])
    assert world.flags.written == [None]  # its intent was declared, so it is taken out though it was never written
    assert told[-1][2] == "undo"


def test_a_stop_goes_on_though_its_caller_is_gone(world: World) -> None:
    world.change("launch")
    ended = saga.run(world.deps(), world.begin("stop"), saga.Caller(cancelled=lambda: True))
    assert (ended.status, world.there, world.state) == ("applied", {}, "stopped")


def test_the_time_of_an_operation_is_told_by_its_slowest_step(world: World) -> None:
    slow(world, world.flags, 7)
    world.clock.at += timedelta(minutes=5)
    ended = world.change("launch")
    with world.store.read() as view:
        record = view.experiment(world.key)
    assert record is not None
    assert (
        told_time(record, ended)
        == "7 s; slowest flags/only: 7 s, most of it in the backend; 5 min from draft to running"
    )
    assert told_time(record, world.begin("pause")) == "begun 2026-03-02T12:05:07+00:00, not ended"


def test_an_operation_is_told_step_by_step(world: World) -> None:
    slow(world, world.texts, 0.25)
    ended = world.change("launch")
    document = operation_document(world.deps(), ended.id)
    assert (document["status"], document["started"]) == ("applied", NOON.isoformat().replace("+00:00", "Z"))
    assert document["steps"] == [
        {
            "action": "put",
            "target": "texts/only",
            "status": "done",
            "attempts": 0,
            "at": "2026-03-02T12:00:00.250000Z",
            "seconds": {"queue": 0.0, "backend": 0.25, "own": 0.0},
        },
        {
            "action": "put",
            "target": "flags/only",
            "opens_traffic": True,
            "status": "done",
            "attempts": 0,
            "at": "2026-03-02T12:00:00.250000Z",
            "seconds": {"queue": 0.0, "backend": 0.0, "own": 0.0},
        },
    ]
    with pytest.raises(NotFound):
        operation_document(world.deps(), "o-none")
