"""What replies say of a change that failed: why, what to do about it, and who may be served meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from crossfade.core.app.crossfade import Crossfade
from crossfade.core.errors import BackendDenied, BackendFailed

from ...e2e.museum import Museum, SetClock, agreed, drafted
from .test_drift import KEY, edit, halve

REFUSAL = BackendDenied(
    "It does not let this token do that.",
    next="A person gives the token the rights that are missing, then repeat the call.",
    got={"status": 403, "reason": "no such right"},
)


@pytest.fixture
def museum(tmp_path: Path) -> Museum:
    return Museum(tmp_path)


@pytest.fixture
def app(museum: Museum) -> Crossfade:
    app = museum.app(SetClock())
    drafted(app)
    return app


def writing(app: Crossfade, monkeypatch: pytest.MonkeyPatch, after: Callable[[], None]) -> None:
    """Each write of flags is followed by something."""
    flags = app.dependencies.backends["growthbook_file"]
    write = flags.write

    def meddled(*given: object, **more: object) -> None:
        write(*given, **more)  # pyright: ignore[reportArgumentType]
        after()

    monkeypatch.setattr(flags, "write", meddled)


def test_an_undone_launch_keeps_what_the_backend_said_and_its_remedy(
    app: Crossfade, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise REFUSAL

    writing(app, monkeypatch, refuse)
    digest = agreed(app, KEY, "launch")
    answer = app.apply_plan(digest)
    assert answer.status == "undone"
    assert answer.reason == (
        'flags: It does not let this token do that. Got {"status": 403, "reason": "no such right"}'
    )
    assert "A person gives the token the rights that are missing. Then plan_change(" in answer.next
    assert answer.operation is not None
    assert app.operation_document(answer.operation)["failure"] == {
        "target": "flags/payload",
        "message": REFUSAL.message,
        "got": REFUSAL.got,
        "remedy": REFUSAL.next,
        "attempts": 1,
    }


def test_a_stuck_launch_says_that_users_may_be_served_and_how_to_end_that(
    app: Crossfade, museum: Museum, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A system that keeps what it is given otherwise can neither go on nor be undone."""
    digest = agreed(app, KEY, "launch")
    writing(app, monkeypatch, lambda: edit(museum.flags, halve))
    answer = app.apply_plan(digest)
    assert (answer.status, answer.state) == ("needs_attention", "scheduled")
    assert 'plan_change(key="guide-first", change="stop") takes all of them out' in answer.next
    told = app.explain(KEY, "visitor-1", {})
    assert "traffic may be open" in told.detail


def test_a_stuck_stop_lets_nobody_in(app: Crossfade, museum: Museum, monkeypatch: pytest.MonkeyPatch) -> None:
    app.apply_plan(agreed(app, KEY, "launch"))
    museum.texts.write_text("no JSON")
    answer = app.apply_plan(agreed(app, KEY, "stop"))
    assert answer.status == "needs_attention"
    assert "may be served" not in answer.next
    assert answer.next.startswith("Repair it, or move it away to start a new one. Then apply_plan(")


def test_a_failure_that_says_no_more_gets_a_remedy_of_ours(app: Crossfade, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise BackendFailed("It fails.", next="Repeat the call.")

    digest = agreed(app, KEY, "launch")
    writing(app, monkeypatch, refuse)
    assert "Mend the cause. Then plan_change(" in app.apply_plan(digest).next
