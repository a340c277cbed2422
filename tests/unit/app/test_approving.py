"""The question to a person shows what a yes is about, and all of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossfade.core.app.crossfade import Crossfade
from crossfade.core.errors import Stale
from crossfade.server.settings import Settings
from crossfade.server.wiring import build

from .test_drafts import GROCERY, KEY, MondayClock, brief


@pytest.fixture
def app(tmp_path: Path) -> Crossfade:
    return build(Settings(home=tmp_path, catalogue=GROCERY), "tester", MondayClock())


def asked(app: Crossfade, **changes: object) -> str:
    """What a person is asked before the launch of a draft."""
    drafted = app.create_experiment(brief(**changes))
    assert drafted.ready, drafted.next
    handle = app.plan_change(KEY, "launch").digest
    assert handle is not None
    question = app.question(handle)
    assert question == app.plan_summary(handle), "the terminal asks what the form asks"
    return question or ""


def test_the_question_shows_what_a_treatment_loses(app: Crossfade) -> None:
    question = asked(app, variants={"bread": {"aisles": ["bakery", "fresh"], "reorder_first": True}})
    assert "  control 50 %: as in production\n" in question
    assert (
        '  bread 50 %: aisles ["fresh","bakery","pantry"] -> ["bakery","fresh"]; reorder_first false -> true'
        in question
    )


def test_the_question_tells_warnings_units_and_reviewers(app: Crossfade) -> None:
    question = asked(app, audience={"orders_placed": {"gte": 1}})
    assert "Warning audience.stable: orders_placed can change during the run" in question
    assert "of them in the control." in question
    assert "Reviewers of the surface: " in question


def test_a_mechanism_that_begins_with_because_is_not_told_twice(app: Crossfade) -> None:
    assert "\nBecause bread is in most baskets: " in asked(app, because="because bread is in most baskets.")


def test_a_plan_that_cannot_be_applied_now_is_refused_rather_than_left_waiting_for_a_person(app: Crossfade) -> None:
    app.create_experiment(brief())
    handle = app.plan_change(KEY, "launch").digest
    assert handle is not None
    app.update_experiment(KEY, 1, [], {"allocation": 0.9})
    with pytest.raises(Stale) as refused:
        app.question(handle)
    assert refused.value.next == f'plan_change(key="{KEY}", change="launch")'
