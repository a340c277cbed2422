"""What cannot go on waits for a person, and a stop is always a way out."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crossfade.core.app.stopping import stop_now
from crossfade.core.documents import JsonObject
from crossfade.core.errors import BackendFailed, Stale
from crossfade.core.model.experiment import Change
from crossfade.core.model.plan import Operation

from .test_saga import RANGE, Verdict, World, closed, store, world

__all__ = ["store", "world"]


def stuck(world: World, change: Change) -> Operation:
    """A change that opened traffic, failed to notice, and cannot undo since somebody changed its entry."""

    def meddle(after: JsonObject | None) -> Verdict:
        if after is None:
            return None
        world.flags.entries[world.key] = {"rule": "of somebody else"}
        return BackendFailed("The connection was lost.")

    world.flags.judge = meddle
    ended = world.change(change)
    world.flags.judge = lambda after: None
    assert ended.status == "needs_attention"
    return ended


def test_an_undo_that_meets_a_foreign_change_waits_for_a_person_and_says_why(world: World) -> None:
    ended = stuck(world, "launch")
    assert ended.reason == "flags: Somebody else changed the entry."
    assert world.state == "scheduled"
    assert world.held == [RANGE]
    assert world.placed.keys() == world.there.keys() == {"texts", "flags"}


def test_a_stuck_undo_says_which_step_it_could_not_undo(world: World) -> None:
    def meddle(after: JsonObject | None) -> Verdict:
        world.texts.entries[world.key] = {"text": "of somebody else"}
        return closed(after)

    world.flags.judge = meddle
    ended = world.change("launch")
    assert (ended.status, ended.reason) == ("needs_attention", "texts: Somebody else changed the entry.")
    assert [step.status for step in ended.steps] == ["undoing", "undone"]
    assert list(world.placed) == ["texts"]


def test_a_stuck_undo_goes_on_once_a_person_has_mended_the_cause(world: World) -> None:
    ended = stuck(world, "launch")
    assert world.again(ended).status == "needs_attention"
    del world.flags.entries[world.key]
    answer = world.again(ended)
    assert (answer.status, answer.state) == ("undone", "draft")
    assert (world.held, world.there, world.placed) == ([], {}, {})


def test_a_stop_takes_out_what_a_stuck_launch_has_left_whoever_changed_it(world: World) -> None:
    stuck(world, "launch")
    answer = stop_now(world.deps(), world.key)
    assert (answer.status, answer.state) == ("applied", "stopped")
    assert (world.held, world.there, world.placed) == ([], {}, {})


def test_a_failing_stop_is_never_undone_and_goes_on_after_the_repair(world: World) -> None:
    world.change("launch")
    world.texts.judge = closed
    ended = world.change("stop")
    assert (ended.status, ended.direction, ended.reason) == ("needs_attention", "forward", "texts: It takes nothing.")
    assert (list(world.there), list(world.placed), world.held) == (["texts"], ["texts"], [RANGE])
    world.texts.judge = lambda after: None
    answer = world.again(ended)
    assert (answer.status, answer.state, answer.reason) == ("applied", "stopped", None)
    assert (world.held, world.there, world.placed) == ([], {}, {})


def test_a_pause_stuck_before_a_stop_cannot_bring_the_experiment_back(world: World) -> None:
    world.change("launch")
    world.flags.judge = closed
    ended = world.change("pause")
    assert ended.status == "needs_attention"
    world.flags.judge = lambda after: None
    assert stop_now(world.deps(), world.key).status == "applied"
    with pytest.raises(Stale, match="stop"):
        world.again(ended)
    assert (world.state, world.held, world.there, world.placed) == ("stopped", [], {}, {})


def test_a_stop_takes_out_what_a_stuck_resume_has_written_and_lets_it_not_go_on(world: World) -> None:
    world.change("launch")
    world.change("pause")
    ended = stuck(world, "resume")
    assert "flags" in world.there
    assert stop_now(world.deps(), world.key).status == "applied"
    with pytest.raises(Stale, match="stop"):
        world.again(ended)
    assert (world.state, world.held, world.there, world.placed) == ("stopped", [], {}, {})


def test_a_stop_goes_on_long_after_its_plan_expired(world: World) -> None:
    world.change("launch")
    begun = world.begin("stop")
    world.clock.at += timedelta(days=30)
    answer = world.again(begun)
    assert (answer.status, answer.reason) == ("applied", None)
    assert (world.state, world.there) == ("stopped", {})
