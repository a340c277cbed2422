"""What was launched can be described otherwise, and nothing that units get or that is concluded can be changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossfade.core.app.crossfade import Crossfade
from crossfade.core.documents import JsonObject
from crossfade.core.errors import Conflict, NotAllowed

from ...e2e.museum import SetClock, agreed, launched, opened

KEY = "guide-first"
WORDS: JsonObject = {"name": "Guide first, again", "tags": ["audio"], "owner": "visitors"}


@pytest.fixture
def app(tmp_path: Path) -> Crossfade:
    made = opened(tmp_path).app(SetClock())
    launched(made)
    return made


def test_words_of_a_running_experiment_change_with_its_version_and_leave_a_trace(app: Crossfade) -> None:
    delivered = app.get_experiment(KEY).delivered
    answer = app.update_experiment(KEY, 1, [], WORDS)
    assert (answer.version, answer.state, answer.ready) == (2, "running", True)
    assert (answer.changed or {})["/name"][1] == "Guide first, again"
    shown = app.get_experiment(KEY)
    assert (shown.name, shown.owner, shown.state, shown.delivered) == (WORDS["name"], "visitors", "running", delivered)
    assert shown.findings is None
    with app.dependencies.store.read() as view:
        [event] = [each for each in view.audit_of(KEY, 20) if each.what == "experiment_relabelled"]
    assert event.after == WORDS
    assert [line.key for line in app.find_experiments(query="again").experiments] == [KEY]


def test_a_repeat_of_the_change_is_safe_and_an_older_version_is_refused(app: Crossfade) -> None:
    first = app.update_experiment(KEY, 1, [], WORDS)
    assert app.update_experiment(KEY, 1, [], WORDS) == first
    with pytest.raises(Conflict):
        app.update_experiment(KEY, 1, [], {"name": "Something else"})


@pytest.mark.parametrize("changes", [{"allocation": 0.5}, {"name": "x", "audience": {}}, {"design": {"days": 60}}])
def test_what_units_get_or_what_is_concluded_is_a_restart(app: Crossfade, changes: JsonObject) -> None:
    with pytest.raises(NotAllowed, match="is another experiment") as refused:
        app.update_experiment(KEY, 1, [], changes)
    assert refused.value.got == [name for name in changes if name != "name"]
    assert refused.value.next.startswith(f'create_experiment(from="{KEY}"')
    assert app.get_experiment(KEY).version == 1


def test_words_that_are_none_are_refused(app: Crossfade) -> None:
    with pytest.raises(NotAllowed, match="no spec"):
        app.update_experiment(KEY, 1, [], {"name": ""})


def test_a_plan_that_was_made_before_is_stale_and_a_new_one_goes_through(app: Crossfade) -> None:
    app.update_experiment(KEY, 1, [], WORDS)
    assert app.apply_plan(agreed(app, KEY, "pause")).status == "applied"
    assert app.apply_plan(agreed(app, KEY, "resume")).status == "applied"
    assert app.get_experiment(KEY).state == "running"
