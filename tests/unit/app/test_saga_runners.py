"""One process at a time carries an operation on; who has lost it can write nothing more."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from crossfade.adapters.store.store import SqlStore
from crossfade.core.app import applying, saga
from crossfade.core.app.stopping import stop_now
from crossfade.core.documents import JsonObject
from crossfade.core.errors import Conflict
from crossfade.core.ports.store import Reader, Writer

from .test_saga import LEASE, NOON, FakeClock, Verdict, World, store, world

__all__ = ["store", "world"]


def test_a_runner_that_lost_its_lease_cannot_write_the_journal(world: World) -> None:
    sleeper = world.begin("launch")
    world.clock.at += LEASE + timedelta(seconds=1)
    taken = saga.claim(world.deps("second"), sleeper.id)
    assert taken is not None
    with pytest.raises(Conflict):
        saga.advance(world.deps(), sleeper)
    assert world.journal(sleeper) == taken
    assert saga.run(world.deps("second"), taken).status == "applied"
    assert (world.state, world.placed) == ("running", world.there)
    with pytest.raises(Conflict):
        saga.run(world.deps(), sleeper)
    assert (world.state, world.placed) == ("running", world.there)


def test_a_runner_that_was_overtaken_tells_the_end_that_the_other_reached(world: World) -> None:
    world.change("launch")

    def overtake(after: JsonObject | None) -> Verdict:
        world.flags.judge = lambda after: None
        world.clock.at += LEASE + timedelta(seconds=1)
        assert [each.status for each in applying.resume_abandoned(world.deps("second"))] == ["applied"]
        return None

    world.flags.judge = overtake
    answer = stop_now(world.deps(), world.key)
    assert (answer.status, answer.state) == ("applied", "stopped")


def test_nobody_takes_an_operation_over_before_its_lease_has_run_out(world: World) -> None:
    begun = world.begin("launch")
    world.clock.at += LEASE - timedelta(milliseconds=1)
    assert saga.claim(world.deps("second"), begun.id) is None
    world.clock.at += timedelta(milliseconds=1)
    assert saga.claim(world.deps("second"), begun.id) is not None


def test_an_operation_that_was_left_before_the_clock_was_set_back_is_taken_over_at_once(world: World) -> None:
    begun = world.begin("launch")
    world.clock.at -= timedelta(days=1)
    assert begun.id in [each.id for each in applying.resume_abandoned(world.deps("second"))]
    assert (world.state, world.placed) == ("running", world.there)
    assert world.again(begun, "third").status == "applied"
    assert world.clock.slept == []


def test_a_sweep_leaves_what_another_process_is_at_work_on(world: World) -> None:
    begun = world.begin("launch")
    assert begun.id not in [each.id for each in applying.resume_abandoned(world.deps("second"))]
    assert world.journal(begun) == begun


def test_each_step_renews_the_lease(world: World) -> None:
    begun = world.begin("launch")
    world.clock.at += timedelta(seconds=10)
    advanced = saga.advance(world.deps(), begun)
    world.clock.at += timedelta(seconds=10)
    assert saga.claim(world.deps("second"), begun.id) is None
    assert advanced.lease_until == NOON + timedelta(seconds=10) + LEASE


def test_the_process_that_failed_to_write_its_journal_goes_on_without_waiting(world: World) -> None:
    begun = world.begin("launch")
    assert world.again(begun, "first").status == "applied"
    assert world.clock.slept == []


def test_a_call_that_finds_another_process_at_work_waits_for_it(world: World) -> None:
    begun = world.begin("launch")
    answer = world.again(begun)
    assert answer.status == "applied"
    assert world.clock.at >= NOON + LEASE


def test_two_calls_for_one_digest_in_one_process_get_one_answer(world: World) -> None:
    deps = world.deps()
    entered, leave = threading.Event(), threading.Event()
    answers: list[str] = []

    def slow(_: JsonObject | None) -> Verdict:
        world.texts.judge = lambda after: None
        entered.set()
        leave.wait(10)
        return None

    world.texts.judge = slow
    begun = world.begin("launch", deps)
    first = threading.Thread(target=lambda: answers.append(saga.run(deps, begun).status))
    first.start()
    assert entered.wait(10)
    assert saga.claim(deps, begun.id) is None
    leave.set()
    first.join(10)
    assert answers == ["applied"]
    assert applying.apply(deps, begun.handle).status == "applied"
    assert world.flags.written == [{"rule": "launch"}]


def test_a_launch_whose_plan_expired_before_traffic_opened_is_undone(world: World) -> None:
    begun = saga.advance(world.deps(), world.begin("launch"))
    assert begun.opened
    world.clock.at += timedelta(days=2)
    assert world.again(begun).status == "applied"

    other = World(world.store)
    begun = other.begin("launch")
    other.clock.at += timedelta(days=2)
    answer = other.again(begun)
    assert (answer.status, answer.reason) == ("undone", "the plan expired before traffic opened")
    assert (other.state, other.held, other.there, other.placed) == ("draft", [], {}, {})


def test_one_operation_that_cannot_go_on_does_not_hold_up_the_others(world: World) -> None:
    other = World(world.store, clock=world.clock, texts=world.texts, flags=world.flags)
    mine = world.begin("launch")
    world.clock.at += timedelta(seconds=1)
    theirs = other.begin("launch")
    world.clock.at += LEASE * 2

    def overtaken(_: JsonObject | None) -> Verdict:
        world.texts.judge = lambda after: None
        world.clock.at += LEASE * 2
        assert saga.claim(world.deps("third"), mine.id) is not None
        return None

    world.texts.judge = overtaken
    applying.resume_abandoned(world.deps("second"))
    assert other.journal(theirs).status == "applied"


def test_a_runner_that_slept_while_another_undid_its_launch_writes_nothing_when_it_wakes(world: World) -> None:
    sleeper = world.begin("launch")
    world.clock.at += timedelta(days=2)
    assert world.again(sleeper).status == "undone"
    with pytest.raises(Conflict):
        saga.advance(world.deps(), sleeper)
    assert (world.there, world.placed, world.state) == ({}, {}, "draft")


def test_a_runner_that_slept_in_its_write_cannot_bring_back_what_was_stopped_meanwhile(world: World) -> None:
    sleeper = saga.advance(world.deps(), world.begin("launch"))

    def sleep(_: JsonObject | None) -> Verdict:
        world.flags.judge = lambda after: None
        world.clock.at += LEASE + timedelta(seconds=1)
        assert [each.status for each in applying.resume_abandoned(world.deps("second"))] == ["applied"]
        assert stop_now(world.deps("second"), world.key).status == "applied"
        return None

    world.flags.judge = sleep
    with pytest.raises(Conflict):
        saga.advance(world.deps(), sleeper)
    assert (world.there, world.placed, world.state) == ({}, {}, "stopped")


def test_the_fences_of_an_experiment_grow_also_when_its_store_was_lost_and_made_anew(world: World) -> None:
    launch, pause = world.change("launch"), world.change("pause")
    assert launch.fence < pause.fence
    world.clock.at += timedelta(minutes=1)
    assert pause.fence < World(world.store, clock=world.clock).begin("launch").fence


def test_a_call_that_waits_for_another_process_only_reads_until_the_lease_is_over(world: World) -> None:
    begun = world.begin("launch")
    writing = WritingTimes(world.store, world.clock)
    assert applying.apply(replace(world.deps("second"), store=writing), begun.handle).status == "applied"
    assert writing.times
    assert min(writing.times) >= NOON + LEASE


class WritingTimes:
    """A store that remembers when it was written to."""

    def __init__(self, inner: SqlStore, clock: FakeClock) -> None:
        self._inner = inner
        self._clock = clock
        self.times: list[datetime] = []

    def read(self) -> AbstractContextManager[Reader]:
        return self._inner.read()

    def write(self) -> AbstractContextManager[Writer]:
        self.times.append(self._clock.at)
        return self._inner.write()


def test_a_listener_that_is_gone_does_not_stop_the_launch(world: World) -> None:
    lost: list[str] = []

    def hung_up(done: int, of: int, direction: str) -> None:
        raise BrokenPipeError

    def note(event: str, fields: JsonObject) -> None:
        lost.append(f"{event} {fields['error']}")

    deps = replace(world.deps(), log=note)
    assert saga.run(deps, world.begin("launch"), saga.Caller(hung_up)).status == "applied"
    assert (world.state, world.placed) == ("running", world.there)
    assert lost == ["progress_lost BrokenPipeError"] * 2


def test_who_applies_is_told_once_that_the_journal_has_it_and_before_anything_is_written(world: World) -> None:
    told: list[tuple[str, int, int, object]] = []

    def accepted(operation: str, done: int, of: int) -> None:
        told.append((operation, done, of, dict(world.there)))

    begun = world.begin("launch")
    assert saga.run(world.deps(), begun, saga.Caller(accepted=accepted)).status == "applied"
    assert told == [(begun.id, 0, 2, {})]


def test_who_applies_again_is_told_at_once_of_the_operation_that_another_process_holds(world: World) -> None:
    begun, told = world.begin("launch"), list[tuple[str, datetime]]()
    caller = saga.Caller(accepted=lambda operation, done, of: told.append((operation, world.clock.at)))
    assert applying.apply(world.deps("second"), begun.handle, caller).status == "applied"
    assert told == [(begun.id, NOON)]
    assert world.clock.at >= NOON + LEASE
