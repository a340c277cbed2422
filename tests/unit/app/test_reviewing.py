"""A team that must agree says yes or no to a draft as it stands, and no launch is planned without it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from crossfade.core.app.crossfade import Crossfade
from crossfade.core.errors import Invalid, NotAllowed, Stale
from crossfade.server.cli.main import main
from crossfade.server.settings import Settings
from crossfade.server.wiring import build

from .test_drafts import GROCERY, KEY, MondayClock, brief, launch


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    """The grocery's, where the bakers and the people of safety have to agree."""
    folder = Path(shutil.copytree(GROCERY, tmp_path / "catalogue"))
    file = folder / "surfaces" / "all.yml"
    asked = "required_reviewers: [bakers, safety]\n    reviewers: [storefront-team]"
    file.write_text(file.read_text().replace("reviewers: [storefront-team]", asked, 1))
    return folder


@pytest.fixture
def app(tmp_path: Path, catalogue: Path) -> Crossfade:
    app = build(Settings(home=tmp_path, catalogue=catalogue), "tester", MondayClock())
    assert app.create_experiment(brief()).ready
    return app


def review(app: Crossfade, team: str, *, approved: bool = True, note: str = "") -> None:
    app.review(KEY, team, approved=approved, note=note, assurance="terminal", by="ana")


def test_a_launch_waits_for_each_team_and_says_what_to_type(app: Crossfade) -> None:
    review(app, "bakers")
    plan = app.plan_change(KEY, "launch")
    [finding] = [finding for finding in plan.findings if finding.code == "review.pending"]
    assert finding.message == "Not agreed to yet by: safety. A person of each team says so."
    assert f"review {KEY} --team safety` in a terminal" in plan.next
    assert plan.next.endswith(f'then plan_change(key="{KEY}", change="launch")')


def test_a_launch_goes_on_once_all_have_agreed(app: Crossfade) -> None:
    review(app, "bakers")
    review(app, "safety", note="Mind the ovens")
    launch(app)
    assert app.get_experiment(KEY).state == "running"
    with app.dependencies.store.read() as view:
        reviews = [event for event in view.audit_of(KEY, 20) if event.what == "draft_reviewed"]
    assert reviews[0].who == "ana"
    assert (reviews[0].after or {})["note"] == "Mind the ovens"


def test_a_review_is_of_the_draft_that_was_read_and_of_no_later_one(app: Crossfade) -> None:
    review(app, "bakers")
    review(app, "safety")
    app.update_experiment(KEY, 1, [], {"tags": ["late"]})
    assert not app.plan_change(KEY, "launch").ready


def test_a_team_that_takes_its_yes_back_makes_the_plan_stale(app: Crossfade) -> None:
    review(app, "bakers")
    review(app, "safety")
    digest = app.plan_change(KEY, "launch").digest
    assert digest is not None
    app.approve(digest, approved=True, assurance="terminal", by="ana")
    review(app, "safety", approved=False)
    with pytest.raises(Stale, match=r"review\.pending"):
        app.apply_plan(digest)


def test_a_team_that_nobody_asks_is_refused_with_those_that_are(app: Crossfade) -> None:
    with pytest.raises(NotAllowed) as refused:
        review(app, "baker")
    assert refused.value.allowed == ["bakers", "safety"]
    assert refused.value.nearest == ["bakers"]


def test_a_note_of_a_page_is_refused(app: Crossfade) -> None:
    with pytest.raises(Invalid, match="at most 300"):
        review(app, "safety", note="x" * 301)


def test_only_a_draft_is_reviewed(app: Crossfade) -> None:
    review(app, "bakers")
    review(app, "safety")
    launch(app)
    with pytest.raises(NotAllowed, match="is running"):
        review(app, "safety")


def test_the_surface_names_the_teams_that_must_agree(app: Crossfade) -> None:
    best = app.find_surfaces("storefront").best
    assert best is not None
    assert best.reviewers == ["storefront-team", "bakers (must agree)", "safety (must agree)"]


def test_a_review_is_given_at_a_terminal(
    app: Crossfade, catalogue: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CROSSFADE_HOME", str(tmp_path))
    monkeypatch.setenv("CROSSFADE_CATALOGUE", str(catalogue))
    for team in ("bakers", "safety"):
        assert main(["review", KEY, "--team", team, "--yes"]) == 0
    said = capsys.readouterr().out
    assert "The bakery comes first will increase items_added" in said
    assert '{"aisles":["bakery","fresh","pantry"]}' in said
    assert app.plan_change(KEY, "launch").ready
